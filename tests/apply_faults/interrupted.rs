//! Ctrl-C: it stops cleanly, and says what is done and what is not.

use std::collections::BTreeSet;

use super::cluster;
use super::place::{Place, WHOLE};
use super::running::Event;

#[test]
fn interrupted_between_objects_it_says_what_is_done_and_leaves_no_lease() {
    let Some(cluster) = cluster() else {
        return;
    };
    let place = Place::new(cluster, "interrupted");
    let mut running = place.start(WHOLE);
    for _ in 0..20 {
        running.until(Event::is_step);
    }
    running.signal("INT");
    let (finished, events) = running.finish();
    let done: BTreeSet<String> = events
        .iter()
        .filter(|event| event.is_step())
        .map(Event::object)
        .collect();
    let count = done.len();
    let checked = events.iter().filter(|event| event.is("checked")).count();
    assert!((20..checked).contains(&count), "{count} of {checked}");
    finished.failed(
        130,
        &[
            "error: interrupted",
            &format!("\ndone: {count} objects"),
            &format!("\nnot done: {} objects", checked - count),
            "Run the same command again to continue.",
        ],
    );
    let mut there = place.names();
    assert!(there.remove("ConfigMap/kubefarm-farm"), "the record");
    assert_eq!(there, done, "and no Lease");
    // What the guards of the next apply go by, before anything of it runs.
    for fact in ["kubernetes", "etcd-versions"] {
        let path = format!("--output=jsonpath={{.data.{fact}}}");
        let record = place.kubectl(&["get", "configmap", "kubefarm-farm", &path]);
        assert!(!record.success().is_empty(), "{fact}");
    }
    place.apply(WHOLE).success();
    place.assert_is_as(WHOLE);
}

#[test]
fn interrupted_while_it_checks_it_changes_nothing_and_says_so() {
    let Some(cluster) = cluster() else {
        return;
    };
    let place = Place::new(cluster, "interrupted-early");
    let mut running = place.start(WHOLE);
    for _ in 0..5 {
        running.until(|event| event.is("checked"));
    }
    running.signal("INT");
    let (finished, _) = running.finish();
    finished.failed(130, &["interrupted", "nothing was changed"]);
    place.assert_nothing_changed();
}

#[test]
fn sigterm_is_an_interrupt_too() {
    let Some(cluster) = cluster() else {
        return;
    };
    let place = Place::new(cluster, "terminated");
    let mut running = place.start(WHOLE);
    running.until(|event| event.stage() == Some("PKI"));
    running.signal("TERM");
    let (finished, events) = running.finish();
    finished.failed(143, &["error: interrupted", "\nnot done: "]);
    let names = place.names();
    assert!(!names.contains("Lease/kubefarm-farm"));
    // Not even the rest of the wave.
    let wave = events.iter().rfind(|event| event.stage().is_some());
    let wave = wave.expect("the one that began");
    let of_wave = |name: &&String| name.starts_with("Certificate/") || name.starts_with("Issuer/");
    let there = names.iter().filter(of_wave).count();
    let all = wave.0["count"].as_u64().expect("a number");
    assert!((there as u64) < all, "{there} of {all}");
}

#[test]
fn interrupted_while_it_deletes_it_says_what_is_done_and_what_is_left() {
    let Some(cluster) = cluster() else {
        return;
    };
    let place = Place::new(cluster, "interrupted-delete");
    place.apply(WHOLE).success();
    let mut running = place.start_delete();
    running.until(|event| event.is("deleted"));
    running.signal("INT");
    let (finished, events) = running.finish();
    let deleted = events.iter().filter(|event| event.is("deleted")).count();
    let done = format!("\ndone: {deleted} object");
    finished.failed(130, &["interrupted", &done, "\nnot done: "]);
    let names = place.names();
    assert!(names.contains("ConfigMap/kubefarm-farm"), "the record");
    place.start_delete().finish().0.success();
}
