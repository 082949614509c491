//! The files of /etc/ltsp that values make.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde_json::Value;

use super::sections::{section_file, split_section};
use crate::farm::spec::{BootConfig, ContainerdConfig, Fragment};

/// The files by name: ours that depend on values, then the user's.
pub fn files(config: &BootConfig) -> IndexMap<String, String> {
    let mut files = own_files(config);
    files.extend(config.extra_files.clone());
    files
}

/// Those that settings other than `extraFiles` make.
pub fn own_files(config: &BootConfig) -> IndexMap<String, String> {
    let lines = |lines: &[String]| (!lines.is_empty()).then(|| lines.join("\n") + "\n");
    let sysctls: Vec<String> = config
        .sysctls
        .iter()
        .map(|(key, value)| format!("{key} = {value}"))
        .collect();
    let containerd = config.containerd_config.as_ref();
    let mut files: IndexMap<String, String> = [
        ("authorized_keys", lines(&config.ssh_authorized_keys)),
        (
            "containerd.toml",
            containerd.and_then(toml_text),
        ),
        (
            "docker.json",
            config.docker_config.as_ref().and_then(json_text),
        ),
        ("modules", lines(&config.modules)),
        ("sysctl.conf", lines(&sysctls)),
    ]
    .into_iter()
    .filter_map(|(name, text)| Some((name.to_owned(), text?)))
    .collect();
    for (header, text) in &config.sections {
        if let (_, Some(script)) = split_section(text) {
            files.insert(section_file(header), script);
        }
    }
    files
}

fn json_text(map: &Fragment) -> Option<String> {
    let text = serde_json::to_string_pretty(map).ok()?;
    (!map.is_empty()).then_some(text + "\n")
}

fn toml_text(config: &ContainerdConfig) -> Option<String> {
    match config {
        ContainerdConfig::Text(text) => (!text.trim().is_empty()).then(|| text.clone()),
        // TOML has tables after plain keys; sorted so, it needs no reordering by the writer.
        ContainerdConfig::Map(map) => {
            let (plain, tables): (BTreeMap<_, _>, BTreeMap<_, _>) = map
                .iter()
                .filter(|(_, value)| !value.is_null())
                .partition(|(_, value)| !value.is_object());
            let ordered: IndexMap<&String, &Value> = plain.into_iter().chain(tables).collect();
            toml::to_string(&ordered).ok()
        }
    }
}
