//! The volumes that StatefulSets claim. Claims carry no label of the farm's set, so they are known by their names:
//! `<template>-<StatefulSet>-<ordinal>`.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json};

use crate::manifest::Key;

/// Whether a claim of this name is for a pod of the StatefulSet that `prefix` is of: `<template>-<StatefulSet>`.
pub fn is_claim_of(name: &str, prefix: &str) -> bool {
    let ordinal = name
        .strip_prefix(prefix)
        .and_then(|rest| rest.strip_prefix('-'));
    ordinal.is_some_and(|ordinal| {
        !ordinal.is_empty() && ordinal.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// Where the StatefulSets among `objects` claim volumes: `namespace/template-set`.
pub fn claims<'a>(
    objects: impl Iterator<Item = (&'a Key, &'a Map<String, Json>)>,
) -> BTreeSet<String> {
    let mut claims = BTreeSet::new();
    for (key, content) in objects.filter(|(key, _)| key.kind == "StatefulSet") {
        let templates = content
            .get("spec")
            .and_then(|spec| spec.get("volumeClaimTemplates"))
            .and_then(Json::as_array);
        for template in templates.into_iter().flatten() {
            let name = template.get("metadata").and_then(|meta| meta.get("name"));
            if let Some(name) = name.and_then(Json::as_str) {
                claims.insert(format!("{}/{name}-{}", key.namespace, key.name));
            }
        }
    }
    claims
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_claims_of_the_set_itself_are_its_claims() {
        assert!(is_claim_of("data-farm-etcd-0", "data-farm-etcd"));
        assert!(is_claim_of("data-farm-etcd-12", "data-farm-etcd"));
        assert!(!is_claim_of("data-farm-etcd-new-0", "data-farm-etcd"));
        assert!(!is_claim_of("data-farm-etcd-", "data-farm-etcd"));
        assert!(!is_claim_of("data-farm-etcd", "data-farm-etcd"));
    }
}
