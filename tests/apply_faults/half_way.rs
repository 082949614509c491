//! The cluster refuses in earnest what it accepted in the dry run: the error says how far it came.

use std::collections::BTreeSet;

use serde_json::json;

use super::place::{Place, SMALL, WHOLE};
use super::refused::{REFUSES, enforce};
use super::running::Event;
use super::{assert_failed, cluster};

/// Refuses, but for dry runs, the operations on what an expression holds for. Returns once it does, which it shows by the
/// ConfigMap `probe`.
fn refuse_in_earnest(place: &Place, operation: &str, expression: &str, message: &str) {
    let (subject, verb) = match operation {
        "DELETE" => ("oldObject", "delete"),
        _ => ("object", "create"),
    };
    let probe = format!("{subject}.kind == 'ConfigMap' && {subject}.metadata.name == 'probe'");
    let validations = json!([
        { "expression": format!("!({probe})"), "message": REFUSES },
        {
            "expression": format!("has(request.dryRun) && request.dryRun || !({expression})"),
            "messageExpression": message,
        },
    ]);
    if verb == "delete" {
        place.kubectl(&["create", "configmap", "probe"]).success();
    }
    let probe = [verb, "configmap", "probe"];
    enforce(place, &[operation], &validations, &probe);
}

fn stop_refusing(place: &Place) {
    let policy = "validatingadmissionpolicybinding";
    place
        .kubectl(&["delete", policy, &place.namespace])
        .success();
}

#[test]
fn a_refusal_of_an_object_stops_before_any_other() {
    let Some(cluster) = cluster() else {
        return;
    };
    let place = Place::new(cluster, "half-applied");
    let services = "object.kind == 'Service'";
    refuse_in_earnest(&place, "CREATE", services, &format!("'{REFUSES}'"));
    let (finished, events) = place.start(WHOLE).finish();
    let done: BTreeSet<String> = events
        .iter()
        .filter(|event| event.is_step())
        .map(Event::object)
        .collect();
    let checked = events.iter().filter(|event| event.is("checked")).count();
    let parts = [
        "Service ",
        REFUSES,
        &format!("\ndone: {} objects", done.len()),
        &format!("\nnot done: {} objects", checked - done.len()),
    ];
    assert_failed(&finished, &parts);
    let mut there = place.names();
    assert!(there.remove("ConfigMap/kubefarm-farm"), "the record");
    assert_eq!(there, done, "and no Lease");
    let tried = cluster.audit().into_iter().filter(|request| {
        request.namespace == place.namespace
            && request.resource == "services"
            && request.verb == "patch"
            && !request.uri.contains("dryRun=All")
    });
    assert_eq!(tried.count(), 1);
}

#[test]
fn a_refusal_of_a_secret_does_not_show_its_values() {
    let Some(cluster) = cluster() else {
        return;
    };
    let place = Place::new(cluster, "half-secret");
    let file = place.cluster.folder().join(&place.namespace);
    let secret = "extraObjects: {mine: {apiVersion: v1, kind: Secret, metadata: {name: mine}, \
                  stringData: {password: hunter2}}}\n";
    std::fs::write(&file, secret).expect("written");
    let quotes = format!("'{REFUSES}: ' + string(object.data.password)");
    refuse_in_earnest(&place, "CREATE", "object.kind == 'Secret'", &quotes);
    let finished = place.apply(&format!("{SMALL} -f {}", file.display()));
    assert_failed(&finished, &["Secret ", "/mine: ", "\nnot done: "]);
    for text in ["hunter2", "aHVudGVyMg"] {
        assert!(!finished.stderr.contains(text), "{}", finished.stderr);
    }
}

#[test]
fn a_refusal_of_a_deletion_leaves_what_others_need() {
    let Some(cluster) = cluster() else {
        return;
    };
    let place = Place::new(cluster, "half-deleted");
    place.apply(WHOLE).success();
    let names = place.names();
    let budgets = names
        .iter()
        .filter_map(|name| name.strip_prefix("PodDisruptionBudget/"));
    // The last object of its wave: only the next wave is left to be begun by mistake.
    let budget = budgets.max().expect("a PodDisruptionBudget");
    let expression =
        format!("oldObject.kind == 'PodDisruptionBudget' && oldObject.metadata.name == '{budget}'");
    refuse_in_earnest(&place, "DELETE", &expression, &format!("'{REFUSES}'"));
    let is_needed = |name: &String| {
        let kinds = ["Certificate/", "Issuer/", "ConfigMap/", "Role/"];
        kinds.iter().any(|kind| name.starts_with(kind))
    };
    let needed: Vec<String> = place.names().into_iter().filter(is_needed).collect();
    let (finished, events) = place.start_delete().finish();
    let deleted = events.iter().filter(|event| event.is("deleted")).count();
    let kept = events.iter().filter(|event| event.is("kept")).count();
    let all = events
        .iter()
        .find(|event| event.stage() == Some("delete"))
        .and_then(|event| event.0["count"].as_u64())
        .expect("a number");
    let all = usize::try_from(all).expect("few");
    let parts = [
        "PodDisruptionBudget ",
        REFUSES,
        &format!("\ndone: {deleted} objects"),
        &format!("\nnot done: {} objects", all - kept - deleted),
    ];
    assert_failed(&finished, &parts);
    assert!(deleted > 0);
    let left: Vec<String> = place.names().into_iter().filter(is_needed).collect();
    assert_eq!(left, needed, "they go in later waves");

    stop_refusing(&place);
    cluster.wait_until("the farm can be deleted", || {
        place.start_delete().finish().0.status.success()
    });
    let names = place.names();
    assert!(
        !names.iter().any(|name| name.ends_with(budget)),
        "{names:?}"
    );
}
