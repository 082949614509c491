//! Texts in pods.

use super::{Text, pattern, written};
use crate::farm::syntax::{is_label_key, is_lower_dns_name};
use crate::values::Refusal;

written! {
    /// The name of a PriorityClass.
    PriorityClass;
    /// A label of nodes whose values are compared.
    TopologyKey;
}

impl Text for PriorityClass {
    const EXAMPLE: &'static str = "system-cluster-critical";

    /// RFC 1123, as Kubernetes reads it.
    fn pattern() -> String {
        pattern::lower_dns_name()
    }

    fn parse(text: String) -> Result<Self, Refusal> {
        if is_lower_dns_name(&text) {
            return Ok(PriorityClass(text.into()));
        }
        Err(Refusal::new(format!(
            "`{text}` is not the name of a PriorityClass: lower-case letters, digits, `-` and `.`"
        )))
    }
}

impl Text for TopologyKey {
    const EXAMPLE: &'static str = "topology.kubernetes.io/zone";

    fn pattern() -> String {
        super::LabelKey::pattern()
    }

    fn parse(text: String) -> Result<Self, Refusal> {
        if is_label_key(&text) {
            return Ok(TopologyKey(text.into()));
        }
        Err(Refusal::new(format!("`{text}` is not a label of nodes")))
    }
}
