//! The API server or etcd stops while a farm is applied.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::assert_failed;
use super::place::{Place, SMALL, WHOLE};
use super::running::{Event, Running};
use crate::support::cluster::pool::{Alone, Pool};
use crate::support::cluster::{API_SERVER, Cluster, ETCD, Options};
use crate::support::{Finished, run};

/// How long a stop is.
const OUTAGE: Duration = Duration::from_secs(5);

/// With a wave of CustomResourceDefinitions, too.
const WITH_CRDS: &str = "-f examples/generic/values.yaml -f examples/advanced_network/values.yaml \
                         --set dhcp.installController=true";

/// A cluster that a test may disturb.
pub fn disturbed() -> Option<Alone> {
    static DISTURBED: Pool = Pool::new(|| {
        let cluster = Cluster::start(Options::default())?;
        cluster.install_crds();
        Some(cluster)
    });
    DISTURBED.alone()
}

/// Deletes what farms have outside of namespaces, so that the next one creates it.
fn without_controller(cluster: &Cluster) {
    let ours = "--selector=applyset.kubernetes.io/part-of";
    let kinds = "clusterroles,clusterrolebindings";
    cluster.kubectl(&["delete", kinds, ours]).success();
    let list = ["get", "crd", "--output=name"];
    let definitions = cluster.kubectl(&list).success();
    let ours = definitions
        .lines()
        .filter(|name| name.contains("dnsmasq.kvaps.cf"));
    let delete: Vec<&str> = ["delete"].into_iter().chain(ours).collect();
    cluster.kubectl(&delete).success();
}

/// Calls `outage` at the beginning of every stage, and gives the stages.
fn with_outages(
    mut running: Running,
    mut outage: impl FnMut(&str),
) -> (Finished, Vec<Event>, BTreeSet<String>) {
    let mut stages = BTreeSet::new();
    while running.comes_to(|event| event.stage().is_some()) {
        let stage = running.events.last().and_then(Event::stage);
        let stage = stage.unwrap_or_default().to_owned();
        outage(&stage);
        stages.insert(stage);
    }
    let (finished, events) = running.finish();
    (finished, events, stages)
}

#[track_caller]
fn assert_stages(stages: &BTreeSet<String>, wanted: &[&str]) {
    for stage in wanted {
        assert!(stages.contains(*stage), "no {stage} in {stages:?}");
    }
}

const WAVES: [&str; 8] = [
    "check",
    "CRDs",
    "RBAC",
    "configuration",
    "PKI",
    "services",
    "workloads",
    "jobs",
];

#[test]
fn an_api_server_that_hangs_in_every_stage_is_waited_for() {
    let Some(cluster) = disturbed() else {
        return;
    };
    without_controller(&cluster);
    let place = Place::new(&cluster, "hanging");
    let hang = |_: &str| {
        cluster.pause(API_SERVER);
        std::thread::sleep(OUTAGE);
        cluster.resume(API_SERVER);
    };
    let (finished, events, stages) = with_outages(place.start(WITH_CRDS), hang);
    finished.success();
    assert_stages(&stages, &WAVES);
    assert!(events.iter().filter(|event| event.is("created")).count() > 55);
    place.assert_is_as(WITH_CRDS);
    let (finished, _, stages) = with_outages(place.start(SMALL), hang);
    finished.success();
    assert_stages(&stages, &["prune"]);
    place.assert_is_as(SMALL);
}

#[test]
fn an_api_server_that_is_killed_in_every_stage_is_waited_for() {
    let Some(cluster) = disturbed() else {
        return;
    };
    without_controller(&cluster);
    let place = Place::new(&cluster, "killed-server");
    let restart = |_: &str| {
        cluster.stop_apiserver();
        cluster.start_apiserver();
    };
    let (finished, _, stages) = with_outages(place.start(WITH_CRDS), restart);
    finished.success();
    assert_stages(&stages, &WAVES);
    place.assert_is_as(WITH_CRDS);
    let (finished, _, stages) = with_outages(place.start(SMALL), restart);
    finished.success();
    assert_stages(&stages, &["prune"]);
    place.assert_is_as(SMALL);
}

#[test]
fn without_etcd_it_fails_in_time_and_nothing_is_lost() {
    let Some(cluster) = disturbed() else {
        return;
    };
    let place = Place::new(&cluster, "no-etcd");
    let mut command = place.command(WHOLE);
    command.args(["-o", "json", "--concurrency", "1", "--timeout", "20s"]);
    let began = Instant::now();
    let mut running = Running::start(command);
    running.until(|event| event.stage() == Some("services"));
    cluster.stop_etcd();
    let (finished, events) = running.finish();
    let took = began.elapsed();
    assert_failed(&finished, &["error: ", "\ndone: ", "\nnot done: "]);
    assert!(took < Duration::from_secs(25), "{took:?}");
    let created: BTreeSet<String> = events
        .iter()
        .filter(|event| event.is("created"))
        .map(Event::object)
        .collect();
    assert!(created.len() > 20, "{created:?}");

    cluster.start_etcd();
    cluster.wait_until("etcd answers", || {
        let ready = cluster.kubectl(&["get", "--raw", "/readyz"]);
        ready.status.success() && place.kubectl(&["get", "configmaps"]).status.success()
    });
    let lost = &created - &place.names();
    assert!(lost.is_empty(), "{lost:?}");
    place.apply(WHOLE).success();
    place.assert_is_as(WHOLE);
}

#[test]
fn etcd_that_comes_back_in_time_is_waited_for() {
    let Some(cluster) = disturbed() else {
        return;
    };
    let place = Place::new(&cluster, "etcd-again");
    let mut running = place.start(WHOLE);
    running.until(|event| event.stage() == Some("services"));
    cluster.kill(ETCD);
    std::thread::sleep(Duration::from_secs(12));
    cluster.start_etcd();
    running.finish().0.success();
    place.assert_is_as(WHOLE);
}

#[test]
fn a_second_interrupt_ends_it_where_the_first_one_waits_for_the_server() {
    let Some(cluster) = disturbed() else {
        return;
    };
    let place = Place::new(&cluster, "impatient");
    let mut running = place.start(WHOLE);
    running.until(|event| event.stage() == Some("services"));
    cluster.pause(API_SERVER);
    running.signal("INT");
    std::thread::sleep(Duration::from_secs(1));
    let waits = !running.has_ended();
    let began = Instant::now();
    running.signal("INT");
    let (finished, _) = running.finish();
    let took = began.elapsed();
    cluster.resume(API_SERVER);
    assert!(waits, "{}", finished.stderr);
    assert_eq!(finished.code(), 130, "{}", finished.stderr);
    assert!(took < Duration::from_secs(1), "{took:?}");
    // Its Lease is still there, and nobody has to wait for it.
    let began = Instant::now();
    run(&mut place.command(WHOLE)).success();
    assert!(began.elapsed() < Duration::from_secs(12));
    place.assert_is_as(WHOLE);
}
