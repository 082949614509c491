//! Kinds that come with the farm itself.

use crate::apply::site::{Charts, Site};
use crate::apply::{NEARLY_NOTHING, assert_failed};

/// A definition of the kind `Mark` in version v1.
fn definition(group: &str, plural: &str) -> String {
    format!(
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\n\
         metadata: {{name: {plural}.{group}}}\n\
         spec: {{group: {group}, scope: Namespaced, names: {{kind: Mark, plural: {plural}}}, \
         versions: [{{name: v1, served: true, storage: true, schema: {{openAPIV3Schema: {{type: object}}}}}}]}}\n"
    )
}

/// The kind is new, so that no dry run could find out.
#[test]
fn an_object_in_a_version_that_is_not_served_is_not_passed_over() {
    let Some(site) = Site::new("unserved") else {
        return;
    };
    let group = format!("{}.example.org", site.namespace);
    let object = |version: &str| {
        format!("---\napiVersion: {group}/{version}\nkind: Mark\nmetadata: {{name: mine}}\n")
    };
    let charts = Charts::new(&(definition(&group, "marks") + &object("v2")));
    let apply = format!("apply {NEARLY_NOTHING} {}", charts.flag());
    let says = format!(
        "Mark {}/mine: the cluster does not serve the kind Mark",
        site.namespace
    );
    assert_failed(&site.run(&apply), 1, &[&says, "\nnot done: 1 object"]);

    charts.write(&(definition(&group, "marks") + &object("v1")));
    site.run(&apply).success();
    assert!(site.has(&format!("marks.{group}/mine")));
    site.run("delete kubefarm --purge --yes").success();
}

#[test]
fn a_definition_that_is_not_established_stops_it() {
    let Some(site) = Site::new("unestablished") else {
        return;
    };
    let group = format!("{}.example.org", site.namespace);
    let theirs = site.cluster.folder().join(format!("{group}.yaml"));
    std::fs::write(&theirs, definition(&group, "marks")).expect("written");
    site.kubectl(&format!("apply -f {}", theirs.display()))
        .success();
    site.kubectl(&format!(
        "wait --for=condition=Established crd/marks.{group}"
    ))
    .success();

    // Another one has its kind already.
    let charts = Charts::new(&definition(&group, "signs"));
    let apply = format!("apply {NEARLY_NOTHING} {} --timeout 8s", charts.flag());
    let says = format!("CustomResourceDefinition signs.{group}: ");
    assert_failed(&site.run(&apply), 1, &[&says, "\nnot done: "]);
    assert!(!site.has("deployment/kubefarm-kubernetes-ltsp"));

    site.kubectl(&format!("delete crd marks.{group}")).success();
    site.run(&apply.replace("8s", "60s")).success();
    site.run("delete kubefarm --purge --yes").success();
}

/// One that is to be kept is for every farm, whoever brought it.
#[test]
fn a_definition_for_every_farm_may_belong_to_another_set() {
    let Some(site) = Site::new("shared-definition") else {
        return;
    };
    let group = format!("{}.example.org", site.namespace);
    let kept = definition(&group, "marks").replace(
        "metadata: {",
        "metadata: {annotations: {kubefarm.io/keep: \"true\"}, ",
    );
    let charts = Charts::new(&kept);
    let apply = format!("apply {NEARLY_NOTHING} {}", charts.flag());
    site.run(&apply).success();
    let crd = format!("crd/marks.{group}");
    let set = "applyset.kubernetes.io/part-of";
    site.kubectl(&format!("label {crd} {set}=theirs")).success();
    charts.write(&kept.replace("v1, served", "v1, deprecated: true, served"));
    site.run(&apply).success();
    let crd = site.get(&crd);
    assert_eq!(crd["spec"]["versions"][0]["deprecated"], true);
    assert_eq!(crd["metadata"]["labels"][set], "theirs");
}
