//! A Kubernetes object, and how a template's text becomes objects.

use std::fmt;

use serde_json::{Map, Value as Json};

use super::ManifestError;
use crate::chart::Rendered;
use crate::chart::held::{MARK, placeholder};
use crate::values::{Node, Origin, Value, yaml};

/// A Kubernetes object: a map with `apiVersion`, `kind` and `metadata.name`.
#[derive(Debug, Clone, PartialEq)]
pub struct Object {
    /// The template it comes from: `kubernetes/templates/etcd.yaml`.
    pub source: String,
    pub content: Map<String, Json>,
}

/// What tells one object from another in a cluster. The version is not part of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The API group: `apps`, and `` for the core group.
    pub group: String,
    pub kind: String,
    /// `` for objects that have none.
    pub namespace: String,
    pub name: String,
}

impl Key {
    /// The key of an object; empty texts for what it does not say.
    pub fn of(content: &Map<String, Json>) -> Key {
        Key {
            group: group(content).to_owned(),
            kind: text(content, "kind").to_owned(),
            namespace: metadata(content, "namespace")
                .unwrap_or_default()
                .to_owned(),
            name: metadata(content, "name").unwrap_or_default().to_owned(),
        }
    }
}

/// `StatefulSet farm/etcd`, or `ClusterRole reader` without a namespace.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.kind)?;
        if !self.namespace.is_empty() {
            write!(f, "{}/", self.namespace)?;
        }
        f.write_str(&self.name)
    }
}

impl Object {
    /// `apps/v1`, or `v1` for the core group.
    pub fn api_version(&self) -> &str {
        text(&self.content, "apiVersion")
    }

    /// The API group: `apps`, and `` for the core group.
    pub fn group(&self) -> &str {
        group(&self.content)
    }

    /// `StatefulSet`
    pub fn kind(&self) -> &str {
        text(&self.content, "kind")
    }

    pub fn name(&self) -> &str {
        metadata(&self.content, "name").unwrap_or_default()
    }

    /// The namespace written in the object; `None` where none is.
    pub fn namespace(&self) -> Option<&str> {
        metadata(&self.content, "namespace")
    }

    /// What tells it from others.
    pub fn key(&self) -> Key {
        Key::of(&self.content)
    }

    /// Puts the object into a namespace.
    pub(super) fn set_namespace(&mut self, namespace: &str) {
        if let Some(Json::Object(metadata)) = self.content.get_mut("metadata") {
            // Beside the name, where people look for it.
            let name = metadata.keys().position(|key| key == "name");
            let place = name.map_or(metadata.len(), |place| place + 1);
            metadata.shift_remove("namespace");
            metadata.shift_insert(
                place.min(metadata.len()),
                "namespace".to_owned(),
                namespace.into(),
            );
        }
    }
}

/// The API group of an object: `apps`, and `` for the core group.
pub fn group(content: &Map<String, Json>) -> &str {
    text(content, "apiVersion")
        .rsplit_once('/')
        .map_or("", |(group, _)| group)
}

fn metadata<'a>(content: &'a Map<String, Json>, key: &str) -> Option<&'a str> {
    content.get("metadata")?.get(key)?.as_str()
}

fn text<'a>(map: &'a Map<String, Json>, key: &str) -> &'a str {
    map.get(key).and_then(Json::as_str).unwrap_or_default()
}

/// The objects in a template's text.
///
/// Empty documents are skipped and `kind: List` gives its items. A key whose value is null is left out at every
/// depth: this is how templates leave out what is not wanted.
///
/// # Errors
/// Text that is no YAML, or a document that is no object; both name the template and the line.
pub fn parse(source: &str, text: &str) -> Result<Vec<Object>, ManifestError> {
    parse_with(source, text, Vec::new())
}

/// The objects in what a template gave: as [`parse`], with the values that were held beside the text.
///
/// # Errors
/// As [`parse`], and where a value that was held is only a part of a text.
pub fn parse_rendered(rendered: Rendered) -> Result<Vec<Object>, ManifestError> {
    parse_with(&rendered.source, &rendered.text, rendered.held)
}

