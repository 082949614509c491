//! The JSON Schema accepts what the program accepts, knows the keys that the defaults set, and no others.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::support::{kubefarm, names_in, project, run_with_stdin, skip};

/// Maps whose keys are the user's own.
const FREE: [&str; 12] = [
    "resources",
    "nodeSelector",
    "extraArgs",
    "dnsmasqArgs",
    "sysctls",
    "options",
    "containerdConfig",
    "dhcpOptions",
    "ltspOptions",
    "kubernetesLabels",
    "kubernetesTaints",
    "kubernetesAnnotations",
];

/// Keys that files may set and that have no default: a default would say nothing.
const WITHOUT_DEFAULT: [&str; 2] = [
    "global",
    "kubernetes.konnectivityServer.service.nodePorts.client",
];

/// Whether the key at this path, or one above it, stands in a map of the user's own keys.
pub fn is_free(path: &str) -> bool {
    let mut parents = path.split('.').rev().skip(1);
    parents.any(|parent| FREE.contains(&parent))
}

/// Every default, by its path.
pub fn default_leaves() -> Vec<(String, Value)> {
    let text = kubefarm(["values", "-o", "json"]).success();
    let mut found = Vec::new();
    walk("", &serde_json::from_str(&text).expect("JSON"), &mut found);
    found
}

fn walk(path: &str, value: &Value, found: &mut Vec<(String, Value)>) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (key, value) in map {
                let dot = if path.is_empty() { "" } else { "." };
                walk(&format!("{path}{dot}{key}"), value, found);
            }
        }
        value => found.push((path.to_owned(), value.clone())),
    }
}

/// The paths of the keys that the schema names outside lists and maps of the user's own.
fn schema_keys(path: &str, schema: &Value, found: &mut BTreeSet<String>) {
    match schema.get("properties").and_then(Value::as_object) {
        Some(properties) => {
            for (key, property) in properties {
                let dot = if path.is_empty() { "" } else { "." };
                schema_keys(&format!("{path}{dot}{key}"), property, found);
            }
        }
        None => {
            found.insert(path.to_owned());
        }
    }
}

pub fn schema() -> Value {
    serde_json::from_str(&kubefarm(["schema"]).success()).expect("JSON")
}

#[test]
fn the_schema_and_the_defaults_have_the_same_keys() {
    let mut known = BTreeSet::new();
    schema_keys("", &schema(), &mut known);
    let mut set = BTreeSet::new();
    for (path, _) in default_leaves() {
        let is_below = |known: &&String| path == **known || path.starts_with(&format!("{known}."));
        let key = known.iter().find(is_below);
        set.insert(
            key.unwrap_or_else(|| panic!("the schema has no {path}"))
                .clone(),
        );
    }
    let without: Vec<&String> = known
        .difference(&set)
        .filter(|key| !WITHOUT_DEFAULT.contains(&key.as_str()))
        .collect();
    assert!(without.is_empty(), "keys without a default: {without:?}");
}

#[test]
fn every_key_of_the_schema_is_described() {
    fn check(path: &str, schema: &Value) {
        for (key, property) in schema
            .get("properties")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            let described = property
                .get("description")
                .and_then(Value::as_str)
                .is_some_and(|text| text.len() > 3);
            assert!(described, "{path}.{key} has no description");
            check(&format!("{path}.{key}"), property);
            for inner in ["items", "additionalProperties"] {
                check(
                    &format!("{path}.{key}[]"),
                    property.get(inner).unwrap_or(&Value::Null),
                );
            }
        }
    }
    check("", &schema());
}

/// Reads values files and says for each whether the schema accepts it.
const VALIDATOR: &str = r#"
import json, sys
import jsonschema
job = json.load(sys.stdin)
jsonschema.Draft202012Validator.check_schema(job["schema"])
validator = jsonschema.Draft202012Validator(job["schema"])
print(json.dumps([[error.message for error in validator.iter_errors(values)] for values in job["files"]]))
"#;

/// What a validator finds wrong in each file, or `None` where there is no validator.
fn found_wrong(files: &[PathBuf]) -> Option<Vec<Vec<String>>> {
    let python = ["/usr/bin/python3", "python3"].into_iter().find(|python| {
        let check = Command::new(python)
            .args(["-c", "import jsonschema"])
            .output();
        check.is_ok_and(|output| output.status.success())
    });
    let Some(python) = python else {
        skip("needs Python's jsonschema (Debian package python3-jsonschema)");
        return None;
    };
    let job = serde_json::json!({"schema": schema(), "files": files.iter().map(|path| read(path)).collect::<Vec<_>>()});
    let text = run_with_stdin(
        Command::new(python).args(["-c", VALIDATOR]),
        job.to_string(),
    )
    .success();
    Some(serde_json::from_str(&text).expect("JSON"))
}

/// A values file as a YAML language server reads it.
fn read(path: &Path) -> Value {
    let text = fs::read_to_string(path).expect("a values file");
    serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let folder = project().join(folder);
    let names = names_in(&folder).into_iter();
    let names = names.filter(|name| name.ends_with(ending));
    names.map(|name| folder.join(name)).collect()
}

#[test]
fn real_values_files_are_valid() {
    let mut valid = files("values", ".yaml");
    valid.extend(files("tests/golden", ".values.yaml"));
    valid.extend(files("tests/old_values", ".yaml"));
    for folder in files("examples", "").into_iter().chain(files("charts", "")) {
        valid.push(folder.join("values.yaml"));
    }
    assert!(valid.len() > 12);
    for (path, wrong) in valid.iter().zip(found_wrong(&valid).unwrap_or_default()) {
        assert!(wrong.is_empty(), "{}: {wrong:?}", path.display());
    }
}

#[test]
fn mistakes_that_a_schema_can_find_are_found() {
    let names = [
        "unknown_key_at_the_top",
        "unknown_key_inside",
        "unknown_key_of_a_node",
        "key_in_the_wrong_case",
        "list_expected",
        "map_expected",
        "wrong_pull_policy",
        "wrong_service_type",
        "wrong_modes",
        "pools_of_wrong_shape",
        "taint_with_wrong_effect",
        "negative_count",
        "text_expected",
        "map_in_place_of_a_label",
    ];
    let files: Vec<PathBuf> = names
        .iter()
        .map(|name| project().join(format!("tests/mistakes/{name}.yaml")))
        .collect();
    for (path, wrong) in files.iter().zip(found_wrong(&files).unwrap_or_default()) {
        assert!(!wrong.is_empty(), "the schema accepts {}", path.display());
    }
}
