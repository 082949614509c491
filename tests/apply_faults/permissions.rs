//! An error reports missing rights of a user before anything changes.

use serde_json::{Value, json};

use super::place::{KINDS, Place, SMALL, WHOLE};
use super::{assert_failed, cluster};

const ALL: [&str; 8] = [
    "get", "list", "watch", "create", "update", "patch", "delete", "bind",
];

/// A kubeconfig of a user who may do everything in the namespace but `forbidden` to one kind.
pub fn user_without(place: &Place, kind: &str, forbidden: &[&str]) -> std::path::PathBuf {
    let user = format!("user-of-{}", place.namespace);
    let rules = KINDS.iter().map(|name| {
        let (plural, group) = name.split_once('.').unwrap_or((name, ""));
        let all = ALL.iter().chain(&["escalate"]);
        let verbs = all.filter(|verb| plural != kind || !forbidden.contains(verb));
        let verbs: Vec<&&str> = verbs.collect();
        json!({ "apiGroups": [group], "resources": [plural], "verbs": verbs })
    });
    let role = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
        "metadata": { "name": "tester", "namespace": place.namespace },
        "rules": rules.collect::<Vec<Value>>(),
    });
    let create = ["create", "--filename=-"];
    let created = place.cluster.kubectl_with_stdin(&create, &role.to_string());
    created.success();
    let for_user = format!("--user={user}");
    let bind = [
        "create",
        "rolebinding",
        "tester",
        "--role=tester",
        &for_user,
    ];
    place.kubectl(&bind).success();
    let kubeconfig = place.cluster.user_kubeconfig(&user, &[]);
    let of = format!("--namespace={}", place.namespace);
    let probe = ["get", "leases", &of];
    place.cluster.wait_until("the role is in force", || {
        place
            .cluster
            .kubectl_as(&kubeconfig, &probe)
            .status
            .success()
    });
    kubeconfig
}

/// A first apply of the whole farm without a permission.
#[track_caller]
fn assert_first_apply_fails(kind: &str, forbidden: &[&str], named: &str) {
    let Some(cluster) = cluster() else {
        return;
    };
    let place = Place::new(cluster, &format!("no-{}", forbidden[0]));
    let kubeconfig = user_without(&place, kind, forbidden);
    let (finished, _) = place.start_as(kubeconfig, WHOLE).finish();
    let user = format!("user-of-{}", place.namespace);
    let verb = forbidden[0];
    let parts = [named, kind, verb, &user, "nothing was changed"];
    assert_failed(&finished, &parts);
    let changes = place.changes();
    assert!(changes.is_empty(), "{changes:?}");
}

#[test]
fn who_may_not_create_a_kind_is_told_first() {
    assert_first_apply_fails("services", &["create"], "Service ");
}

#[test]
fn who_may_not_patch_a_kind_is_told_first() {
    assert_first_apply_fails("cronjobs", &["patch"], "CronJob ");
}

#[test]
fn who_may_not_take_the_lease_is_told_first() {
    assert_first_apply_fails("leases", &["create"], "leases.coordination.k8s.io");
}

#[test]
fn who_may_not_look_at_a_kind_is_told_before_it_is_changed() {
    // What comes out as it was listed needs no second look; these come out changed.
    let changed = format!("{WHOLE} --set ltsp.service.annotations.team=boot");
    assert_later_apply_fails("services", "get", &changed, "Service ");
}

#[test]
fn who_may_not_list_a_kind_is_told_before_anything_is_pruned() {
    assert_later_apply_fails("issuers", "list", SMALL, "issuers.cert-manager.io");
}

#[test]
fn who_may_not_delete_what_would_be_pruned_is_told_first() {
    assert_later_apply_fails("deployments", "delete", SMALL, "Deployment ");
}

/// Where it is, nobody asks for it to be created.
#[test]
fn who_may_not_look_at_namespaces_may_ask_for_one() {
    let Some(cluster) = cluster() else {
        return;
    };
    let place = Place::new(cluster, "no-namespaces");
    let kubeconfig = user_without(&place, "none", &[]);
    let values = format!("{SMALL} --create-namespace");
    let (finished, _) = place.start_as(kubeconfig, &values).finish();
    assert_eq!(finished.code(), 0, "{}", finished.stderr);
}

#[test]
fn who_may_not_delete_what_is_kept_need_not() {
    let Some(cluster) = cluster() else {
        return;
    };
    let place = Place::new(cluster, "no-need");
    let with_volume = format!("{WHOLE} --set kubernetes.etcd.backup.enabled=true");
    place.apply(&with_volume).success();
    let kubeconfig = user_without(&place, "persistentvolumeclaims", &["delete"]);
    let (finished, events) = place.start_as(kubeconfig, SMALL).finish();
    assert_eq!(finished.code(), 0, "{}", finished.stderr);
    let kept = events.iter().filter(|event| event.is("kept"));
    let mut claims = kept.filter(|event| event.object().starts_with("PersistentVolumeClaim/"));
    assert!(claims.next().is_some(), "{events:?}");
}

/// An apply over a whole farm of another user's, without a permission.
#[track_caller]
fn assert_later_apply_fails(kind: &str, verb: &str, values: &str, named: &str) {
    let Some(cluster) = cluster() else {
        return;
    };
    let place = Place::new(cluster, &format!("no-{verb}"));
    place.apply(WHOLE).success();
    let kubeconfig = user_without(&place, kind, &[verb]);
    let before = place.changes().len();
    let (finished, _) = place.start_as(kubeconfig, values).finish();
    let user = format!("user-of-{}", place.namespace);
    let parts = [named, kind, verb, &user, "nothing was changed"];
    assert_failed(&finished, &parts);
    assert_eq!(place.changes().len(), before);
}
