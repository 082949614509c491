//! A patch of what pods read changes every checksum of it in them, so that they are replaced.

use std::collections::BTreeSet;

use super::{FARMS, render};

/// Patches of everything that pods read; the DHCP server's have a checksum of its script alone.
const PATCHES: &str = r#"patches={
    "maps": {"target": {"kind": "ConfigMap", "name": "*"}, "patch": {"data": {"patched": "x"}}},
    "secrets": {"target": {"kind": "Secret", "name": "*"}, "patch": {"stringData": {"patched": "x"}}},
    "child": {"target": {"cluster": "child", "kind": "ConfigMap", "name": "*"}, "patch": {"data": {"patched": "x"}}}
}"#;
const PATCH_OF_SCRIPT: &str = r#"patches.script={
    "target": {"kind": "ConfigMap", "name": "*-dhcp"}, "patch": {"data": {"dhcp-server.sh": "true"}}
}"#;

/// The checksums in all pods: those of the addons are in a text.
fn checksums(farm: &[&str], settings: &[&str]) -> BTreeSet<String> {
    let settings: Vec<String> = settings.iter().map(|&setting| setting.to_owned()).collect();
    let text = render(farm, &settings).success();
    let lines = text.lines().map(str::trim);
    let lines = lines.filter(|line| line.starts_with("checksum/"));
    lines.map(str::to_owned).collect()
}

#[test]
fn every_checksum_follows_a_patch() {
    let [everything, standalone, ..] = FARMS;
    for (farm, patches, count) in [
        (everything, &[PATCHES][..], 9),
        (standalone, &[PATCHES, PATCH_OF_SCRIPT], 9),
    ] {
        let before = checksums(farm, &[]);
        let after = checksums(farm, patches);
        assert!(before.len() >= count, "{before:#?}");
        let same: Vec<_> = before.intersection(&after).collect();
        assert!(same.is_empty(), "{same:#?}");
        assert_eq!(before.len(), after.len());
    }
}
