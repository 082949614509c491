//! A manifest as YAML documents or as one JSON list.

use std::borrow::Cow;
use std::io::{self, Write};

use serde::Serialize;
use serde_json::Value as Json;

use super::{Manifest, Object};
use crate::parallel;
use crate::values::write::push_map_with;

/// Writes one YAML document for each object, after a comment that names its template:
/// `# Source: kubernetes/templates/etcd.yaml`.
///
/// # Errors
/// Those of `out`.
pub fn write_yaml(manifest: &Manifest, out: &mut impl Write) -> io::Result<()> {
    /// How many documents are in memory at a time.
    const BATCH: usize = 16;
    for objects in manifest.objects().chunks(BATCH) {
        for document in parallel::map(objects, document) {
            out.write_all(document.as_bytes())?;
        }
    }
    Ok(())
}

/// Writes one object of kind `List`, indented.
///
/// # Errors
/// Those of `out`.
pub fn write_json(manifest: &Manifest, out: &mut impl Write) -> io::Result<()> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct List<'a> {
        api_version: &'static str,
        kind: &'static str,
        items: Vec<Cow<'a, serde_json::Map<String, Json>>>,
    }
    let list = List {
        api_version: "v1",
        kind: "List",
        items: manifest.objects().iter().map(Object::whole).collect(),
    };
    serde_json::to_writer_pretty(&mut *out, &list)?;
    out.write_all(b"\n")
}

/// One object as a YAML document, with its separator and its source.
pub(super) fn document(object: &Object) -> String {
    let mut text = String::with_capacity(4096);
    text.extend(["---\n# Source: ", &object.source, "\n"]);
    push_map_with(&mut text, &object.content, &object.lists);
    text
}
