//! The computed keys of any component, which follow from those of its pods.

use serde::Serialize;
use serde_json::{Value, json};

use super::spec::{
    Component, Fragment, Image, PodKeys, PullPolicy, PullSecret, Spread, SpreadConstraint,
    null_if_empty,
};

/// The computed keys of any component. Templates read them beside the component's own keys.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Workload {
    /// The object's name, and its `app` label.
    pub name: String,
    #[serde(flatten)]
    pub image: ImageReference,
    /// The user's affinity and the rule that keeps the component's pods apart.
    #[serde(serialize_with = "null_if_empty")]
    pub affinity: Fragment,
    #[serde(serialize_with = "null_if_empty")]
    pub topology_spread_constraints: Vec<SpreadConstraint>,
}

/// An image as a pod refers to it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageReference {
    pub image: String,
    pub image_pull_policy: Option<PullPolicy>,
    #[serde(serialize_with = "null_if_empty")]
    pub image_pull_secrets: Vec<Value>,
}

impl ImageReference {
    /// The image, with `default_tag` if it has neither tag nor digest.
    pub fn new(image: &Image, default_tag: &str) -> ImageReference {
        let reference = match (&image.digest, &image.tag) {
            (Some(digest), _) => format!("{}@{digest}", image.repository),
            (None, Some(tag)) => format!("{}:{tag}", image.repository),
            (None, None) => format!("{}:{default_tag}", image.repository),
        };
        ImageReference {
            image: reference,
            image_pull_policy: image.pull_policy,
            image_pull_secrets: pull_secrets(image).collect(),
        }
    }
}

/// The Secrets with registry credentials, as a pod refers to them.
pub fn pull_secrets(image: &Image) -> impl Iterator<Item = Value> {
    image.pull_secrets.iter().map(|secret| match secret {
        PullSecret::Name(name) | PullSecret::Reference { name } => json!({"name": name}),
    })
}

impl Workload {
    /// A component named `name`, with `default_tag` for its image.
    pub fn new(component: &impl Component, name: String, default_tag: &str) -> Workload {
        let keys = component.keys();
        let (spread, topology_key) = component.spread();
        let rule = "podAntiAffinity";
        Workload {
            image: ImageReference::new(component.image(), default_tag),
            affinity: with_pod_rule(keys.affinity, rule, spread, topology_key, &name),
            topology_spread_constraints: spread_constraints(keys, ("app", &name)),
            name,
        }
    }
}

/// The user's constraints, which count the pods with this label where they do not say which: without a selector none is
/// counted (`TopologySpreadConstraint` in k8s.io/api/core/v1).
pub fn spread_constraints(keys: PodKeys, (label, value): (&str, &str)) -> Vec<SpreadConstraint> {
    let own = || Fragment::from_iter([("matchLabels".to_owned(), json!({label: value}))]);
    let constraints = keys.topology_spread_constraints.iter();
    let constraints = constraints.map(|constraint| SpreadConstraint {
        label_selector: constraint.label_selector.clone().or_else(|| Some(own())),
        ..constraint.clone()
    });
    constraints.collect()
}

/// Adds to `affinity` the rule that pods keep near to (`podAffinity`) or away from (`podAntiAffinity`) those of `app`.
pub fn with_pod_rule(
    affinity: &Fragment,
    rule: &str,
    spread: Option<Spread>,
    topology_key: Option<&str>,
    app: &str,
) -> Fragment {
    let term = json!({
        "labelSelector": {"matchLabels": {"app": app}},
        "topologyKey": topology_key.unwrap_or("kubernetes.io/hostname"),
    });
    let (list, item) = match spread {
        Some(Spread::Hard) => ("requiredDuringSchedulingIgnoredDuringExecution", term),
        Some(Spread::Soft) => (
            "preferredDuringSchedulingIgnoredDuringExecution",
            json!({"weight": 1, "podAffinityTerm": term}),
        ),
        Some(Spread::None) | None => return affinity.clone(),
    };
    let mut affinity = affinity.clone();
    let rules = affinity.entry(rule).or_insert_with(|| json!({}));
    if let Value::Object(rules) = rules {
        let terms = rules.entry(list).or_insert_with(|| json!([]));
        if let Value::Array(terms) = terms {
            terms.push(item);
        }
    }
    affinity
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_joins_the_users_own() {
        let own = json!({"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "zone"}]}});
        let Value::Object(own) = own else {
            unreachable!()
        };
        let both = with_pod_rule(&own, "podAntiAffinity", Some(Spread::Hard), None, "x");
        let terms = &both["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"];
        assert_eq!(terms.as_array().map(Vec::len), Some(2));
        assert_eq!(terms[1]["labelSelector"]["matchLabels"]["app"], "x");
    }
}
