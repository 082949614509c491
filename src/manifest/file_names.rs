//! The name of each object's file: stable, and safe on every file system.

use std::collections::HashMap;

use super::Object;
use super::object::Key;

/// The longest name without `.yaml`; the limit of file systems is 255 bytes.
const LONGEST: usize = 200;

/// The names in the order of the objects: `statefulset-farm-etcd.yaml`.
///
/// If two objects would have the same name, both get their namespace and API group too, and if that is not enough, a
/// number.
pub(super) fn file_names(objects: &[Object]) -> Vec<String> {
    let keys: Vec<Key> = objects.iter().map(Object::key).collect();
    let short: Vec<String> = keys
        .iter()
        .map(|key| name_of(&[&key.kind, &key.name]))
        .collect();
    let count = occurrences(&short);
    let mut long: Vec<String> = keys
        .iter()
        .zip(short)
        .map(|(key, short)| match count.get(&short) {
            Some(1) => short,
            _ => name_of(&[&key.kind, &key.name, &key.namespace, &key.group]),
        })
        .collect();
    number_repeated(&mut long);
    for name in &mut long {
        name.push_str(".yaml");
    }
    long
}

fn occurrences(names: &[String]) -> HashMap<String, usize> {
    let mut count = HashMap::with_capacity(names.len());
    for name in names {
        *count.entry(name.clone()).or_default() += 1;
    }
    count
}

fn number_repeated(names: &mut [String]) {
    let mut taken = occurrences(names);
    for name in names {
        if taken.get(name) == Some(&1) {
            continue;
        }
        let free = (1..)
            .map(|number: usize| format!("{name}-{number}"))
            .find(|numbered| !taken.contains_key(numbered));
        if let Some(free) = free {
            taken.insert(free.clone(), 1);
            *name = free;
        }
    }
}

/// The parts that are not empty, in lower case, joined by `-`. Whatever is not a letter, digit, dot or dash becomes a
/// dash, so that a name never leaves its folder.
fn name_of(parts: &[&str]) -> String {
    let mut name = String::new();
    for part in parts.iter().filter(|part| !part.is_empty()) {
        if !name.is_empty() {
            name.push('-');
        }
        name.extend(
            part.chars()
                .map(|character| match character.to_ascii_lowercase() {
                    kept @ ('a'..='z' | '0'..='9' | '.' | '-') => kept,
                    _ => '-',
                }),
        );
    }
    // All characters are ASCII now.
    name.truncate(LONGEST);
    name
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::parse;

    fn names(objects: &[(&str, &str, &str, &str)]) -> Vec<String> {
        let objects: Vec<Object> = objects
            .iter()
            .flat_map(|(version, kind, namespace, name)| {
                let json = serde_json::json!({
                    "apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": namespace},
                });
                parse("x", &json.to_string()).unwrap()
            })
            .collect();
        file_names(&objects)
    }

    #[test]
    fn a_name_is_kind_and_name() {
        assert_eq!(
            names(&[
                ("v1", "Secret", "a", "token"),
                ("rbac.authorization.k8s.io/v1", "Role", "a", "system:Node/x"),
            ]),
            ["secret-token.yaml", "role-system-node-x.yaml"]
        );
    }

    #[test]
    fn objects_of_one_name_get_namespace_and_group() {
        assert_eq!(
            names(&[
                ("v1", "Secret", "a", "token"),
                ("v1", "Secret", "b", "token"),
                ("x.io/v1", "Secret", "b", "token"),
                ("v1", "Pod", "a", "p"),
            ]),
            [
                "secret-token-a.yaml",
                "secret-token-b.yaml",
                "secret-token-b-x.io.yaml",
                "pod-p.yaml"
            ]
        );
    }

    #[test]
    fn names_that_become_equal_or_too_long_stay_apart() {
        let long = "x".repeat(300);
        let found = names(&[
            ("v1", "Role", "a", "a:b"),
            ("v1", "Role", "a", "a_b"),
            ("v1", "Role", "a", "../a-b"),
            ("v1", "Role", "a", &format!("{long}1")),
            ("v1", "Role", "a", &format!("{long}2")),
        ]);
        let mut distinct = found.clone();
        distinct.sort();
        distinct.dedup();
        assert_eq!(distinct.len(), found.len(), "{found:?}");
        assert!(
            found
                .iter()
                .all(|name| name.len() <= 255 && !name.contains('/'))
        );
    }
}
