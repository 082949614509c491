//! Every key of the charts' default values has a comment.

use std::fs;

use crate::support::project;

/// A line's key, where it holds one.
fn key(line: &str) -> Option<&str> {
    let text = line.trim_start().trim_start_matches("- ");
    let (key, _) = text.split_once(':')?;
    let plain = key
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"._-/".contains(&byte));
    (!line.trim_start().starts_with('#') && plain && !key.is_empty()).then_some(key)
}

fn depth(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// Keys of maps that the comment above the map explains: their names are Kubernetes', containerd's or the user's own.
const EXPLAINED_BY_THE_MAP: [&str; 11] = [
    "resources",
    "image",
    "ports",
    "nodePorts",
    "containerdConfig",
    "tolerations",
    "nodeSelector",
    "dhcpOptions",
    "ltspOptions",
    "kubernetesLabels",
    "kubernetesTaints",
];

/// The keys in a values file that no comment explains.
fn bare_keys(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().collect();
    let mut parents: Vec<(usize, &str)> = Vec::new();
    let mut bare = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let Some(key) = key(line) else { continue };
        parents.retain(|(parent, _)| *parent < depth(line));
        let is_map = line.trim_end().ends_with(':');
        let above = index
            .checked_sub(1)
            .and_then(|above| lines.get(above))
            .copied()
            .unwrap_or_default();
        let commented = line.contains(" # ")
            || above.trim_start().starts_with('#')
            || (index > 0 && is_grouped(above, line, &bare))
            || parents
                .iter()
                .any(|(_, parent)| EXPLAINED_BY_THE_MAP.contains(parent))
            || (is_map && EXPLAINED_BY_THE_MAP.contains(&key))
            || is_plain_parent(key);
        if !commented {
            bare.push(format!("{}: {key}", index + 1));
        }
        parents.push((depth(line), key));
    }
    bare
}

/// Whether a key follows a sibling without a blank line, and shares its comment.
fn is_grouped(above: &str, line: &str, bare: &[String]) -> bool {
    let sibling = key(above).filter(|_| depth(above) == depth(line) && !above.contains(" # "));
    sibling.is_some_and(|key| {
        !bare
            .last()
            .is_some_and(|last| last.ends_with(&format!(": {key}")))
    })
}

/// Maps whose name says everything, so that only their keys are explained.
fn is_plain_parent(key: &str) -> bool {
    [
        "kubernetes",
        "networking",
        "persistence",
        "service",
        "pki",
        "containerdConfig",
    ]
    .contains(&key)
}

#[test]
fn every_default_is_explained() {
    for chart in ["kubernetes", "addons", "ltsp", "dnsmasq"] {
        let path = project().join(format!("charts/{chart}/values.yaml"));
        let bare = bare_keys(&fs::read_to_string(path).expect("the chart"));
        assert!(bare.is_empty(), "charts/{chart}/values.yaml: {bare:#?}");
    }
}

#[test]
fn a_key_without_a_comment_is_found() {
    let text =
        "# Explained.\na: 1\n\nb: 1\nc: 1  # explained\nd: 1\nresources:\n  requests: {cpu: 1}\n";
    assert_eq!(bare_keys(text), ["4: b", "6: d"]);
}
