//! Another client deletes objects while a farm is applied.

use super::place::{Place, SMALL, WHOLE};
use super::running::{Event, Running};
use super::{assert_failed, cluster};

/// Changes the Deployment of the boot server and leaves the rest.
const MORE: &str = "-f examples/generic/values.yaml -f examples/advanced_network/values.yaml \
                    --set ltsp.podAnnotations.more=x";

/// Starts the change, and holds it at an event.
fn held(place: &Place, at: fn(&Event) -> bool) -> Running {
    place.apply(WHOLE).success();
    let mut running = place.start(MORE);
    running.until(at);
    running.signal("STOP");
    running
}

#[test]
fn objects_deleted_between_check_and_apply_are_there_in_the_end() {
    let Some(cluster) = cluster() else {
        return;
    };
    let place = Place::new(cluster, "behind");
    // By then, what is deleted here is checked. Waves of unchanged objects would be over before anything could be deleted.
    let running = held(&place, |event| {
        event.is("checked") && event.object().starts_with("CronJob/")
    });
    let objects = place.names();
    let changed = "deployment/kubefarm-kubernetes-ltsp";
    let unchanged = ["service/kubefarm-kubernetes-apiserver", "job", "role"];
    place.kubectl(&["delete", changed]).success();
    place.kubectl(&["delete", unchanged[0]]).success();
    for kind in &unchanged[1..] {
        place.kubectl(&["delete", kind, "--all"]).success();
    }
    running.signal("CONT");
    let (finished, events) = running.finish();
    finished.success();
    let created = events.iter().filter(|event| event.is("created")).count();
    assert!(created > 4, "{created}");
    let stayed = "StatefulSet/kubefarm-kubernetes-etcd";
    let steps = events.iter().filter(|event| event.is_step());
    assert_eq!(steps.filter(|event| event.object() == stayed).count(), 1);
    let mut there = place.names();
    there.insert("Lease/kubefarm-farm".to_owned());
    assert_eq!(there, objects);
    place.assert_is_as(MORE);
}

#[test]
fn a_record_deleted_meanwhile_is_written_anew() {
    let Some(cluster) = cluster() else {
        return;
    };
    let place = Place::new(cluster, "no-record");
    let running = held(&place, |event| event.0["stage"] == "wave");
    let record = "configmap/kubefarm-farm";
    place.kubectl(&["delete", record]).success();
    running.signal("CONT");
    running.finish().0.success();
    place.kubectl(&["get", record]).success();
    place.assert_is_as(MORE);
}

#[test]
fn what_came_in_the_place_of_a_stale_object_is_not_pruned() {
    let Some(cluster) = cluster() else {
        return;
    };
    let place = Place::new(cluster, "replaced-behind");
    place.apply(WHOLE).success();
    let names = place.names();
    let role = names.iter().find_map(|name| name.strip_prefix("Role/"));
    let role = role.expect("a Role, of those that go last");
    let mut running = place.start(SMALL);
    running.until(|event| event.stage() == Some("prune"));
    running.signal("STOP");
    place.kubectl(&["delete", "role", role]).success();
    let theirs = ["create", "role", role, "--verb=get", "--resource=pods"];
    place.kubectl(&theirs).success();
    running.signal("CONT");
    assert_failed(&running.finish().0, &[&format!("/{role}: ")]);
    place.apply(SMALL).success();
    place.kubectl(&["get", "role", role]).success();
}

#[test]
fn what_came_in_the_place_of_a_deleted_object_is_not_waited_for() {
    let Some(cluster) = cluster() else {
        return;
    };
    let place = Place::new(cluster, "recreated");
    let file = cluster.folder().join(&place.namespace);
    let held = "extraObjects: {held: {apiVersion: v1, kind: ConfigMap, \
                metadata: {name: held, finalizers: [example.org/hold]}}}\n";
    std::fs::write(&file, held).expect("written");
    place
        .apply(&format!("{SMALL} -f {}", file.display()))
        .success();
    let mut running = place.start_delete();
    running.until(|event| event.0["event"] == "note");
    running.signal("STOP");
    let patch = r#"{"metadata":{"finalizers":null}}"#;
    place
        .kubectl(&["patch", "configmap", "held", "--type=merge", "-p", patch])
        .success();
    place.kubectl(&["create", "configmap", "held"]).success();
    running.signal("CONT");
    running.finish().0.success();
    place.kubectl(&["get", "configmap", "held"]).success();
}

#[test]
fn what_came_in_the_place_of_an_object_is_not_replaced() {
    let Some(cluster) = cluster() else {
        return;
    };
    let place = Place::new(cluster, "replaced-twice");
    let file = cluster.folder().join(&place.namespace);
    let write = |text: &str| {
        let fixed = format!(
            "extraObjects: {{fixed: {{apiVersion: v1, kind: ConfigMap, metadata: {{name: fixed}}, \
             immutable: true, data: {{a: {text}}}}}}}\n"
        );
        std::fs::write(&file, fixed).expect("written");
    };
    write("old");
    let values = format!("{WHOLE} -f {}", file.display());
    place.apply(&values).success();
    write("new");
    let mut running = place.start(&format!("{values} --replace"));
    // Most of the others are still to be checked.
    running.until(|event| event.is("checked") && event.object() == "ConfigMap/fixed");
    running.signal("STOP");
    place.kubectl(&["delete", "configmap", "fixed"]).success();
    let theirs = ["create", "configmap", "fixed", "--from-literal=a=theirs"];
    place.kubectl(&theirs).success();
    running.signal("CONT");
    assert_failed(&running.finish().0, &["/fixed: ", "\nnot done: "]);
    let text = ["get", "configmap", "fixed", "--output=jsonpath={.data.a}"];
    assert_eq!(place.kubectl(&text).success(), "theirs");
}

#[test]
fn what_changed_meanwhile_is_taken_over_from_helm_as_it_is() {
    let Some(cluster) = cluster() else {
        return;
    };
    let place = Place::new(cluster, "adopted-behind");
    let theirs = r#"{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "mine", "annotations":
        {"meta.helm.sh/release-name": "old"}}, "data": {"a": "b"}}"#;
    let namespace = format!("--namespace={}", place.namespace);
    let create = [
        "apply",
        "--server-side",
        "--field-manager=helm",
        "-f",
        "-",
        &namespace,
    ];
    cluster.kubectl_with_stdin(&create, theirs).success();
    let ours = r#"extraObjects={"mine":{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"mine"},"data":{"a":"c"}}}"#;
    let mut running = place.start(&format!("{SMALL} --adopt --set-json {ours}"));
    running.until(|event| event.is("checked") && event.object() == "ConfigMap/mine");
    running.signal("STOP");
    place
        .kubectl(&["annotate", "configmap/mine", "else=x"])
        .success();
    running.signal("CONT");
    running.finish().0.success();
    let whole = [
        "get",
        "configmap/mine",
        "--show-managed-fields",
        "-o",
        "json",
    ];
    let mine = place.kubectl(&whole).success();
    for part in [r#""a": "c""#, r#""else": "x""#] {
        assert!(mine.contains(part), "{part}: {mine}");
    }
    assert!(!mine.contains(r#""manager": "helm""#), "{mine}");
}
