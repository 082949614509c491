//! Parallel work on many items.
//!
//! Threads are started once, by [`start`], and wait for work. Without them, the calling thread does all of the work.

use std::num::NonZero;
use std::thread;

use rayon::ThreadPoolBuilder;
use rayon::iter::{
    IndexedParallelIterator as _, IntoParallelRefIterator as _, ParallelIterator as _,
};

/// Most renderings take a few milliseconds, in which more threads would not even start.
const MOST_THREADS: usize = 4;

/// Starts the threads. The calling thread is the first of them, and has to be the one that calls [`map`].
pub(crate) fn start() {
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    let threads = ThreadPoolBuilder::new()
        .num_threads(processors.min(MOST_THREADS))
        .use_current_thread();
    // An error means that no thread can be started.
    let _ = threads.build_global();
}

/// Runs work on another thread, if there is one; otherwise it may not run at all.
pub(crate) fn ahead(work: impl FnOnce() + Send + 'static) {
    if is_started() {
        rayon::spawn(work);
    }
}

/// The results of `work` in the order of the items.
pub(crate) fn map<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Send + Sync) -> Vec<R> {
    if is_started() {
        items.par_iter().with_max_len(1).map(work).collect()
    } else {
        items.iter().map(work).collect()
    }
}

/// Whether the calling thread is one of them.
fn is_started() -> bool {
    rayon::current_thread_index().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_keep_the_order_of_the_items() {
        let pool = ThreadPoolBuilder::new().num_threads(2).build().unwrap();
        for count in [0, 1, 3, 4, 1000] {
            let items: Vec<usize> = (0..count).collect();
            let expected: Vec<usize> = items.iter().map(|item| item * 2).collect();
            assert_eq!(map(&items, |item| item * 2), expected);
            assert_eq!(pool.install(|| map(&items, |item| item * 2)), expected);
        }
    }
}
