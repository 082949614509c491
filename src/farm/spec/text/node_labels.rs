//! Labels and taints that nodes register with.

use super::labels::{LabelKey, LabelValue};
use super::{Text, written};
use crate::values::Refusal;

written! {
    /// The key of a label that a kubelet sets on its own node.
    NodeLabelKey;
    /// A taint's key, a label key.
    TaintKey;
    /// A taint's value, a label value.
    TaintValue;
}

/// Label keys that a kubelet may set although they are in Kubernetes' own namespaces (k8s.io/kubelet,
/// pkg/apis/well_known_labels.go; KEP-279).
const KUBELET_LABELS: [&str; 12] = [
    "kubernetes.io/hostname",
    "kubernetes.io/os",
    "kubernetes.io/arch",
    "beta.kubernetes.io/instance-type",
    "beta.kubernetes.io/os",
    "beta.kubernetes.io/arch",
    "failure-domain.beta.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/region",
    "topology.kubernetes.io/zone",
    "topology.kubernetes.io/region",
    "node.kubernetes.io/instance-type",
    "node.kubernetes.io/windows-build",
];

impl Text for NodeLabelKey {
    fn pattern() -> String {
        LabelKey::pattern()
    }

    fn parse(text: String) -> Result<Self, Refusal> {
        let LabelKey(key) = LabelKey::parse(text)?;
        if kubelet_may_set(&key) {
            return Ok(NodeLabelKey(key));
        }
        let refusal = Refusal::new(format!(
            "kubelet refuses to set the label `{key}` on its own node"
        ));
        Err(refusal.help("the namespaces kubernetes.io and k8s.io are reserved; use node.kubernetes.io/… or one of your own"))
    }
}

fn kubelet_may_set(key: &str) -> bool {
    let Some((namespace, _)) = key.split_once('/') else {
        return true;
    };
    let within = |parent: &str| {
        namespace == parent
            || namespace
                .strip_suffix(parent)
                .is_some_and(|rest| rest.ends_with('.'))
    };
    let reserved = within("kubernetes.io") || within("k8s.io");
    !reserved
        || within("kubelet.kubernetes.io")
        || within("node.kubernetes.io")
        || KUBELET_LABELS.contains(&key)
}

impl Text for TaintKey {
    const EXAMPLE: &'static str = "example.org/dedicated";

    fn pattern() -> String {
        LabelKey::pattern()
    }

    fn parse(text: String) -> Result<Self, Refusal> {
        match LabelKey::parse(text.clone()) {
            Ok(LabelKey(key)) => Ok(TaintKey(key)),
            Err(refusal) => Err(Refusal {
                message: format!("`{text}` is not a taint key"),
                ..refusal
            }),
        }
    }
}

impl Text for TaintValue {
    const EXAMPLE: &'static str = "storage";
    const SCALARS: &'static [&'static str] = LabelValue::SCALARS;

    fn pattern() -> String {
        LabelValue::pattern()
    }

    fn parse(text: String) -> Result<Self, Refusal> {
        match LabelValue::parse(text.clone()) {
            Ok(LabelValue(value)) => Ok(TaintValue(value)),
            Err(refusal) => Err(Refusal {
                message: format!("`{text}` is not a taint value"),
                ..refusal
            }),
        }
    }
}
