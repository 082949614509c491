//! Checksums of ConfigMaps and Secrets in the annotations of the pods that read them: when a patch changes the data,
//! the checksum changes too, so that the pods are replaced.
//!
//! Templates write the checksums. Which object a checksum covers is found by its value, before any patch is applied: so
//! templates need no marks for it, a user's own templates work as well, and a farm without patches costs nothing.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value as Json};
use sha2::{Digest as _, Sha256};

use crate::hexadecimal::hexadecimal;
use crate::manifest::Object;
use crate::manifest::json::value_at;
use crate::values::write::quoted;

/// The prefix of the annotations' names.
const PREFIX: &str = "checksum/";

/// A checksum in the pods of an object.
pub(super) struct Checksum {
    /// The position of the object with the pods among the objects.
    pods: usize,
    annotation: String,
    value: String,
    /// The position of the object that it covers.
    source: usize,
    part: Part,
}

/// The part of an object's data that a checksum covers.
#[derive(Debug, Clone, PartialEq)]
enum Part {
    /// All texts, one after the other.
    All,
    /// The map as JSON.
    Map,
    /// One text, by its key.
    Text(String),
}

/// The checksums of those `objects` that may be changed.
pub(super) fn of_patched(
    objects: &[Object],
    may_change: impl Fn(&Object) -> bool,
) -> Vec<Checksum> {
    let sources: Vec<(usize, Part, String)> = objects
        .iter()
        .enumerate()
        .filter(|(_, object)| is_data(object) && may_change(object))
        .flat_map(|(source, object)| {
            let parts = parts(object).into_iter();
            parts.map(move |part| (source, part.clone(), sum(object, &part)))
        })
        .collect();
    if sources.is_empty() {
        return Vec::new();
    }
    let mut checksums = Vec::new();
    for (pods, object) in objects.iter().enumerate() {
        let annotations = annotations(object).into_iter().flatten();
        for (annotation, value) in annotations.filter(|(key, _)| key.starts_with(PREFIX)) {
            let covered = sources.iter().find(|(_, _, sum)| value == sum);
            checksums.extend(covered.map(|(source, part, sum)| Checksum {
                pods,
                annotation: annotation.clone(),
                value: sum.clone(),
                source: *source,
                part: part.clone(),
            }));
        }
    }
    checksums
}

/// Updates the checksums to the objects' current data, except those that a patch has changed.
pub(super) fn renew(objects: &mut [Object], checksums: &[Checksum]) {
    for checksum in checksums {
        let Some(now) = objects
            .get(checksum.source)
            .map(|source| sum(source, &checksum.part))
        else {
            continue;
        };
        let annotations = objects.get_mut(checksum.pods).and_then(annotations_mut);
        let written = annotations.and_then(|all| all.get_mut(&checksum.annotation));
        if let Some(written) = written.filter(|written| **written == checksum.value) {
            *written = now.into();
        }
    }
}

/// Whether it is a ConfigMap or a Secret.
fn is_data(object: &Object) -> bool {
    object.group().is_empty() && ["ConfigMap", "Secret"].contains(&object.kind())
}

/// The parts of the object that a checksum may cover.
fn parts(object: &Object) -> Vec<Part> {
    let keys = texts(object).into_iter().map(|(key, _)| Part::Text(key));
    [Part::All, Part::Map].into_iter().chain(keys).collect()
}

/// The checksum of a part of the object.
fn sum(object: &Object, part: &Part) -> String {
    let texts = texts(object);
    hexadecimal(match part {
        Part::All => Sha256::digest(texts.into_iter().map(|(_, text)| text).collect::<String>()),
        Part::Map => Sha256::digest(as_json(&texts)),
        Part::Text(key) => {
            let text = texts.into_iter().find(|(other, _)| other == key);
            Sha256::digest(text.map(|(_, text)| text).unwrap_or_default())
        }
    })
}

/// The entries of a ConfigMap or a Secret, in their order. Those that are not text are in base64.
fn texts(object: &Object) -> Vec<(String, String)> {
    let is_secret = object.kind() == "Secret";
    let decoded = |text: &str| String::from_utf8(STANDARD.decode(text).ok()?).ok();
    let mut texts = Vec::new();
    for (field, is_encoded) in [
        ("data", is_secret),
        ("stringData", false),
        ("binaryData", false),
    ] {
        let entries = object.content.get(field).and_then(Json::as_object);
        for (key, value) in entries.into_iter().flatten() {
            let text = value.as_str().unwrap_or_default();
            let plain = if is_encoded { decoded(text) } else { None };
            texts.push((key.clone(), plain.unwrap_or_else(|| text.to_owned())));
        }
    }
    texts
}

