//! The user's further sources of /etc/ltsp: those that the boot server mounts, and those that nodes get when they join.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::farm::spec::{Fragment, JoinMode, Values};

/// A Secret as a source of files (Kubernetes `SecretProjection`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProjectedSecret {
    pub name: String,
    /// It need not be there.
    pub optional: bool,
    /// Which of its files; none: all.
    pub items: Vec<ProjectedFile>,
}

/// A file of a Secret (Kubernetes `KeyToPath`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProjectedFile {
    pub key: String,
    /// Below /etc/ltsp.
    pub path: String,
    pub mode: Option<u32>,
}

/// The Secrets among the sources.
pub fn projected_secrets(sources: &[Fragment]) -> Vec<ProjectedSecret> {
    let secrets = sources.iter().filter_map(|source| source.get("secret"));
    // The checks make sure that they can be read.
    secrets
        .filter_map(|secret| serde_json::from_value(secret.clone()).ok())
        .collect()
}

/// What the boot server mounts: without Secrets where nodes get them when they join. The volume's own mode, 0400, is
/// that of every file without a mode, which nodes get as 0644. So if a user chooses 0400, an equivalent mode is
/// written: only root reads it.
pub(super) fn projected_items(values: &Values) -> Vec<Fragment> {
    let mut sources = values.ltsp.config.extra_projected_items.clone();
    if values.join_mode() == JoinMode::Service {
        sources.retain(|source| !source.contains_key("secret"));
    }
    let kinds = sources.iter_mut().flat_map(|source| source.values_mut());
    let items = kinds.filter_map(|source| source.get_mut("items")?.as_array_mut());
    for mode in items.flatten().filter_map(|item| item.get_mut("mode")) {
        if mode.as_u64() == Some(0o400) {
            *mode = Value::from(0o600);
        }
    }
    sources
}
