//! Command-line flags of a container, from defaults and a user's `extraArgs`.

use std::collections::{BTreeMap, BTreeSet};

use minijinja::Value;
use minijinja::value::ValueKind;

use super::escape::{scalar, type_name};

/// The flags `--key=value`: the defaults in their order, then new keys by name.
///
/// A key of `extra` replaces the default of that name in its place. Null leaves a flag out; a list repeats it, an
/// empty one leaves it out.
///
/// A default that is a list is kept, and the values of `extra` are added after it: the charts of 0.13 wrote both, and
/// Kubernetes' list flags accept that. Null still leaves it out. See [`added`].
///
/// # Errors
/// A key that is not a flag's name, or a value that is not a scalar.
pub(super) fn flags(defaults: &Value, extra: &Value) -> Result<Vec<String>, String> {
    let mut extra: BTreeMap<String, Value> = entries(extra)?.into_iter().collect();
    let mut flags = Vec::new();
    for (key, default) in entries(defaults)? {
        let values = match extra.remove(&key) {
            None => texts(&key, &default)?,
            Some(value) if value.kind() == ValueKind::None => continue,
            Some(value) if default.kind() == ValueKind::Seq => {
                added(&texts(&key, &default)?, &texts(&key, &value)?)
            }
            Some(value) => texts(&key, &value)?,
        };
        push(&mut flags, &key, values);
    }
    for (key, value) in extra {
        push(&mut flags, &key, texts(&key, &value)?);
    }
    Ok(flags)
}

fn push(flags: &mut Vec<String>, key: &str, values: Vec<String>) {
    flags.extend(values.into_iter().map(|value| format!("--{key}={value}")));
}

/// The values of a flag: none for null, several for a list.
fn texts(key: &str, value: &Value) -> Result<Vec<String>, String> {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if key.is_empty() || key.starts_with('-') || !key.bytes().all(is_name) {
        return Err(format!(
            "{key:?} is not a flag's name; it is written without the dashes before it"
        ));
    }
    let values = match value.kind() {
        ValueKind::None => return Ok(Vec::new()),
        ValueKind::Seq | ValueKind::Iterable => value
            .try_iter()
            .map_err(|error| error.to_string())?
            .collect(),
        _ => vec![value.clone()],
    };
    let text = |value| scalar(value).map_err(|problem| format!("the flag --{key}: {problem}"));
    values.iter().map(text).collect()
}

/// The default values of a flag and then the user's, each item of their comma-separated texts once: kube-apiserver
/// refuses a duplicate authorization mode. The user's `-x` removes the default `x`, because the controller manager uses
/// the first of the two.
fn added(ours: &[String], users: &[String]) -> Vec<String> {
    let removed: BTreeSet<&str> = users
        .iter()
        .flat_map(|text| text.split(','))
        .filter_map(|item| item.trim().strip_prefix('-'))
        .collect();
    let mut seen = BTreeSet::new();
    ours.iter()
        .map(|text| (text, true))
        .chain(users.iter().map(|text| (text, false)))
        .map(|(text, is_ours)| {
            let items = text.split(',').map(str::trim);
            let items = items.filter(|item| !(is_ours && removed.contains(item)));
            let new = items.filter(|item| !item.is_empty() && seen.insert(*item));
            new.collect::<Vec<&str>>().join(",")
        })
        .filter(|text| !text.is_empty())
        .collect()
}

/// The flags of dnsmasq: true is a flag without a value, false and null leave it out, a list repeats it.
///
/// # Errors
/// A value that is not a scalar.
pub(super) fn dnsmasq_flags(flags: &Value) -> Result<Vec<String>, String> {
    let mut texts = Vec::new();
    for (key, value) in entries(flags)? {
        let values = match value.kind() {
            ValueKind::Seq | ValueKind::Iterable => value
                .try_iter()
                .map_err(|error| error.to_string())?
                .collect(),
            _ => vec![value],
        };
        for value in values {
            match value.kind() {
                ValueKind::None => {}
                ValueKind::Bool if value.is_true() => texts.push(format!("--{key}")),
                ValueKind::Bool => {}
                _ => {
                    let text =
                        scalar(&value).map_err(|problem| format!("the flag --{key}: {problem}"))?;
                    texts.push(format!("--{key}={text}"));
                }
            }
        }
    }
    Ok(texts)
}

/// The entries of a map in its order; null is an empty map.
pub(super) fn entries(map: &Value) -> Result<Vec<(String, Value)>, String> {
    match map.kind() {
        ValueKind::None => return Ok(Vec::new()),
        ValueKind::Map => {}
        kind => return Err(format!("expected a map, found {}", type_name(kind))),
    }
    let mut entries = Vec::new();
    for key in map.try_iter().map_err(|error| error.to_string())? {
        let value = map.get_item(&key).map_err(|error| error.to_string())?;
        entries.push((scalar(&key)?, value));
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn modes(users: impl Into<Value>) -> Vec<String> {
        let ours = Value::from(vec!["Node,RBAC"]);
        let defaults = Value::from_pairs([("mode", ours), ("v", Value::from(1))]);
        let extra = Value::from_pairs([("mode", users.into())]);
        let mut found = flags(&defaults, &extra).expect("flags");
        assert_eq!(found.pop().as_deref(), Some("--v=1"));
        found
    }

    #[test]
    fn lists_of_defaults_are_added_to() {
        assert_eq!(modes("Webhook"), ["--mode=Node,RBAC", "--mode=Webhook"]);
        assert_eq!(
            modes(vec!["ABAC", "Webhook"]),
            ["--mode=Node,RBAC", "--mode=ABAC", "--mode=Webhook"]
        );
        assert_eq!(
            modes("Node, RBAC,Webhook,Webhook"),
            ["--mode=Node,RBAC", "--mode=Webhook"]
        );
        for nothing_new in [Value::from("RBAC"), "".into(), Vec::<Value>::new().into()] {
            assert_eq!(modes(nothing_new), ["--mode=Node,RBAC"]);
        }
        assert_eq!(modes("-Node"), ["--mode=RBAC", "--mode=-Node"]);
        assert_eq!(modes(Value::from(())), [""; 0]);
    }
}