fn parse_with(source: &str, text: &str, mut held: Vec<Json>) -> Result<Vec<Object>, ManifestError> {
    // Once here, and not at each of a value's placeholders.
    held.iter_mut().for_each(drop_nulls);
    let documents =
        yaml::parse(source, text).map_err(|problem| ManifestError::Syntax(Box::new(problem)))?;
    let mut objects = Vec::new();
    for (position, document) in documents.into_iter().enumerate() {
        collect(document, source, position + 1, &held, &mut objects)?;
    }
    Ok(objects)
}

fn collect(
    node: Node,
    source: &str,
    document: usize,
    held: &[Json],
    objects: &mut Vec<Object>,
) -> Result<(), ManifestError> {
    let Node { value, origin } = node;
    let no_object = |message: String| ManifestError::NoObject {
        origin: origin.to_string(),
        document,
        message,
    };
    let mut map = match value {
        Value::Null => return Ok(()),
        Value::Map(map) => map,
        other => {
            let found = other.type_name();
            return Err(no_object(format!("expected an object, found {found}")));
        }
    };
    if is(&map, "kind", "List") && is(&map, "apiVersion", "v1") {
        let items = map.shift_remove("items").map(|entry| entry.node.value);
        return match items {
            Some(Value::List(items)) => items
                .into_iter()
                .try_for_each(|item| collect(item, source, document, held, objects)),
            _ => Err(no_object("a List needs a list of items".to_owned())),
        };
    }
    let content = without_nulls(map, held).map_err(|fault| ManifestError::NoObject {
        origin: fault.origin.to_string(),
        document,
        message: fault.message.to_owned(),
    })?;
    check_identity(&content).map_err(no_object)?;
    objects.push(Object {
        source: source.to_owned(),
        content,
    });
    Ok(())
}

fn is(map: &crate::values::Map, key: &str, text: &str) -> bool {
    matches!(map.get(key), Some(entry) if matches!(&entry.node.value, Value::String(value) if value == text))
}

/// What is wrong inside a document, and where.
struct Fault {
    origin: Origin,
    message: &'static str,
}

fn without_nulls(map: crate::values::Map, held: &[Json]) -> Result<Map<String, Json>, Fault> {
    let mut content = Map::with_capacity(map.len());
    for (key, entry) in map {
        let value = to_json(entry.node, held)?;
        if value.is_null() {
            continue;
        }
        match text_to_json(key, &entry.key_origin, held)? {
            Json::String(key) => content.insert(key, value),
            _ => {
                return Err(Fault {
                    origin: entry.key_origin,
                    message: "a key has to be a text",
                });
            }
        };
    }
    Ok(content)
}

fn to_json(node: Node, held: &[Json]) -> Result<Json, Fault> {
    Ok(match node.value {
        Value::Null => Json::Null,
        Value::Bool(value) => Json::Bool(value),
        Value::Number(value) => Json::Number(value),
        Value::String(value) => text_to_json(value, &node.origin, held)?,
        Value::List(list) => {
            let items = list.into_iter().map(|item| to_json(item, held));
            Json::Array(items.collect::<Result<_, Fault>>()?)
        }
        Value::Map(map) => Json::Object(without_nulls(map, held)?),
    })
}

/// A text, or the value whose placeholder it is.
fn text_to_json(text: String, origin: &Origin, held: &[Json]) -> Result<Json, Fault> {
    // Nearly every text is ASCII, which is seen faster than a single character is looked for.
    if held.is_empty() || text.is_ascii() || !text.contains(MARK) {
        return Ok(Json::String(text));
    }
    match placeholder(&text).and_then(|number| held.get(number)) {
        Some(value) => Ok(value.clone()),
        None => Err(Fault {
            origin: origin.clone(),
            message: "a value stands inside a text; join them with ~ in the template",
        }),
    }
}

