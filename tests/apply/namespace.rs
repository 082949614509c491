//! Namespaces that do not exist yet, and one for the boot server.

use crate::apply::site::{Charts, Site};
use crate::apply::{GENERIC, NEARLY_NOTHING, assert_failed};

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

    charts.write(
        "apiVersion: v1\nkind: Secret\nmetadata: {name: bad, labels: {password: \"hunter2 !\"}}\n",
    );
    let refused = site.run(&format!("apply {flags}"));
    assert_failed(&refused, 1, &["/bad: ", "labels", "nothing was changed"]);
    assert!(!refused.stderr.contains("hunter2"), "{}", refused.stderr);
}

/// Without its namespace an object is tried in `default`, and what is there is of no concern.
#[test]
fn what_is_in_the_namespace_default_does_not_matter() {
    let Some(site) = nowhere("elsewhere") else {
        return;
    };
    let name = format!("{}-taken", site.namespace);
    let of_default = |verb: &str| {
        let words = [verb, "configmap", &name, "--namespace=default"];
        site.cluster.kubectl(&words).success();
    };
    of_default("create");
    let charts = Charts::new(&format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\n---\n\
         apiVersion: v1\nkind: Endpoints\nmetadata: {{name: old}}\n"
    ));
    let charts = charts.flag();
    let apply = format!("apply --create-namespace {NEARLY_NOTHING} {charts}");
    let warns = "v1 Endpoints is deprecated";
    // The last one finds the namespace.
    for flag in ["--dry-run=server", "", ""] {
        let applied = site.run(&format!("{apply} {flag}"));
        assert_eq!(applied.code(), 0, "{}", applied.stderr);
        assert!(applied.stderr.contains(warns), "{}", applied.stderr);
    }
    assert!(site.has(&format!("configmap/{name}")));
    of_default("delete");
}

/// The Lease needs it before anything that is rendered.
#[test]
fn one_that_is_rendered_for_the_farm_itself_is_created_first() {
    let Some(site) = nowhere("brought") else {
        return;
    };
    let charts = Charts::new(&format!(
        "apiVersion: v1\nkind: Namespace\nmetadata: {{name: {}}}\n",
        site.namespace
    ));
    let charts = charts.flag();
    let apply = format!("apply --create-namespace {NEARLY_NOTHING} {charts}");
    site.run(&apply).success();
    assert!(site.has("deployment/kubefarm-kubernetes-ltsp"));
}

/// Everything of a namespace for booting that an apply of `generic` has there.
fn boots(site: &Site, namespace: &str) -> String {
    let get = format!(
        "get deployments,services,configmaps,secrets,roles,rolebindings,jobs,dhcphosts,persistentvolumeclaims -o name -n {namespace}"
    );
    let words: Vec<&str> = get.split_whitespace().collect();
    let names = site.cluster.kubectl(&words).success();
    let ours = names
        .lines()
        .filter(|name| name.contains("kubefarm-kubernetes-ltsp"));
    ours.map(|name| format!("{name}\n")).collect()
}

/// The boot server's namespace is wanted before anything is changed, and created where one says so.
#[test]
fn the_boot_servers_namespace_has_to_exist_too() {
    let Some(site) = Site::new("control-plane") else {
        return;
    };
    let boot = format!("{}-boot", site.namespace);
    let apply = format!("apply {GENERIC} --set ltsp.namespace={boot}");
    let refused = site.run(&apply);
    let says = format!("Deployment {boot}/kubefarm-kubernetes-ltsp: its namespace does not exist");
    assert_failed(
        &refused,
        1,
        &[&says, "--create-namespace", "nothing was changed"],
    );
    assert!(!site.has("statefulset/kubefarm-kubernetes-etcd"));

    let created = site.run(&format!("{apply} --create-namespace"));
    assert_eq!(created.code(), 0, "{}", created.stderr);
    assert!(site.has("statefulset/kubefarm-kubernetes-etcd"));
    assert!(!site.has("deployment/kubefarm-kubernetes-ltsp"));
    assert!(boots(&site, &boot).contains("deployment.apps/kubefarm-kubernetes-ltsp\n"));
    let again = site.run(&format!("diff {GENERIC} --set ltsp.namespace={boot}"));
    assert_eq!(again.code(), 0, "{}{}", again.stdout, again.stderr);
    let status = site.run("status kubefarm");
    assert!(
        status
            .stdout
            .contains(&format!("{boot}/kubefarm-kubernetes-ltsp")),
        "{}",
        status.stdout
    );

    let deleted = site.run("delete kubefarm");
    assert_eq!(deleted.code(), 0, "{}", deleted.stderr);
    site.cluster
        .wait_until("everything is gone", || boots(&site, &boot).is_empty());
}

/// With another value everything moves; leases are data, and stay where they were.
#[test]
fn a_boot_server_moves() {
    let Some(site) = Site::new("moves") else {
        return;
    };
    let boot = format!("{}-boot", site.namespace);
    let apply = format!("apply --create-namespace {GENERIC} -f builtin:standalone-dhcp");
    site.run(&apply).success();
    assert!(
        boots(&site, &site.namespace).contains("deployment.apps/kubefarm-kubernetes-ltsp-dhcp\n")
    );
    site.run(&format!("{apply} --set ltsp.namespace={boot}"))
        .success();
    let moved = boots(&site, &boot);
    assert!(
        moved.contains("deployment.apps/kubefarm-kubernetes-ltsp\n"),
        "{moved}"
    );
    let claim = "persistentvolumeclaim/kubefarm-kubernetes-ltsp-dhcp\n";
    assert!(moved.contains(claim), "{moved}");
    site.cluster.wait_until("the rest has gone", || {
        let left = boots(&site, &site.namespace);
        left.lines().all(|name| format!("{name}\n") == claim)
    });
    assert!(boots(&site, &site.namespace).contains(claim));

    let deleted = site.run("delete kubefarm");
    assert_eq!(deleted.code(), 0, "{}", deleted.stderr);
    site.cluster
        .wait_until("the boot server has gone", || boots(&site, &boot) == claim);
    let purged = site.run("delete kubefarm --purge --yes");
    assert_eq!(purged.code(), 0, "{}", purged.stderr);
    site.cluster.wait_until("the leases have gone", || {
        boots(&site, &boot).is_empty() && boots(&site, &site.namespace).is_empty()
    });
}
