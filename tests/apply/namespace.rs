//! A namespace that does not exist yet.

use crate::site::{Charts, Site};
use crate::{GENERIC, NEARLY_NOTHING, assert_failed};

/// A site whose namespace is not there.
fn nowhere(name: &str) -> Option<Site> {
    let site = Site::new(name)?;
    let delete = ["delete", "namespace", &site.namespace, "--timeout=60s"];
    site.cluster.kubectl(&delete).success();
    Some(site)
}

fn exists(site: &Site) -> bool {
    let get = ["get", "namespace", &site.namespace, "--ignore-not-found"];
    !site.cluster.kubectl(&get).success().is_empty()
}

#[test]
fn it_is_created_where_one_says_so() {
    let Some(site) = nowhere("later") else {
        return;
    };
    let apply = format!("apply {GENERIC}");
    let refused = site.run(&apply);
    let says = format!(
        "namespace {} does not exist; --create-namespace makes it",
        site.namespace
    );
    assert_failed(&refused, 1, &[&says]);
    assert!(!exists(&site));

    let diff = site.run(&format!("diff --create-namespace {GENERIC}"));
    assert_eq!(diff.code(), 1, "{}", diff.stderr);
    assert!(!exists(&site));

    let created = site.run(&format!("{apply} --create-namespace"));
    assert_eq!(created.code(), 0, "{}", created.stderr);
    assert!(site.has("statefulset/kubefarm-kubernetes-etcd"));
    let before = site.settled_versions();
    site.run(&format!("{apply} --create-namespace")).success();
    assert_eq!(site.versions(), before);
}

#[test]
fn what_is_refused_is_refused_before_it_is_created() {
    let Some(site) = nowhere("never") else {
        return;
    };
    let charts = Charts::new(
        "apiVersion: v1\nkind: Service\nmetadata: {name: bad}\nspec: {ports: [{port: 70000}]}\n",
    );
    let flags = format!("{NEARLY_NOTHING} --create-namespace {}", charts.flag());
    let refused = site.run(&format!("apply {flags}"));
    assert_failed(&refused, 1, &["/bad: ", "70000", "nothing was changed"]);
    assert!(!exists(&site));

    charts.write("apiVersion: v1\nkind: Service\nmetadata: {name: bad}\nspec: {prots: []}\n");
    let refused = site.run(&format!("apply {flags}"));
    assert_failed(&refused, 1, &["/bad: ", "prots", "nothing was changed"]);
    assert!(!exists(&site));
}