fn drop_nulls(value: &mut Json) {
    match value {
        Json::Object(map) => {
            map.retain(|_, value| !value.is_null());
            map.values_mut().for_each(drop_nulls);
        }
        Json::Array(list) => list.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

fn check_identity(content: &Map<String, Json>) -> Result<(), String> {
    let is_text = |value: Option<&Json>| {
        value
            .and_then(Json::as_str)
            .is_some_and(|text| !text.is_empty())
    };
    let metadata = content.get("metadata");
    let fields = [
        ("apiVersion", content.get("apiVersion")),
        ("kind", content.get("kind")),
        (
            "metadata.name",
            metadata.and_then(|metadata| metadata.get("name")),
        ),
    ];
    match fields.into_iter().find(|(_, value)| !is_text(*value)) {
        Some((field, _)) => Err(format!("an object needs the text {field}")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_one(text: &str) -> Object {
        let mut objects = parse("kubernetes/templates/x.yaml", text).unwrap();
        assert_eq!(objects.len(), 1);
        objects.remove(0)
    }

    #[test]
    fn nulls_in_maps_are_left_out_at_every_depth() {
        let object = parse_one(
            "apiVersion: v1\nkind: Pod\nmetadata: {name: a, labels: null}\nspec:\n  x: [{a: null, b: 1}, null]\n  e: {}\n",
        );
        let spec = serde_json::json!({"x": [{"b": 1}, null], "e": {}});
        assert_eq!(object.content["spec"], spec);
        assert_eq!(object.content["metadata"], serde_json::json!({"name": "a"}));
    }

    fn with_name(name: &str, held: &[Json]) -> Result<Vec<Object>, ManifestError> {
        let text = format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}}}\n");
        parse_with("x", &text, held.to_vec())
    }

    #[test]
    fn held_values_take_the_place_of_their_placeholders() {
        let held = [
            serde_json::json!("a"),
            serde_json::json!({"x": null, "y": 1}),
        ];
        let objects = with_name(&format!("a, spec: \"{MARK}1\""), &held).unwrap();
        assert_eq!(
            objects[0].content["metadata"]["spec"],
            serde_json::json!({"y": 1})
        );
        assert_eq!(
            with_name(&format!("\"{MARK}0\""), &held).unwrap()[0].name(),
            "a"
        );
    }

    #[test]
    fn a_placeholder_inside_a_text_or_without_a_value_is_an_error() {
        let held = [serde_json::json!("a")];
        for name in [format!("x-{MARK}0"), format!("{MARK}1"), format!("{MARK}")] {
            let error = with_name(&name, &held).unwrap_err().to_string();
            assert!(error.starts_with("x:3:"), "{error}");
        }
    }

    #[test]
    fn an_object_knows_what_it_is() {
        let object =
            parse_one("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a, namespace: b}\n");
        assert_eq!(object.api_version(), "apps/v1");
        assert_eq!(object.group(), "apps");
        assert_eq!(object.key().to_string(), "Deployment b/a");
        let core = parse_one("apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n");
        assert_eq!((core.group(), core.namespace()), ("", None));
    }

    #[test]
    fn empty_documents_are_skipped_and_lists_are_opened() {
        let item = |name| format!("{{apiVersion: v1, kind: Secret, metadata: {{name: {name}}}}}");
        let list = format!(
            "apiVersion: v1\nkind: List\nitems:\n- {}\n- {}\n",
            item("b"),
            item("c")
        );
        let text = format!("---\n---\n{}\n---\n# nothing\n---\n{list}", item("a"));
        let objects = parse("x", &text).unwrap();
        let names: Vec<&str> = objects.iter().map(Object::name).collect();
        assert_eq!(names, ["a", "b", "c"]);
        assert!(parse("x", "").unwrap().is_empty());
    }

    #[test]
    fn a_document_that_is_no_object_is_named() {
        let good = "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n---\n";
        for (text, expected) in [
            ("- a\n", "expected an object, found a list"),
            (
                "kind: Pod\nmetadata: {name: a}\n",
                "needs the text apiVersion",
            ),
            (
                "apiVersion: v1\nmetadata: {name: a}\n",
                "needs the text kind",
            ),
            (
                "apiVersion: v1\nkind: Pod\nmetadata: {name: 1}\n",
                "needs the text metadata.name",
            ),
            (
                "apiVersion: v1\nkind: Pod\nmetadata: {name: ''}\n",
                "needs the text metadata.name",
            ),
            (
                "apiVersion: v1\nkind: List\n",
                "a List needs a list of items",
            ),
        ] {
            let error = parse("t.yaml", &format!("{good}{text}"))
                .unwrap_err()
                .to_string();
            assert!(error.starts_with("t.yaml:"), "{error}");
            assert!(
                error.contains("document 2") && error.contains(expected),
                "{error}"
            );
        }
        let error = parse("t.yaml", "a: [1\n").unwrap_err().to_string();
        assert!(error.starts_with("t.yaml:"), "{error}");
    }
}
