//! What users bring into the child cluster.

use std::time::Duration;

use serde_json::{Value, json};

use crate::e2e::Seen;
use crate::e2e::release::Release;

/// The size of one of the objects, of which no two go into one Secret.
const SIZE: usize = 600 * 1024;

/// More manifests than a Secret holds: one file with a large object, one with two that has to be cut, and then none.
pub fn large(release: &mut Release) -> Seen {
    let object = |name: &str| {
        json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": name, "namespace": "default"},
            "data": {"text": "x".repeat(SIZE)},
        })
    };
    let manifests = json!({
        "one.yaml": object("large-1"),
        "two.yaml": [object("large-2"), object("large-3")],
    });
    let took = apply_with(release, &manifests);
    let names = ["large-1", "large-2", "large-3"];
    for name in names {
        let text = &release.child_get(&["configmap", name])["data"]["text"];
        assert_eq!(text.as_str().map(str::len), Some(SIZE), "{name}");
    }
    let held = secrets(release);
    assert_eq!(held.len(), 3, "{held:?}");

    apply_with(release, &json!({}));
    for name in names {
        let found = release.child(&["get", "configmap", name, "--ignore-not-found"]);
        assert_eq!(found.success(), "", "{name} is still there");
    }
    assert_eq!(secrets(release), Vec::<String>::new());
    format!(
        "{} Secrets, {:.0} s; taken out again",
        held.len(),
        took.as_secs_f64()
    )
}

/// Applies once with these and no other manifests.
#[track_caller]
fn apply_with(release: &mut Release, manifests: &Value) -> Duration {
    let values = json!({"kubernetes": {"extraManifests": manifests}});
    let file = release.cluster.scratch().join("extra-manifests.yaml");
    std::fs::write(&file, values.to_string()).expect("written");
    let before = release.values.clone();
    release.add_values(&["-f", &file.display().to_string()]);
    let took = release.apply();
    release.values = before;
    took
}

/// The names of the Secrets that hold them.
fn secrets(release: &Release) -> Vec<String> {
    let prefix = release.object("extra-manifests");
    let list = release.get(&["secrets"]);
    let secrets = list["items"].as_array().expect("a List").iter();
    secrets
        .filter_map(|secret| secret["metadata"]["name"].as_str())
        .filter(|name| name.starts_with(&prefix))
        .map(str::to_owned)
        .collect()
}
