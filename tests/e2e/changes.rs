//! Values that change: exactly the pods concerned are replaced, one after the other.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Instant;

use serde_json::{Value, json};

use crate::e2e::Seen;
use crate::e2e::nodes::STORAGE;
use crate::e2e::release::Release;
use crate::e2e::writer::Writer;
use crate::support::run;

/// A flag of the API server.
pub fn flag(release: &mut Release) -> Seen {
    let flag = "kubernetes.apiServer.extraArgs.max-requests-inflight=500";
    rolls_the_api_server(release, "flag", flag)
}

/// A further name in the API server's certificate.
pub fn certificate_name(release: &mut Release) -> Seen {
    let name = "added.example.org";
    let value = format!("kubernetes.apiServer.certSANs.dnsNames={{{name}}}");
    let seen = rolls_the_api_server(release, "name", &value);
    let show = format!(
        "openssl s_client -connect {}:6443 </dev/null 2>/dev/null | openssl x509 -noout -ext subjectAltName",
        release.address()
    );
    let mut command = release.cluster.in_network(Path::new("/dev/null"));
    let names = run(command.args(["sh", "-c", &show])).success();
    assert!(names.contains(name), "{names}");
    seen
}

/// A tag's label and taint, on a Node that is there already; what another controller set stays.
pub fn node_settings(release: &mut Release) -> Seen {
    let [name, ..] = STORAGE;
    release
        .child(&["label", "node", name, "example.org/theirs=x"])
        .success();
    let before = pods(release);
    let changed = [
        "--set-json",
        r#"tags.kubernetesLabels.storage={"example.org/disks":"nvme","example.org/row":"7"}"#,
        "--set-json",
        r#"tags.kubernetesTaints.storage=[{"key":"example.org/dedicated","value":"disks","effect":"NoSchedule"}]"#,
    ];
    let values = release.values.clone();
    release.add_values(&changed);
    release.apply();
    let applied = Instant::now();
    wait_for_settings(release, &json!({"example.org/row": "7"}), "disks");
    let took = applied.elapsed().as_secs_f64();
    // No pod is replaced for it, the agent's neither.
    assert_eq!(pods(release), before);
    release.values = values;
    release.apply();
    wait_for_settings(release, &json!({"example.org/rack": "r1"}), "storage");
    format!("followed {took:.1} s after the apply, and back; the label of another stayed")
}

/// Waits until the Node with tags has the label that changes, and its taint has this value.
#[track_caller]
fn wait_for_settings(release: &Release, label: &Value, taint: &str) {
    let [name, ..] = STORAGE;
    let is_changing =
        |key: &&String| ["example.org/rack", "example.org/row"].contains(&key.as_str());
    release
        .cluster
        .wait_until(&format!("{name} has {label}"), || {
            let node = release.child_get(&["node", name]);
            let labels = node["metadata"]["labels"]
                .as_object()
                .cloned()
                .unwrap_or_default();
            let found: Vec<&String> = labels.keys().filter(is_changing).collect();
            let wanted: Vec<&String> = label
                .as_object()
                .into_iter()
                .flat_map(|label| label.keys())
                .collect();
            assert_eq!(labels.get("example.org/theirs"), Some(&json!("x")));
            found == wanted && node["spec"]["taints"][0]["value"] == taint
        });
}

/// Applies one more value while a client writes, and compares the pods.
fn rolls_the_api_server(release: &mut Release, prefix: &'static str, value: &str) -> Seen {
    let before = pods(release);
    let writer = Writer::start(release, prefix);
    release.add_values(&["--set", value]);
    let took = release.apply();
    let written = writer.finish(release);
    let after = pods(release);
    assert_eq!(written.failures, Vec::<String>::new());

    let apps: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let changed: Vec<&str> = apps
        .into_iter()
        .filter(|app| before.get(*app) != after.get(*app))
        .map(String::as_str)
        .collect();
    let concerned = release.object("apiserver");
    assert_eq!(changed, [concerned.as_str()]);
    assert!(
        before[&concerned].is_disjoint(&after[&concerned]),
        "one stayed"
    );
    let (count, took) = (written.count(), took.as_secs_f64());
    format!("no other pod; {count} writes, none failed; {took:.0} s")
}

/// The IDs of the pods of every workload, by its name.
pub fn pods(release: &Release) -> BTreeMap<String, BTreeSet<String>> {
    let mut apps = BTreeMap::<String, BTreeSet<String>>::new();
    for pod in release.pods() {
        let metadata = &pod["metadata"];
        let text = |pointer: &str| metadata.pointer(pointer).and_then(|value| value.as_str());
        // Pods of Jobs come and go.
        if text("/labels/batch.kubernetes.io~1job-name").is_none() {
            let app = text("/labels/app").unwrap_or_default().to_owned();
            apps.entry(app)
                .or_default()
                .insert(text("/uid").unwrap_or_default().to_owned());
        }
    }
    apps
}
