//! The same work on many items, on all processors.

use std::num::NonZero;
use std::panic::resume_unwind;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// The items worth one more thread: below, starting it takes longer than it saves.
const ITEMS_PER_THREAD: usize = 2;

/// How many there are. Finding out reads several files, so it is done once.
static PROCESSORS: LazyLock<usize> =
    LazyLock::new(|| thread::available_parallelism().map_or(1, NonZero::get));

/// Counts the processors, where another thread has the time before they are needed.
pub(crate) fn prepare() {
    LazyLock::force(&PROCESSORS);
}

/// The results of `work` in the order of the items.
pub(crate) fn map<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let threads = (*PROCESSORS).min(items.len() / ITEMS_PER_THREAD);
    if threads < 2 {
        return items.iter().map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let take_until_done = || {
        let mut done = Vec::new();
        loop {
            let position = next.fetch_add(1, Ordering::Relaxed);
            match items.get(position) {
                Some(item) => done.push((position, work(item))),
                None => return done,
            }
        }
    };
    let mut done = thread::scope(|scope| {
        // Without a thread to spare there are fewer others, or none.
        let spawn = |_| thread::Builder::new().spawn_scoped(scope, take_until_done);
        let others: Vec<_> = (1..threads).map(spawn).map_while(Result::ok).collect();
        let mut done = take_until_done();
        for other in others {
            done.extend(other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        done
    });
    done.sort_unstable_by_key(|(position, _)| *position);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_keep_the_order_of_the_items() {
        for count in [0, 1, 3, 4, 1000] {
            let items: Vec<usize> = (0..count).collect();
            let expected: Vec<usize> = items.iter().map(|item| item * 2).collect();
            assert_eq!(map(&items, |item| item * 2), expected);
        }
    }
}
