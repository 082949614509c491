//! Three readers of YAML that share no code: kubectl's (Go), PyYAML (YAML 1.1), serde_yaml (libyaml).

use std::path::PathBuf;
use std::process::Command;

use serde::Deserialize;
use serde_json::Value;

use super::{program, project, run, run_with_stdin, skip};

/// A Python that has the module; Debian's own comes first, because Debian's packages are for it.
pub fn python_with(module: &str, debian_package: &str) -> Option<PathBuf> {
    let candidates = [
        Some("/usr/bin/python3".into()),
        program("python3", "python3"),
    ];
    let found = candidates.into_iter().flatten().find(|python: &PathBuf| {
        let mut import = Command::new(python);
        import.args(["-c", &format!("import {module}")]);
        python.is_file() && run(&mut import).status.success()
    });
    if found.is_none() {
        skip(&format!(
            "needs Python's module {module} (Debian package {debian_package})"
        ));
    }
    found
}

/// The documents of each text, as PyYAML reads them; `None` without PyYAML.
pub fn pyyaml(texts: &[&str]) -> Option<Vec<Vec<Value>>> {
    let python = python_with("yaml", "python3-yaml")?;
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(python);
    command.arg(project().join("tests/support/read_yaml.py"));
    for (number, text) in texts.iter().enumerate() {
        let file = folder.path().join(number.to_string());
        std::fs::write(&file, text).expect("written");
        command.arg(file);
    }
    let output = run(&mut command).success();
    Some(serde_json::from_str(&output).expect("JSON"))
}

/// The documents of a text, as serde_yaml reads them.
#[track_caller]
pub fn serde(text: &str) -> Vec<Value> {
    serde_yaml::Deserializer::from_str(text)
        .map(|document| Value::deserialize(document).unwrap_or_else(|e| panic!("{e}\n{text}")))
        .collect()
}

/// The objects in a text as kubectl reads them; `None` without kubectl.
///
/// It prints what it read when it is asked to take away a label that nothing has, without a cluster.
pub fn kubectl(text: &str) -> Option<Vec<Value>> {
    let kubectl = program("kubectl", "kubernetes-client")?;
    let mut command = Command::new(kubectl);
    command.args([
        "label",
        "--local",
        "-f",
        "-",
        "-o",
        "json",
        "no-such-label-",
    ]);
    let output = run_with_stdin(&mut command, text).success();
    let objects = serde_json::Deserializer::from_str(&output).into_iter::<Value>();
    let without_empty_labels = |object: Result<Value, _>| {
        let mut object = object.expect("JSON");
        if object["metadata"]["labels"] == serde_json::json!({}) {
            object["metadata"].as_object_mut()?.remove("labels");
        }
        Some(object)
    };
    objects.map(without_empty_labels).collect()
}

/// The objects in a text as Kustomize hands them on, in an order of its own; `None` without kubectl.
pub fn kustomize(text: &str) -> Option<Vec<Value>> {
    let kubectl = program("kubectl", "kubernetes-client")?;
    let folder = tempfile::tempdir().expect("a folder");
    let list =
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [all.yaml]\n";
    std::fs::write(folder.path().join("kustomization.yaml"), list).expect("written");
    std::fs::write(folder.path().join("all.yaml"), text).expect("written");
    let mut command = Command::new(kubectl);
    command.arg("kustomize").arg(folder.path());
    Some(serde(&run(&mut command).success()))
}

/// Objects by their keys, to compare them in any order.
#[track_caller]
pub fn by_identity(objects: &[Value]) -> Value {
    let identity = |object: &Value| {
        let meta = &object["metadata"];
        let kind = (&object["apiVersion"], &object["kind"]);
        format!(
            "{} {} {} {}",
            kind.0, kind.1, meta["namespace"], meta["name"]
        )
    };
    let map: serde_json::Map<_, _> = objects
        .iter()
        .map(|object| (identity(object), object.clone()))
        .collect();
    assert_eq!(map.len(), objects.len(), "an object stands twice");
    Value::Object(map)
}

/// Fails with the first place where two readings differ.
#[track_caller]
pub fn assert_same(reader: &str, read: &Value, expected: &Value) {
    if let Some(difference) = difference("", read, expected) {
        panic!("{reader}: {difference}");
    }
}

fn difference(place: &str, read: &Value, expected: &Value) -> Option<String> {
    match (read, expected) {
        (Value::Object(one), Value::Object(other)) if one.len() == other.len() => {
            one.iter().find_map(|(key, value)| {
                let place = format!("{place}.{key}");
                difference(&place, value, other.get(key).unwrap_or(&Value::Null))
            })
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            let mut pairs = one.iter().zip(other).enumerate();
            pairs.find_map(|(n, (one, other))| difference(&format!("{place}[{n}]"), one, other))
        }
        _ if read == expected => None,
        _ => Some(format!("at {place}: {read} is not {expected}")),
    }
}
