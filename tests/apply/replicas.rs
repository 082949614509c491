//! Numbers of pods that an autoscaler sets.

use crate::apply::GENERIC;
use crate::apply::site::Site;

const SCHEDULER: &str = "deployment/kubefarm-kubernetes-scheduler";
const NOBODY: &str = "--set kubernetes.scheduler.replicaCount=null";

/// What an autoscaler does: it sets the number by the subresource `scale`.
fn scale(site: &Site, number: u32) {
    site.kubectl(&format!("scale {SCHEDULER} --replicas={number}"))
        .success();
}

/// Apply leaves the number alone, and diff finds nothing.
fn assert_left_alone(site: &Site, number: u32) {
    let before = site.settled_versions();
    let applied = site.run(&format!("apply -q {GENERIC} {NOBODY}"));
    assert_eq!(applied.code(), 0, "{}", applied.stderr);
    let diff = site.run(&format!("diff {GENERIC} {NOBODY}"));
    assert_eq!(
        (diff.code(), diff.stdout.as_str()),
        (0, ""),
        "{}",
        diff.stderr
    );
    assert_eq!(site.versions(), before);
    assert_eq!(site.get(SCHEDULER)["spec"]["replicas"], number);
}

#[test]
fn an_autoscaler_owns_what_has_no_number() {
    let Some(site) = Site::new("autoscaled") else {
        return;
    };
    site.run(&format!("apply -q {GENERIC} {NOBODY}")).success();
    assert_eq!(site.get(SCHEDULER)["spec"]["replicas"], 1);
    scale(&site, 5);
    assert_left_alone(&site, 5);
    scale(&site, 3);
    assert_left_alone(&site, 3);
}

#[test]
fn a_number_is_handed_over_to_who_has_set_another() {
    let Some(site) = Site::new("handed-over") else {
        return;
    };
    site.run(&format!("apply -q {GENERIC}")).success();
    scale(&site, 5);
    site.run(&format!("apply -q {GENERIC} {NOBODY}")).success();
    assert_left_alone(&site, 5);
}

/// Kubernetes takes its own default for a field that its only owner gives up.
#[test]
fn diff_shows_a_number_that_nobody_else_has_set() {
    let Some(site) = Site::new("given-up") else {
        return;
    };
    site.run(&format!("apply -q {GENERIC}")).success();
    let diff = site.run(&format!("diff {GENERIC} {NOBODY}"));
    assert_eq!(diff.code(), 1, "{}", diff.stderr);
    for part in ["-  replicas: 2", "+  replicas: 1"] {
        assert!(diff.stdout.contains(part), "{}", diff.stdout);
    }
}
