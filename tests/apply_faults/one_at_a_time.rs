//! Several at once work on one farm: one after the other, never interleaved.

use std::time::{Duration, Instant};

use serde_json::json;

use super::permissions::user_without;
use super::place::{Place, SMALL, WHOLE};
use super::running::Running;
use super::{assert_failed, cluster};
use crate::support::{program, run};

const WITHOUT_BOOT_SERVICE: &str =
    "-f examples/generic/values.yaml --set ltsp.service.enabled=false";

#[test]
fn applies_at_once_follow_each_other() {
    let Some(cluster) = cluster() else {
        return;
    };
    let place = Place::new(cluster, "at-once");
    let users = ["anna", "boris", "clara"];
    let values = [WHOLE, SMALL, WITHOUT_BOOT_SERVICE];
    let started: Vec<Running> = users
        .iter()
        .zip(values)
        .map(|(user, values)| {
            let kubeconfig = cluster.user_kubeconfig(user, &["system:masters"]);
            let mut command = place.command_as(kubeconfig, values);
            command.args(["-o", "json", "--timeout", "60s"]);
            Running::start(command)
        })
        .collect();
    let ends: Vec<_> = started.into_iter().map(Running::finish).collect();
    let mut held = 0;
    for (finished, events) in ends {
        finished.success();
        held += usize::from(events.iter().any(|event| event.0["event"] == "held"));
    }
    assert!(held >= 1, "they did not run at once");

    let mut turns: Vec<String> = Vec::new();
    for change in place.changes() {
        if turns.last() != Some(&change.user) {
            turns.push(change.user);
        }
    }
    let mut sorted = turns.clone();
    sorted.sort();
    assert_eq!(sorted, users, "each had one turn: {turns:?}");
    let last = users
        .iter()
        .position(|user| Some(*user) == turns.last().map(String::as_str));
    place.assert_is_as(values[last.expect("one of them")]);
}

#[test]
fn who_cannot_wait_is_told_who_holds_the_farm() {
    let Some(cluster) = cluster() else {
        return;
    };
    let place = Place::new(cluster, "impatient");
    let mut first = place.start(WHOLE);
    first.until(|event| event.0["stage"] == "wave");
    first.signal("STOP");
    let second = run(place.command(SMALL).args(["--timeout", "2s"]));
    let holder = format!("(process {}) works on this farm", first.process());
    assert_failed(&second, &["error: ", &holder, "nothing was changed"]);

    let mut third = place.start(SMALL);
    third.until(|event| event.0["event"] == "held");
    let reported = third.events.last().expect("just read").0["holder"].to_string();
    assert!(
        reported.contains(&format!("process {}", first.process())),
        "{reported}"
    );
    first.signal("CONT");
    first.finish().0.success();
    third.finish().0.success();
    place.assert_is_as(SMALL);
}

/// Writes the Lease as a process on another machine would.
fn hold_from_afar(place: &Place, renewed: u32) {
    let lease = json!({
        "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
        "metadata": {
            "name": "kubefarm-farm", "namespace": place.namespace,
            "annotations": { "kubefarm.io/process": "another-boot/pid:[4026531836]/17/1234" },
        },
        "spec": {
            "holderIdentity": "dora@faraway (process 17)",
            "leaseDurationSeconds": 15,
            "renewTime": format!("2026-01-01T00:00:{renewed:02}.000000Z"),
        },
    });
    let apply = [
        "apply",
        "--server-side",
        "--force-conflicts",
        "--filename=-",
    ];
    let applied = place.cluster.kubectl_with_stdin(&apply, &lease.to_string());
    applied.success();
}

