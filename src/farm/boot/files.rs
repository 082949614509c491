//! The files of /etc/ltsp that follow from values.

use indexmap::IndexMap;
use serde_json::Value;

use super::sections::{section_file, split_section};
use crate::farm::spec::{BootConfig, ContainerdConfig, Fragment};

/// The files by name: those of kubefarm that depend on values, then the user's.
pub fn files(config: &BootConfig) -> IndexMap<String, String> {
    let mut files = own_files(config);
    files.extend(config.extra_files.clone());
    files
}

/// The files of settings other than `extraFiles`.
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
        // The checks refuse values that cannot be written.
        (
            "containerd.toml",
            containerd.and_then(|config| toml_text(config).unwrap_or_default()),
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
    let map = without_nulls(map);
    (!map.is_empty()).then(|| format!("{:#}\n", Value::Object(map)))
}

/// containerd's configuration as TOML, or `None` if there is none. The error is about a value that TOML does not have.
pub fn toml_text(config: &ContainerdConfig) -> Result<Option<String>, toml::ser::Error> {
    match config {
        ContainerdConfig::Text(text) => Ok((!text.trim().is_empty()).then(|| text.clone())),
        ContainerdConfig::Map(map) => {
            let text = toml::to_string(&without_nulls(map))?;
            Ok((!text.is_empty()).then_some(text))
        }
    }
}

/// The map without nulls, at every depth (decision 4).
fn without_nulls<'a>(map: impl IntoIterator<Item = (&'a String, &'a Value)>) -> Fragment {
    map.into_iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(key, value)| (key.clone(), value_without_nulls(value)))
        .collect()
}

fn value_without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(map) => Value::Object(without_nulls(map)),
        Value::Array(items) => items.iter().map(value_without_nulls).collect(),
        plain => plain.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn toml(map: Value) -> Result<Option<String>, toml::ser::Error> {
        toml_text(&serde_json::from_value(map).expect("a configuration"))
    }

    #[test]
    fn what_is_null_is_not_there() {
        let map =
            json!({"plugins": {"x": {"sandbox_image": null, "y": 1}}, "version": 3, "z": null});
        let text = toml(map).expect("TOML").expect("text");
        assert_eq!(text, "version = 3\n\n[plugins.x]\ny = 1\n");
    }

    #[test]
    fn tables_stand_after_plain_keys_at_every_depth() {
        let map =
            json!({"a": {"t": {"k": 1}, "k": [{"b": null, "c": {"d": 1}, "e": 2}]}, "k": true});
        let text = toml(map.clone()).expect("TOML").expect("text");
        let read: Value = toml::from_str(&text).expect("TOML");
        assert_eq!(read["a"]["k"][0]["e"], 2);
        assert_eq!(read["a"]["t"], map["a"]["t"]);
    }

    #[test]
    fn null_in_a_list_is_an_error() {
        assert!(toml(json!({"a": [null, 1]})).is_err());
    }
}
