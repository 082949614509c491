//! Whatever a release and a namespace are called, they are refused or all names that come of them are ones that
//! Kubernetes takes.

use kubefarm::manifest::Manifest;
use kubefarm::render::RenderError;
use proptest::prelude::*;
use serde_json::Value;

use crate::properties::{config, everything, manifest, nodes};

/// The longest name, by kind: a Service's and a Job's go into labels, a CronJob gives its Jobs 11 characters more,
/// and a StatefulSet's or Deployment's is a label of its pods (Kubernetes, "Object Names and IDs").
fn longest_name(kind: &str) -> usize {
    match kind {
        "CronJob" | "StatefulSet" => 52,
        "Service" | "Job" | "Deployment" | "DaemonSet" | "Namespace" => 63,
        _ => 253,
    }
}

fn is_dns_label(text: &str) -> bool {
    let plain = text
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    (1..=63).contains(&text.len()) && plain && !text.starts_with('-') && !text.ends_with('-')
}

fn is_label_value(text: &str) -> bool {
    let plain = text
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    let edge = |byte: Option<u8>| byte.is_none_or(|byte| byte.is_ascii_alphanumeric());
    text.len() <= 63 && plain && edge(text.bytes().next()) && edge(text.bytes().last())
}

fn check_names(manifest: Manifest) -> Result<(), TestCaseError> {
    for object in manifest.objects() {
        let (name, kind) = (object.name(), object.kind());
        prop_assert!(name.len() <= longest_name(kind), "{kind} {name}");
        // Names of roles only have to fit into a path
        // (https://kubernetes.io/docs/reference/access-authn-authz/rbac/#role-and-clusterrole).
        let valid = match kind {
            "ClusterRole" | "ClusterRoleBinding" => !name.contains(['/', '%']),
            "CustomResourceDefinition" => name.split('.').all(is_dns_label),
            _ => is_dns_label(name),
        };
        prop_assert!(valid, "{kind} {name:?}");
        prop_assert!(
            kind != "Service" || name.starts_with(|c: char| c.is_ascii_lowercase()),
            "{name}"
        );
        prop_assert!(
            object.namespace().is_none_or(is_dns_label),
            "{:?}",
            object.namespace()
        );
    }
    let objects: Vec<Value> = manifest
        .into_objects()
        .into_iter()
        .map(|object| object.content.into())
        .collect();
    check_labels(&Value::Array(objects))
}

fn check_labels(value: &Value) -> Result<(), TestCaseError> {
    for (key, value) in value.as_object().into_iter().flatten() {
        let is_labels = ["labels", "matchLabels"].contains(&key.as_str());
        for (label, text) in value
            .as_object()
            .into_iter()
            .flatten()
            .filter(|_| is_labels)
        {
            let fine = text.as_str().is_none_or(is_label_value);
            prop_assert!(fine, "{label}: {text}");
        }
        check_labels(value)?;
    }
    value
        .as_array()
        .into_iter()
        .flatten()
        .try_for_each(check_labels)
}

/// A name as people write it, or too long, or no name at all.
fn any_name() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-z]([-a-z0-9]{0,30}[a-z0-9])?",
        2 => "[a-z][a-z0-9]{25,60}",
        1 => "[-a-zA-Z0-9_. \n]{0,12}",
        1 => Just("kubernetes".to_owned()),
    ]
}

proptest! {
    #![proptest_config(config(40))]

    #[test]
    fn names_are_refused_or_ones_that_kubernetes_takes(name in any_name(), namespace in any_name()) {
        match manifest(&[everything(), nodes(0..1)], &name, &namespace) {
            Ok(manifest) => check_names(manifest)?,
            Err(RenderError::Values(problems)) => prop_assert!(!problems.is_empty()),
            Err(other) => prop_assert!(false, "{name:?} {namespace:?}: {other}"),
        }
    }
}
