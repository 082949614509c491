//! What the readers of a rendered farm make of it: every text inside a text taken apart as its reader does.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize as _;
use serde_json::{Map, Value, json};

use crate::injection::ltsp;

/// The objects in a YAML stream, read by a reader that is not the product's.
pub fn read(stream: &str) -> Vec<Value> {
    serde_yaml::Deserializer::from_str(stream)
        .map(|document| Value::deserialize(document).expect("one YAML document"))
        .filter(|document| !document.is_null())
        .collect()
}

/// An object as its consumers see it, without what is a hash of the rest.
pub fn consume(mut object: Value) -> Value {
    let kind = object["kind"].as_str().unwrap_or_default().to_owned();
    forget_checksums(&mut object);
    match kind.as_str() {
        "Job" => {
            let name = object["metadata"]["name"].as_str().unwrap().to_owned();
            object["metadata"]["name"] = name[..name.len() - 10].into();
        }
        "ConfigMap" => replace_files(&mut object, &|text| text.to_owned()),
        "Secret" => replace_files(&mut object, &|text| {
            let bytes = BASE64_STANDARD.decode(text).expect("base64");
            String::from_utf8(bytes).expect("UTF-8")
        }),
        "DhcpHosts" | "DhcpOptions" | "DnsmasqOptions" => join_fields(&mut object["spec"]),
        _ => {}
    }
    object
}

/// Puts flags in order, which stand in that of their names, and names no pull secret twice.
pub fn settle(value: &mut Value) {
    match value {
        Value::Array(items) => {
            let name = |item: &Value| {
                let flag = item.as_str().unwrap_or_default();
                flag.split('=').next().unwrap_or_default().to_owned()
            };
            if items.iter().all(|item| name(item).starts_with("--")) {
                items.sort_by_key(name);
            }
            items.iter_mut().for_each(settle);
        }
        Value::Object(map) => {
            if let Some(Value::Array(secrets)) = map.get_mut("imagePullSecrets") {
                let mut seen = Vec::new();
                secrets.retain(|secret| {
                    let is_new = !seen.contains(secret);
                    seen.push(secret.clone());
                    is_new
                });
            }
            map.values_mut().for_each(settle);
        }
        _ => {}
    }
}

fn forget_checksums(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(forget_checksums),
        Value::Object(map) => {
            map.retain(|key, _| !key.starts_with("checksum/"));
            map.values_mut().for_each(forget_checksums);
        }
        _ => {}
    }
}

fn replace_files(object: &mut Value, decode: &dyn Fn(&str) -> String) {
    let name = object["metadata"]["name"].clone();
    let Some(Value::Object(data)) = object.get_mut("data") else {
        return;
    };
    for (key, text) in data.iter_mut() {
        let content = decode(text.as_str().expect("data is text"));
        let is_hosts = name == key.as_str();
        *text = if is_hosts {
            lines(&content)
        } else {
            file(key, &content)
        };
    }
}

fn file(name: &str, text: &str) -> Value {
    match name {
        "ltsp.conf" => ltsp::evaluate(text),
        "dnsmasq.conf" | "sysctl.conf" | "modules" => lines(text),
        "authorized_keys" => text
            .lines()
            .map(str::trim_end)
            .filter(|line| !line.is_empty())
            .collect(),
        "docker.json" => serde_json::from_str(text).expect("JSON"),
        // Both are named by hashes of the settings.
        "settings.json" => {
            let settings: Map<String, Value> = serde_json::from_str(text).expect("JSON");
            settings.into_iter().map(|(_, settings)| settings).collect()
        }
        "nodes.json" => {
            let machines: Vec<(String, Vec<String>)> = serde_json::from_str(text).expect("JSON");
            let machines = machines.into_iter().flat_map(|(_, machines)| machines);
            machines
                .map(|machine| machine.split(' ').collect::<Value>())
                .collect()
        }
        "join.json" => serde_json::from_str(text).expect("JSON"),
        // Where it is the user's own text, it may be no TOML.
        "containerd.toml" => toml::from_str(text).unwrap_or_else(|_| json!(text)),
        "Corefile" => text
            .lines()
            .map(|line| line.split(' ').collect::<Value>())
            .collect(),
        "nginx.conf" => text.into(),
        "ClusterConfiguration" | "kubelet" => objects(text),
        _ if name.ends_with(".yaml") || name.ends_with(".conf") => objects(text),
        _ => text.into(),
    }
}

fn lines(text: &str) -> Value {
    text.split('\n').collect()
}

fn objects(text: &str) -> Value {
    read(text).into_iter().map(consume).collect()
}

/// dnsmasq-controller joins what it finds by commas into lines of dnsmasq's configuration.
fn join_fields(spec: &mut Value) {
    let items = spec.as_object_mut().into_iter().flat_map(Map::values_mut);
    for item in items.filter_map(Value::as_array_mut).flatten() {
        for list in ["values", "macs"] {
            if let Some(Value::Array(fields)) = item.get(list) {
                let fields: Vec<&str> = fields.iter().filter_map(Value::as_str).collect();
                item[list] = fields.join(",").into();
            }
        }
    }
}
