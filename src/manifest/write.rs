//! A manifest as YAML documents or as one JSON list.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Value as Json;

use super::{Manifest, Object};
use crate::parallel;
use crate::values::write::push_map;

/// Writes one YAML document an object, each under a comment that names its template:
/// `# Source: kubernetes/templates/etcd.yaml`. All documents are made before the first of them is written.
///
/// # Errors
/// Those of `out`.
pub fn write_yaml(manifest: &Manifest, out: &mut impl Write) -> io::Result<()> {
    let documents = parallel::map(manifest.objects(), document);
    documents
        .iter()
        .try_for_each(|document| out.write_all(document.as_bytes()))
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
        items: Vec<&'a serde_json::Map<String, Json>>,
    }
    let list = List {
        api_version: "v1",
        kind: "List",
        items: manifest
            .objects()
            .iter()
            .map(|object| &object.content)
            .collect(),
    };
    serde_json::to_writer_pretty(&mut *out, &list)?;
    out.write_all(b"\n")
}

/// One object as a YAML document, with its separator and its source.
pub(super) fn document(object: &Object) -> String {
    let mut text = String::with_capacity(4096);
    text.extend(["---\n# Source: ", &object.source, "\n"]);
    push_map(&mut text, &object.content);
    text
}
