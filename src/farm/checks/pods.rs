//! The keys that the pods of all components have: what Kubernetes would refuse (pkg/apis/core/validation).

use serde_json::Value;

use crate::farm::findings::Findings;
use crate::farm::spec::{
    Fragment, Image, ImageDigest, SpreadConstraint, Unsatisfiable, Values, scalar_text,
};
use crate::farm::syntax::{is_dns_name, is_image_tag, is_label_key, quantity};
use crate::values::{Path, Problem};

/// Checks image, resources, placement and environment of every component that runs.
pub fn check(values: &Values, findings: &mut Findings) {
    for (path, component) in values.components() {
        let path = Path::from(path);
        let keys = component.keys();
        if !component.is_enabled() {
            continue;
        }
        image(component.image(), &path.join("image"), findings);
        resources(keys.resources, &path.join("resources"), findings);
        tolerations(keys.tolerations, &path.join("tolerations"), findings);
        if let Some(class) = keys
            .priority_class_name
            .as_ref()
            .filter(|class| !is_name(class))
        {
            findings.error(
                &path.join("priorityClassName"),
                format!("`{class}` is not the name of a PriorityClass: {NAME}"),
            );
        }
        for (index, constraint) in keys.topology_spread_constraints.iter().enumerate() {
            let path = path.join("topologySpreadConstraints").join(index);
            spread_constraint(constraint, &path, findings);
        }
        for (index, variable) in keys.extra_env.iter().enumerate() {
            let path = path.join("extraEnv").join(index);
            known_keys(variable, &VARIABLE, &path, findings);
            if !variable.contains_key("name") {
                findings.error(&path, "an environment variable needs a `name`");
            }
            if let Some(Value::Number(_) | Value::Bool(_)) = variable.get("value") {
                let problem = Problem::error("Kubernetes accepts only text here");
                findings.record(&path.join("value"), problem.help("quote it"));
            }
        }
    }
}

/// The keys of a Toleration.
const TOLERATION: [&str; 5] = ["key", "operator", "value", "effect", "tolerationSeconds"];
/// The keys of an EnvVar.
const VARIABLE: [&str; 3] = ["name", "value", "valueFrom"];
/// The keys of ResourceRequirements.
const RESOURCES: [&str; 3] = ["requests", "limits", "claims"];
/// The resources of a container; all others have a domain as a prefix, or are `hugepages-SIZE`.
const STANDARD: [&str; 3] = ["cpu", "memory", "ephemeral-storage"];

/// Records every key that Kubernetes does not have in such an object.
pub fn known_keys(map: &Fragment, known: &[&str], path: &Path, findings: &mut Findings) {
    for key in map.keys().filter(|key| !known.contains(&key.as_str())) {
        let problem = Problem::error(format!("Kubernetes has no key `{key}` here"));
        let help = format!("one of {}", known.join(", "));
        let problem = problem.help_nearest(key, known, &help);
        findings.record_key(&path.join(key.as_str()), problem);
    }
}

/// The characters of object names (RFC 1123, as Kubernetes reads it).
const NAME: &str = "lower-case letters, digits, `-` and `.`";

fn is_name(text: &str) -> bool {
    is_dns_name(text) && !text.bytes().any(|byte| byte.is_ascii_uppercase())
}

/// What validateTopologySpreadConstraints refuses and the types allow.
fn spread_constraint(constraint: &SpreadConstraint, path: &Path, findings: &mut Findings) {
    let key = &constraint.topology_key;
    if !is_label_key(key) {
        findings.error(
            &path.join("topologyKey"),
            format!("`{key}` is not a label of nodes"),
        );
    }
    if constraint.max_skew == 0 {
        findings.error(&path.join("maxSkew"), "has to be at least 1");
    }
    let is_soft = constraint.when_unsatisfiable == Unsatisfiable::ScheduleAnyway;
    match constraint.min_domains {
        Some(0) => findings.error(&path.join("minDomains"), "has to be at least 1"),
        Some(_) if is_soft => findings.error(
            &path.join("minDomains"),
            "can only be set with whenUnsatisfiable: DoNotSchedule",
        ),
        _ => {}
    }
}

fn tolerations(tolerations: &[Fragment], path: &Path, findings: &mut Findings) {
    for (index, toleration) in tolerations.iter().enumerate() {
        let path = path.join(index);
        known_keys(toleration, &TOLERATION, &path, findings);
        words(toleration, &path, findings);
    }
}

/// The keys of a toleration with a fixed set of values.
fn words(toleration: &Fragment, path: &Path, findings: &mut Findings) {
    for (key, known) in [
        ("operator", &["Exists", "Equal", "Lt", "Gt"][..]),
        ("effect", &["NoSchedule", "PreferNoSchedule", "NoExecute"]),
    ] {
        let word = toleration.get(key).and_then(Value::as_str);
        if let Some(word) = word.filter(|word| !word.is_empty() && !known.contains(word)) {
            let problem = Problem::error(format!("`{word}` is not an {key} of a toleration"));
            let help = format!("one of {}", known.join(", "));
            findings.record(&path.join(key), problem.help_nearest(word, known, &help));
        }
    }
}

fn image(image: &Image, path: &Path, findings: &mut Findings) {
    if let Some(refusal) = image.repository.refusal() {
        findings.refusal(&path.join("repository"), refusal);
    }
    let tag = image.tag.as_deref().filter(|tag| !tag.is_empty());
    if let Some(tag) = tag.filter(|tag| !is_image_tag(tag)) {
        findings.error(
            &path.join("tag"),
            format!(
                "`{tag}` is not a tag of an image: at most 128 letters, digits, `_`, `.` and `-`"
            ),
        );
    }
    if let Some(refusal) = image.digest.as_ref().and_then(ImageDigest::refusal) {
        findings.refusal(&path.join("digest"), refusal);
    }
}

fn resources(resources: &Fragment, path: &Path, findings: &mut Findings) {
    known_keys(resources, &RESOURCES, path, findings);
    for kind in ["requests", "limits"] {
        let asked = resources.get(kind).and_then(Value::as_object);
        for (name, amount) in asked.into_iter().flatten() {
            let path = path.join(kind).join(name.as_str());
            let is_known = STANDARD.contains(&name.as_str()) || name.starts_with("hugepages-");
            if !is_known && !name.contains('/') {
                let problem = Problem::error(format!("Kubernetes has no resource `{name}`"));
                let help =
                    "one of cpu, memory, ephemeral-storage, or one with a domain: example.org/gpu";
                findings.record_key(&path, problem.help_nearest(name, &STANDARD, help));
            }
            let amount = scalar_text(amount);
            if let Some(amount) = amount.filter(|amount| quantity(amount).is_none()) {
                findings.error(&path, format!("`{amount}` is not a quantity"));
            }
        }
    }
    let amount = |kind: &str, name: &str| quantity(&scalar_text(resources.get(kind)?.get(name)?)?);
    let requests = resources.get("requests").and_then(Value::as_object);
    for name in requests.into_iter().flat_map(serde_json::Map::keys) {
        let both = amount("requests", name).zip(amount("limits", name));
        if both.is_some_and(|(request, limit)| request > limit) {
            findings.error(
                &path.join("requests").join(name.as_str()),
                format!("asks for more {name} than `limits` allows"),
            );
        }
    }
}
