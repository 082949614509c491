//! That no value is forgotten: every text of the schema is tried, and every text that is tried is read by something.

use std::collections::BTreeSet;

use kubefarm::farm::schema::json_schema;
use kubefarm::values::Segment;
use serde_json::{Map, Value};

use crate::injection::places::{Fixture, Place};

/// Text that other tests try, for it becomes more, or less, than itself: section texts and tags, subnets, the
/// endpoint; and second ways to write what the farm writes in one.
const TRIED_ELSEWHERE: [&str; 11] = [
    "ltsp.config.sections.*",
    "nodePools[].tags[]",
    "nodePools.*.",
    "kubernetes.controlPlaneEndpoint",
    "kubernetes.networking.serviceSubnet",
    "kubernetes.networking.podSubnet",
    "kubernetes.networking.nodeNetworks",
    ".digest",
    "kubernetes.extraManifests.*",
    "extraObjects.*",
    "patches.*",
];
/// What is accepted and means nothing: Helm's values for all charts.
const UNREAD: [&str; 1] = ["global.KEY"];

/// The way to a place, with `[]` for any item and `KEY` for any key.
fn steps(place: &Place) -> Vec<String> {
    let steps = place.path.0.iter().map(|segment| match segment {
        Segment::Index(_) => "[]".to_owned(),
        Segment::Key(key) if key.starts_with("mark") && key.ends_with('x') => "KEY".to_owned(),
        Segment::Key(key) => key.clone(),
    });
    steps.collect()
}

fn shown(steps: &[String]) -> String {
    steps.join(".").replace(".[]", "[]")
}

/// All ways that lead to free text in a schema; `*` stands for any key, `**` for anything below.
fn texts(schema: &Value, path: &mut Vec<String>, found: &mut BTreeSet<Vec<String>>) {
    let step = |step: &str, schema: &Value, path: &mut Vec<String>, found: &mut _| {
        path.push(step.to_owned());
        texts(schema, path, found);
        path.pop();
    };
    let types = &schema["type"];
    let is = |name: &str| {
        let among = |types: &Vec<Value>| types.contains(&name.into());
        types == name || types.as_array().is_some_and(among)
    };
    // Integers and booleans may be quoted, but are not text then.
    let is_text = is("string") && !is("integer") && (is("number") || !is("boolean"));
    if is_text && schema.get("enum").is_none() {
        found.insert(path.clone());
    }
    for (key, schema) in schema["properties"].as_object().unwrap_or(&Map::new()) {
        step(key, schema, path, found);
    }
    match &schema["additionalProperties"] {
        Value::Bool(true) => {
            found.insert([path.clone(), vec!["**".to_owned()]].concat());
        }
        below @ Value::Object(_) => step("*", below, path, found),
        _ => {}
    }
    if let below @ Value::Object(_) = &schema["items"] {
        step("[]", below, path, found);
    }
    for branch in schema["anyOf"].as_array().into_iter().flatten() {
        texts(branch, path, found);
    }
}

fn leads_to(pattern: &[String], steps: &[String]) -> bool {
    match (pattern.split_first(), steps.split_first()) {
        (None, None) => true,
        (Some((any, _)), Some(_)) if any == "**" => true,
        (Some((first, pattern)), Some((step, steps))) => {
            (first == "*" || first == step) && leads_to(pattern, steps)
        }
        _ => false,
    }
}

#[test]
fn every_text_of_the_schema_is_tried() {
    let mut found = BTreeSet::new();
    texts(&json_schema(&Value::Null), &mut Vec::new(), &mut found);
    assert!(found.len() > 200, "{}", found.len());
    let farms = Fixture::all();
    let tried: BTreeSet<Vec<String>> = farms
        .iter()
        .flat_map(|farm| farm.places.iter().map(steps))
        .collect();
    let forgotten: Vec<String> = found
        .iter()
        .filter(|pattern| !tried.iter().any(|steps| leads_to(pattern, steps)))
        .map(|pattern| shown(pattern))
        .filter(|path| !TRIED_ELSEWHERE.iter().any(|other| path.contains(other)))
        .collect();
    assert_eq!(forgotten, Vec::<String>::new());
}

#[test]
fn every_text_that_is_tried_is_read() {
    let (mut tried, mut read) = (BTreeSet::new(), BTreeSet::new());
    for farm in &Fixture::all() {
        let mut seen = vec![false; farm.places.len()];
        crate::injection::shape(farm).mark_holes(&mut seen);
        for (place, seen) in farm.places.iter().zip(seen) {
            let path = shown(&steps(place));
            if seen {
                read.insert(path.clone());
            }
            tried.insert(path);
        }
    }
    let unread: BTreeSet<&str> = tried.difference(&read).map(String::as_str).collect();
    assert_eq!(unread, BTreeSet::from(UNREAD));
}
