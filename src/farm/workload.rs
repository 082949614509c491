//! What templates need to know of any component: its pods' keys, with the rules between them worked out.

use serde::Serialize;
use serde_json::{Value, json};

use super::spec::{
    Component, Fragment, Image, PodKeys, PullPolicy, PullSecret, Spread, SpreadConstraint, TextMap,
};

/// A component as the templates see it. What is unset or empty is `null` there, and so left out.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Workload {
    pub enabled: bool,
    /// The object's name, and its `app` label.
    pub name: String,
    #[serde(flatten)]
    pub image: ImageReference,
    /// `None` where somebody else decides.
    pub replicas: Option<u32>,
    pub resources: Option<Fragment>,
    pub labels: Option<TextMap>,
    pub annotations: Option<TextMap>,
    pub pod_labels: Option<TextMap>,
    pub pod_annotations: Option<TextMap>,
    pub node_selector: Option<TextMap>,
    pub tolerations: Option<Vec<Fragment>>,
    /// The user's affinity and the rule that keeps the component's pods apart.
    pub affinity: Option<Fragment>,
    pub priority_class_name: Option<String>,
    pub topology_spread_constraints: Option<Vec<SpreadConstraint>>,
    pub extra_env: Vec<Fragment>,
    pub sidecars: Vec<Fragment>,
    pub extra_volumes: Vec<Fragment>,
    pub extra_volume_mounts: Vec<Fragment>,
}

/// An image as a pod names it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageReference {
    pub image: String,
    pub image_pull_policy: Option<PullPolicy>,
    pub image_pull_secrets: Option<Vec<Value>>,
}

impl ImageReference {
    /// The image, with `default_tag` where it has neither tag nor digest.
    pub fn new(image: &Image, default_tag: &str) -> ImageReference {
        let reference = match (&image.digest, &image.tag) {
            (Some(digest), _) => format!("{}@{digest}", image.repository),
            (None, Some(tag)) => format!("{}:{tag}", image.repository),
            (None, None) => format!("{}:{default_tag}", image.repository),
        };
        let secrets = image.pull_secrets.iter().map(|secret| match secret {
            PullSecret::Name(name) | PullSecret::Reference { name } => json!({"name": name}),
        });
        ImageReference {
            image: reference,
            image_pull_policy: image.pull_policy,
            image_pull_secrets: some_list(&secrets.collect::<Vec<_>>()),
        }
    }
}

impl Workload {
    /// A component named `name`, with `default_tag` for its image.
    pub fn new(component: &impl Component, name: String, default_tag: &str) -> Workload {
        let keys = component.keys();
        Workload {
            enabled: keys.enabled,
            image: ImageReference::new(keys.image, default_tag),
            replicas: keys.replicas,
            resources: some_fragment(keys.resources),
            labels: some_text(keys.labels),
            annotations: some_text(keys.annotations),
            pod_labels: some_text(keys.pod_labels),
            pod_annotations: some_text(keys.pod_annotations),
            node_selector: some_text(keys.node_selector),
            tolerations: some_list(keys.tolerations),
            affinity: some_fragment(&apart(&keys, &name)),
            priority_class_name: keys.priority_class.map(str::to_owned),
            topology_spread_constraints: spread_constraints(keys.spread_constraints, &name),
            extra_env: keys.extra_env.to_vec(),
            sidecars: keys.sidecars.to_vec(),
            extra_volumes: keys.extra_volumes.to_vec(),
            extra_volume_mounts: keys.extra_volume_mounts.to_vec(),
            name,
        }
    }
}

/// The user's constraints, which count the pods of `app` where they do not say which: without a selector none is counted
/// (`TopologySpreadConstraint` in k8s.io/api/core/v1).
pub fn spread_constraints(
    constraints: &[SpreadConstraint],
    app: &str,
) -> Option<Vec<SpreadConstraint>> {
    let own = || json!({"app": app});
    let constraints = constraints.iter().map(|constraint| SpreadConstraint {
        label_selector: constraint
            .label_selector
            .clone()
            .or_else(|| Some(Fragment::from_iter([("matchLabels".to_owned(), own())]))),
        ..constraint.clone()
    });
    some_list(&constraints.collect::<Vec<_>>())
}

fn apart(keys: &PodKeys, app: &str) -> Fragment {
    with_pod_rule(
        keys.affinity,
        "podAntiAffinity",
        keys.anti_affinity,
        keys.topology_key,
        app,
    )
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

/// `None` for an empty map.
pub fn some_text(map: &TextMap) -> Option<TextMap> {
    (!map.is_empty()).then(|| map.clone())
}

/// `None` for an empty object.
pub fn some_fragment(map: &Fragment) -> Option<Fragment> {
    (!map.is_empty()).then(|| map.clone())
}

/// `None` for an empty list.
pub fn some_list<T: Clone>(list: &[T]) -> Option<Vec<T>> {
    (!list.is_empty()).then(|| list.to_vec())
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
