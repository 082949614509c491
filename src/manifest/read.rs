//! From a template's text to objects.

mod held;

use serde_json::{Map, Value as Json};

use super::lists::Lists;
use super::object::text;
use super::{ManifestError, Object};
use crate::chart::Rendered;
use crate::chart::held::Held;
use crate::values::{Node, Origin, Path, Segment, yaml};
use held::HeldValues;

/// The objects in a template's text.
///
/// Empty documents are skipped, and a `kind: List` is replaced by its items. A key whose value is null is left out at
/// every depth: templates leave out optional keys in this way.
///
/// # Errors
/// Text that is not YAML, or a document that is not an object; both name the template and the line.
pub fn parse(source: &str, text: &str) -> Result<Vec<Object>, ManifestError> {
    parse_with(source, source, text, Vec::new())
}

/// The objects in a template's output: as [`parse`], with the values that were held beside the text.
///
/// # Errors
/// As [`parse`], and a held list or map that is only a part of a text.
pub fn parse_rendered(rendered: Rendered) -> Result<Vec<Object>, ManifestError> {
    // Places are those in the output, whose lines are not the template's.
    let origin = format!("rendered {}", rendered.source);
    parse_with(&rendered.source, &origin, &rendered.text, rendered.held)
}

/// The objects in the text of `source`, which is called `origin` in messages.
fn parse_with(
    source: &str,
    origin: &str,
    text: &str,
    held: Vec<Held>,
) -> Result<Vec<Object>, ManifestError> {
    // Without places, which only errors need.
    let (documents, mut held) = match yaml::plain_json(text) {
        Some(documents) => (documents, HeldValues::counted(text, held)),
        None => {
            let nodes = nodes(origin, text)?;
            (
                nodes.iter().map(Json::from).collect(),
                HeldValues::new(held),
            )
        }
    };
    let mut contents = Vec::new();
    for (position, document) in documents.into_iter().enumerate() {
        collect(document, &mut held, &mut contents)
            .map_err(|fault| fault.in_document(origin, text, position))?;
    }
    let objects = contents.into_iter().map(|(content, lists)| Object {
        source: source.to_owned(),
        content,
        lists,
    });
    Ok(objects.collect())
}

fn nodes(source: &str, text: &str) -> Result<Vec<Node>, ManifestError> {
    yaml::parse(source, text).map_err(|problem| ManifestError::Syntax(Box::new(problem)))
}

fn collect(
    document: Json,
    held: &mut HeldValues,
    contents: &mut Vec<(Map<String, Json>, Lists)>,
) -> Result<(), Fault> {
    let mut content = match document {
        Json::Null => return Ok(()),
        Json::Object(content) => content,
        _ => return Err(Fault::default()),
    };
    if text(&content, "kind") == "List" && text(&content, "apiVersion") == "v1" {
        let Some(Json::Array(items)) = content.shift_remove("items") else {
            return Err(Fault::new("a List needs a list of items"));
        };
        return items.into_iter().enumerate().try_for_each(|(index, item)| {
            collect(item, held, contents).map_err(|fault| fault.inside(index).inside("items"))
        });
    }
    held.fill_map(&mut content)?;
    check_identity(&content)?;
    contents.push((content, std::mem::take(&mut held.lists)));
    Ok(())
}

/// An error inside a document.
#[derive(Default)]
struct Fault {
    /// Its path from the document's root.
    path: Vec<Segment>,
    /// Whether it is about the key that the path ends in, and not its value.
    is_key: bool,
    /// `None` if there is something else than an object.
    message: Option<String>,
}

impl Fault {
    fn new(message: impl Into<String>) -> Fault {
        Fault {
            message: Some(message.into()),
            ..Fault::default()
        }
    }

    /// The same, with one more segment before its path.
    fn inside(mut self, segment: impl Into<Segment>) -> Fault {
        self.path.insert(0, segment.into());
        self
    }

    /// The error of the document at this position, with its place.
    fn in_document(self, source: &str, text: &str, position: usize) -> ManifestError {
        let nodes = match nodes(source, text) {
            Ok(nodes) => nodes,
            Err(error) => return error,
        };
        let path = Path(self.path);
        let root = nodes.get(position);
        let key = root.filter(|_| self.is_key);
        let origin = key
            .and_then(|root| root.key_origin_at(&path))
            .or_else(|| root.map(|root| root.origin_at(&path)));
        ManifestError::NotAnObject {
            origin: origin.map_or(source.to_owned(), Origin::to_string),
            document: position + 1,
            message: self.message.unwrap_or_else(|| {
                let found = root.and_then(|root| root.get(&path));
                let found = found.map_or("nothing", |node| node.value.type_name());
                format!("expected an object, found {found}")
            }),
        }
    }
}

fn check_identity(content: &Map<String, Json>) -> Result<(), Fault> {
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
        Some((field, _)) => Err(Fault::new(format!("an object needs the text {field}"))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::held::MARK;

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
        let held = held.iter().cloned().map(Held::Json);
        parse_with("x", "x", &text, held.collect())
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
    fn a_held_text_inside_a_text_is_written_as_a_short_one() {
        let held = [serde_json::json!("a\"b")];
        let objects = with_name(&format!("'x \"{MARK}0\" y'"), &held).unwrap();
        assert_eq!(objects[0].name(), "x \"a\\\"b\" y");
    }

    #[test]
    fn a_list_inside_a_text_and_a_placeholder_without_a_value_are_errors() {
        let held = [serde_json::json!(["a"])];
        for name in [format!("x-{MARK}0"), format!("{MARK}1"), format!("{MARK}")] {
            let error = with_name(&name, &held).unwrap_err().to_string();
            assert!(error.starts_with("x:3:"), "{error}");
        }
    }

    #[test]
    fn a_held_value_may_have_two_placeholders() {
        let held = [serde_json::json!({"b": [1]})];
        let objects = with_name(&format!("a, x: \"{MARK}0\", z: \"{MARK}0\""), &held).unwrap();
        let metadata = serde_json::json!({"name": "a", "x": {"b": [1]}, "z": {"b": [1]}});
        assert_eq!(objects[0].content["metadata"], metadata);
        let objects = with_name(&format!("a, x: &x \"{MARK}0\", z: *x"), &held).unwrap();
        assert_eq!(objects[0].content["metadata"], metadata);
    }

    #[test]
    fn errors_deep_inside_have_their_own_place() {
        let held = [serde_json::json!(1)];
        let error = with_name(&format!("a, x: [1, {{\"{MARK}0\": 2}}]"), &held).unwrap_err();
        assert_eq!(
            error.to_string(),
            "x:3:29: document 1: a key has to be a text"
        );
        let text =
            "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: List, items: [1]}\n";
        assert_eq!(
            parse("x", text).unwrap_err().to_string(),
            "x:4:40: document 1: expected an object, found a number"
        );
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
    fn a_document_that_is_not_an_object_is_reported() {
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
