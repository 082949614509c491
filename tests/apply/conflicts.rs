//! Fields that other managers own are theirs, until one says otherwise.

use serde_json::json;

use crate::apply::site::Site;
use crate::apply::{GENERIC, assert_failed, done};

const SCHEDULER: &str = "deployment/kubefarm-kubernetes-scheduler";

/// Takes over the scheduler's replicas as another manager.
fn interfere(site: &Site) {
    let theirs = json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": { "name": "kubefarm-kubernetes-scheduler" },
        "spec": { "replicas": 5 },
    });
    let apply = "apply --server-side --field-manager=other --force-conflicts -f -";
    site.kubectl_with(apply, &theirs).success();
}

#[test]
fn a_field_of_another_manager_is_reported_or_taken() {
    let Some(site) = Site::new("conflict") else {
        return;
    };
    site.run(&format!("apply -q {GENERIC}")).success();
    interfere(&site);
    let before = site.settled_versions();

    // Something else would change, too, and must not.
    let changed = format!("apply {GENERIC} --set kubernetes.controllerManager.replicaCount=3");
    let refused = site.run(&changed);
    let object = format!(
        "Deployment {}/kubefarm-kubernetes-scheduler: other field managers own some of its fields\n  \
         .spec.replicas belongs to other\n",
        site.namespace
    );
    let parts = [
        object.as_str(),
        "nothing was changed",
        "help: --force-conflicts",
    ];
    assert_failed(&refused, 1, &parts);
    assert!(!refused.stderr.contains("--adopt"), "{}", refused.stderr);
    assert_eq!(site.versions(), before);

    let taken = site.run(&format!("{changed} --force-conflicts"));
    assert_eq!(taken.code(), 0, "{}", taken.stderr);
    let says = format!(
        "Deployment {}/kubefarm-kubernetes-scheduler: .spec.replicas from other\n",
        site.namespace
    );
    assert!(taken.stderr.contains(&says), "{}", taken.stderr);
    for name in ["scheduler", "controller-manager"] {
        let object = format!("Deployment {}/kubefarm-kubernetes-{name}", site.namespace);
        let line = ("changed", object.as_str());
        assert!(done(&taken).contains(&line), "{}", taken.stderr);
    }
    let scheduler = site.get(SCHEDULER);
    assert_eq!(scheduler["spec"]["replicas"], 2);
    let others = site.get("deployment/kubefarm-kubernetes-controller-manager");
    assert_eq!(others["spec"]["replicas"], 3);
    site.run(&changed).success();
}

#[test]
fn a_field_that_has_the_value_we_want_is_shared() {
    let Some(site) = Site::new("shared") else {
        return;
    };
    site.run(&format!("apply -q {GENERIC}")).success();
    interfere(&site);
    let five = format!("apply {GENERIC} --set kubernetes.scheduler.replicaCount=5");
    let shared = site.run(&five);
    assert_eq!(shared.code(), 0, "{}", shared.stderr);
    let before = site.settled_versions();
    site.run(&five).success();
    assert_eq!(site.versions(), before);
}