/// As the templates' `to_json` writes a map.
fn as_json(texts: &[(String, String)]) -> String {
    let mut json = String::from("{");
    for (position, (key, text)) in texts.iter().enumerate() {
        json.push_str(if position > 0 { ", " } else { "" });
        quoted(&mut json, key);
        json.push_str(": ");
        quoted(&mut json, text);
    }
    json.push('}');
    json
}

/// The path from an object to its pods' annotations.
fn annotations_path(object: &Object) -> &'static [&'static str] {
    match object.kind() {
        "CronJob" => &[
            "spec",
            "jobTemplate",
            "spec",
            "template",
            "metadata",
            "annotations",
        ],
        _ => &["spec", "template", "metadata", "annotations"],
    }
}

fn annotations(object: &Object) -> Option<&Map<String, Json>> {
    value_at(&object.content, annotations_path(object))?.as_object()
}

fn annotations_mut(object: &mut Object) -> Option<&mut Map<String, Json>> {
    let path = annotations_path(object);
    let mut content = &mut object.content;
    for key in path {
        content = content.get_mut(*key)?.as_object_mut()?;
    }
    Some(content)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::parse;

    /// A workload with checksums of a ConfigMap, of a Secret and of something else, as templates write them.
    fn objects() -> Vec<Object> {
        let sum = |text: &str| hexadecimal(Sha256::digest(text));
        let (all, map, text) = (sum("xy"), sum("{\"c\": \"z\"}"), sum("y"));
        let other = sum("other");
        let yaml = format!(
            "{{apiVersion: v1, kind: ConfigMap, metadata: {{name: m}}, data: {{a: x, b: \"y\"}}}}\n---\n\
             {{apiVersion: v1, kind: Secret, metadata: {{name: s}}, data: {{c: eg==}}}}\n---\n\
             apiVersion: batch/v1\nkind: CronJob\nmetadata: {{name: j}}\n\
             spec: {{jobTemplate: {{spec: {{template: {{metadata: {{annotations: {{checksum/all: {all}, \
             checksum/map: {map}, checksum/text: {text}, checksum/other: {other}, mine: {text}}}}}}}}}}}}}\n"
        );
        parse("x", &yaml).unwrap()
    }

    /// Which annotations differ after `change`.
    fn changed(change: impl FnOnce(&mut [Object])) -> Vec<String> {
        let mut objects = objects();
        let before = annotations(&objects[2]).unwrap().clone();
        let checksums = of_patched(&objects, |_| true);
        change(&mut objects);
        renew(&mut objects, &checksums);
        let after = annotations(&objects[2]).unwrap();
        let differ = after.iter().filter(|(key, value)| before[*key] != **value);
        differ.map(|(key, _)| key.clone()).collect()
    }

    #[test]
    fn a_checksum_follows_the_data_that_it_covers() {
        assert_eq!(changed(|_| {}), [""; 0]);
        assert_eq!(
            changed(|objects| objects[0].content["data"]["a"] = "z".into()),
            ["checksum/all"]
        );
        assert_eq!(
            changed(|objects| objects[0].content["data"]["b"] = "z".into()),
            ["checksum/all", "checksum/text"]
        );
        assert_eq!(
            changed(|objects| {
                let more = serde_json::json!({"d": "e"});
                objects[1].content.insert("stringData".to_owned(), more);
            }),
            ["checksum/map"]
        );
        assert_eq!(
            changed(|objects| objects[1].content["metadata"]["labels"] = serde_json::json!({})),
            [""; 0]
        );
    }

    #[test]
    fn a_new_checksum_is_what_the_template_would_have_written() {
        let mut objects = objects();
        let checksums = of_patched(&objects, |object| object.kind() == "ConfigMap");
        objects[0].content["data"]["a"] = "oth".into();
        objects[0].content["data"]["b"] = "er".into();
        renew(&mut objects, &checksums);
        let now = annotations(&objects[2]).unwrap();
        assert_eq!(now["checksum/all"], now["checksum/other"]);
    }

    #[test]
    fn a_checksum_that_was_patched_stays() {
        let change = |objects: &mut [Object]| {
            objects[0].content["data"]["a"] = "z".into();
            annotations_mut(&mut objects[2]).unwrap()["checksum/all"] = "mine".into();
        };
        let mut objects = objects();
        let checksums = of_patched(&objects, |_| true);
        change(&mut objects);
        renew(&mut objects, &checksums);
        assert_eq!(annotations(&objects[2]).unwrap()["checksum/all"], "mine");
    }
}
