//! SIGKILL: the next apply converges, whatever it applies, and prune still knows everything.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::cluster;
use super::place::{Place, SMALL, WHOLE};
use super::running::{Event, Running};
use crate::support::cluster::Cluster;

/// Two at a time: while one waits for the API server, the other computes.
const CHAINS: usize = 2;

/// What a farm leaves in a namespace.
struct Expected {
    whole: BTreeSet<String>,
    small: BTreeSet<String>,
    /// Objects of the whole farm that stay when they are no longer rendered.
    kept: BTreeSet<String>,
    /// The number of objects that the apply of the whole farm reports.
    steps: usize,
}

impl Expected {
    /// The state after undisturbed runs.
    fn measure(cluster: &Cluster) -> Expected {
        let place = Place::new(cluster, "undisturbed");
        let (finished, events) = place.start(WHOLE).finish();
        finished.success();
        let whole = place.names();
        let (finished, pruning) = place.start(SMALL).finish();
        finished.success();
        let kept = pruning.iter().filter(|event| event.is("kept"));
        let kept: BTreeSet<String> = kept.map(Event::object).collect();
        let deleted = pruning.iter().filter(|event| event.is("deleted")).count();
        assert!(kept.len() >= 4, "the certificate authorities: {kept:?}");
        assert!(deleted > 40, "{deleted}");
        let small = place.names().difference(&kept).cloned().collect();
        Expected {
            whole,
            small,
            kept,
            steps: events.iter().filter(|event| event.is_step()).count(),
        }
    }

    /// The objects after the small farm was applied over those that `events` report.
    #[track_caller]
    fn assert_small(&self, place: &Place, events: &[Event]) {
        let left: BTreeSet<String> = place.names().difference(&self.small).cloned().collect();
        let reported = events.iter().filter(|event| event.is_step());
        let reported: BTreeSet<String> = reported.map(Event::object).collect();
        let lost = &self.small - &place.names();
        assert!(lost.is_empty(), "{lost:?}");
        let forgotten = &left - &self.kept;
        assert!(forgotten.is_empty(), "nobody pruned {forgotten:?}");
        let destroyed = &(&reported & &self.kept) - &left;
        assert!(destroyed.is_empty(), "pruned {destroyed:?}");
    }
}

/// Names of Jobs end in a hash of their content, which names the namespace.
fn without_hashes(names: BTreeSet<String>) -> BTreeSet<String> {
    let shortened = names.into_iter().map(|name| {
        if name.starts_with("Job/") {
            name.rsplit_once('-')
                .map_or(name.clone(), |(start, _)| start.to_owned())
        } else {
            name
        }
    });
    shortened.collect()
}

/// Does `work` with the numbers below `count`, on several threads.
fn in_chains(count: usize, work: impl Fn(usize) + Sync) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..CHAINS {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count {
                        break;
                    }
                    work(number);
                }
            });
        }
    });
}

/// Kills it right after it reported `count` objects, or after it began the first wave.
fn kill_after(mut running: Running, count: usize) -> Vec<Event> {
    let is_wave = |event: &Event| event.0["stage"] == "wave";
    match count {
        0 => running.until(is_wave),
        _ => (0..count).for_each(|_| running.until(Event::is_step)),
    }
    running.kill()
}

#[test]
fn killed_after_any_object_the_next_apply_converges() {
    let Some(cluster) = cluster() else {
        return;
    };
    let expected = Expected::measure(cluster);
    assert!(expected.steps > 55, "{}", expected.steps);
    in_chains(expected.steps + 1, |count| {
        let place = Place::new(cluster, "killed");
        let events = kill_after(place.start(WHOLE), count);
        if count % 10 == 5 {
            place.apply(WHOLE).success();
            assert_eq!(
                without_hashes(place.names()),
                without_hashes(expected.whole.clone()),
                "after {count}"
            );
            place.assert_is_as(WHOLE);
        }
        place.apply(SMALL).success();
        expected.assert_small(&place, &events);
        if count % 10 == 0 {
            place.assert_is_as(SMALL);
        }
    });
}

#[test]
fn killed_while_it_prunes_the_next_apply_prunes_the_rest() {
    let Some(cluster) = cluster() else {
        return;
    };
    let expected = Expected::measure(cluster);
    in_chains(6, |number| {
        let place = Place::new(cluster, "killed-in-prune");
        let (finished, events) = place.start(WHOLE).finish();
        finished.success();
        let mut running = place.start(SMALL);
        running.until(|event| event.stage() == Some("prune"));
        for _ in 0..number * 9 {
            running.until(|event| event.is("deleted"));
        }
        running.kill();
        place.apply(SMALL).success();
        expected.assert_small(&place, &events);
        place.assert_is_as(SMALL);
    });
}

#[test]
fn killed_around_the_writing_of_the_record_nothing_is_forgotten() {
    let Some(cluster) = cluster() else {
        return;
    };
    let expected = Expected::measure(cluster);
    in_chains(8, |number| {
        let place = Place::new(cluster, "killed-at-record");
        let mut running = place.start(WHOLE);
        let is_late = number % 2 == 1;
        // The record is written before the first wave, and after the last object.
        if !is_late {
            (0..expected.steps).for_each(|_| running.until(|event| event.is("checked")))
        } else {
            (0..expected.steps).for_each(|_| running.until(Event::is_step))
        }
        std::thread::sleep(Duration::from_millis(number as u64 * 3));
        let events = running.kill();
        place.apply(SMALL).success();
        expected.assert_small(&place, &events);
        place.assert_is_as(SMALL);
    });
}
