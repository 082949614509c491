//! `render -o json` and `--show-only`.

use serde_json::Value;

use crate::cli::assert_refused;
use crate::support::kubefarm;

const LAYERS: [&str; 4] = [
    "-f",
    "examples/generic/values.yaml",
    "-f",
    "examples/advanced_network/values.yaml",
];

fn render(args: &[&str]) -> String {
    kubefarm(["render"].iter().chain(&LAYERS).chain(args)).success()
}

fn documents(stream: &str) -> Vec<Value> {
    let documents = serde_yaml::Deserializer::from_str(stream);
    let documents =
        documents.map(|document| serde::Deserialize::deserialize(document).expect("YAML"));
    documents.collect()
}

fn sources(stream: &str) -> Vec<&str> {
    stream
        .lines()
        .filter_map(|line| line.strip_prefix("# Source: "))
        .collect()
}

#[test]
fn json_holds_what_yaml_holds() {
    let list: Value = serde_json::from_str(&render(&["-o", "json"])).expect("JSON");
    assert_eq!(
        (&list["kind"], &list["apiVersion"]),
        (&"List".into(), &"v1".into())
    );
    let items = list["items"].as_array().expect("items");
    assert_eq!(*items, documents(&render(&[])));
    assert!(items.len() >= 60, "{} objects", items.len());
}

#[test]
fn every_document_names_its_template() {
    let stream = render(&[]);
    assert_eq!(sources(&stream).len(), documents(&stream).len());
    assert_eq!(
        stream.matches("---\n# Source: ").count(),
        documents(&stream).len()
    );
}

#[test]
fn templates_and_objects_can_be_picked() {
    let etcd = render(&["--show-only", "kubernetes/templates/etcd.yaml"]);
    assert!(sources(&etcd).len() >= 3);
    assert!(
        sources(&etcd)
            .iter()
            .all(|source| *source == "kubernetes/templates/etcd.yaml")
    );
    assert_eq!(render(&["--show-only", "templates/etcd.yaml"]), etcd);
    let pattern = render(&["--show-only", "ltsp/templates/*"]);
    assert!(
        sources(&pattern)
            .iter()
            .all(|source| source.starts_with("ltsp/"))
    );
    let one = render(&["--show-only", "Service/kubefarm-kubernetes-apiserver"]);
    assert_eq!(documents(&one).len(), 1);
    assert_eq!(
        documents(&one)[0]["metadata"]["name"],
        "kubefarm-kubernetes-apiserver"
    );
    let secrets = documents(&render(&["--show-only", "ConfigMap/*", "-o", "yaml"]));
    assert!(secrets.len() > 3 && secrets.iter().all(|object| object["kind"] == "ConfigMap"));
}

#[test]
fn several_patterns_keep_the_manifests_order() {
    let forwards = render(&["--show-only", "etcd.yaml", "--show-only", "scheduler.yaml"]);
    let backwards = render(&["--show-only", "scheduler.yaml", "--show-only", "etcd.yaml"]);
    assert_eq!(forwards, backwards);
}

#[test]
fn a_pattern_without_a_match_is_refused_with_the_nearest_name() {
    let finished = kubefarm(["render", "--show-only", "templates/etdc.yaml"]);
    assert_refused(
        &finished,
        &[
            "nothing matches \"templates/etdc.yaml\"",
            "did you mean \"templates/etcd.yaml\"?",
        ],
    );
    let one_of_two = kubefarm([
        "render",
        "--show-only",
        "etcd.yaml",
        "--show-only",
        "Pod/none",
    ]);
    assert_refused(&one_of_two, &["nothing matches \"Pod/none\""]);
}