#[test]
fn a_holder_far_away_is_believed_to_be_dead_after_15_seconds_of_silence() {
    let Some(cluster) = cluster() else {
        return;
    };
    let place = Place::new(cluster, "far-away");
    hold_from_afar(&place, 0);
    let mut waiting = place.start(SMALL);
    waiting.until(|event| event.0["event"] == "held");
    let reported = waiting.events.last().expect("just read").0["holder"].clone();
    assert_eq!(reported, "dora@faraway (process 17)");
    std::thread::sleep(Duration::from_secs(9));
    hold_from_afar(&place, 9);
    let renewed = Instant::now();
    let (finished, _) = waiting.finish();
    let silence = renewed.elapsed();
    finished.success();
    let patience = Duration::from_secs(14)..Duration::from_secs(22);
    assert!(patience.contains(&silence), "{silence:?}");
    assert!(!place.names().contains("Lease/kubefarm-farm"));
    place.assert_is_as(SMALL);
}

/// Longer than a holder goes on without a renewal, and shorter than others wait.
const TOO_LONG: Duration = Duration::from_secs(11);

/// An apply that is held in its middle for so long that it may no longer rely on its Lease.
fn held_too_long(mut running: Running, meanwhile: impl FnOnce()) -> Running {
    running.until(|event| event.stage() == Some("services"));
    running.signal("STOP");
    meanwhile();
    std::thread::sleep(TOO_LONG);
    running
}

#[test]
fn who_may_not_renew_the_lease_stops_before_another_may_take_it() {
    let Some(cluster) = cluster() else {
        return;
    };
    let place = Place::new(cluster, "no-renewal");
    let kubeconfig = user_without(&place, "leases", &["update"]);
    let running = held_too_long(place.start_as(kubeconfig, WHOLE), || {});
    let before = place.changes().len();
    running.signal("CONT");
    let (finished, _) = running.finish();
    let parts = [
        "the Lease that guards this farm could",
        "not be renewed",
        "cannot update resource",
        "again to continue",
        "\nnot done: ",
    ];
    assert_failed(&finished, &parts);
    assert_eq!(place.changes().len(), before);
    place.apply(WHOLE).success();
    place.assert_is_as(WHOLE);
}

#[test]
fn who_slept_while_another_took_the_lease_changes_nothing_more() {
    let Some(cluster) = cluster() else {
        return;
    };
    let place = Place::new(cluster, "overslept");
    let running = held_too_long(place.start(WHOLE), || hold_from_afar(&place, 0));
    let before = place.changes().len();
    running.signal("CONT");
    let (finished, _) = running.finish();
    assert_failed(&finished, &["was taken over by dora@faraway (process 17)"]);
    assert_eq!(place.changes().len(), before);
}

#[test]
fn who_slept_while_nobody_took_the_lease_goes_on() {
    let Some(cluster) = cluster() else {
        return;
    };
    let place = Place::new(cluster, "slept");
    let running = held_too_long(place.start(WHOLE), || {});
    running.signal("CONT");
    running.finish().0.success();
    place.assert_is_as(WHOLE);
}

/// As where /proc is mounted with `hidepid`, and the holder is another user.
#[test]
fn a_holder_that_cannot_be_seen_is_not_believed_to_be_dead() {
    let Some(cluster) = cluster() else {
        return;
    };
    let Some(unshare) = program("unshare", "util-linux") else {
        return;
    };
    let place = Place::new(cluster, "hidden");
    let mut first = place.start(WHOLE);
    first.until(|event| event.0["stage"] == "wave");
    first.signal("STOP");
    let second = place.command(SMALL);
    let script = "mount -t tmpfs none \"/proc/$1\" && shift && exec \"$@\"";
    let mut hidden = std::process::Command::new(unshare);
    hidden
        .args(["--map-root-user", "--mount", "sh", "-c", script, "sh"])
        .arg(first.process().to_string())
        .arg(second.get_program())
        .args(second.get_args())
        .args(["--timeout", "2s"])
        .current_dir(crate::support::project());
    let holder = format!("(process {}) works on this farm", first.process());
    assert_failed(&run(&mut hidden), &[&holder, "nothing was changed"]);
    first.signal("CONT");
    first.finish().0.success();
}
