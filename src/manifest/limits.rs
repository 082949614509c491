//! The size limits of objects, checked before anything is sent.

use serde_json::{Map, Value as Json};

use super::{ManifestError, Object};
use crate::farm::SECRET_SIZE;

/// The sum of a ConfigMap's or Secret's values: one limit for both (ValidateConfigMap in Kubernetes' core validation).
pub const DATA_LIMIT: usize = SECRET_SIZE;

/// A request to etcd (`--max-request-bytes`, default 1.5 MiB). The API server stores at most the JSON that is measured
/// here, plus the managed fields.
pub const OBJECT_LIMIT: usize = 1536 * 1024;

/// Refuses an object that an API server or etcd would refuse.
pub(super) fn check(object: &Object) -> Result<(), ManifestError> {
    let too_large = |what, size, limit, by| ManifestError::TooLarge {
        source_name: object.source.clone(),
        object: object.key().to_string(),
        what,
        size,
        limit,
        by,
    };
    if object.group().is_empty() && ["ConfigMap", "Secret"].contains(&object.kind()) {
        let size = data_size(&object.content);
        if size > DATA_LIMIT {
            return Err(too_large("its data", size, DATA_LIMIT, "the API server"));
        }
    }
    let mut size = json_size(&object.content) + object.lists.max_size();
    if size > OBJECT_LIMIT && !object.lists.is_empty() {
        size = json_size(&object.whole());
    }
    if size > OBJECT_LIMIT {
        return Err(too_large("it", size, OBJECT_LIMIT, "etcd"));
    }
    Ok(())
}

/// The bytes of all values, those in base64 after decoding.
fn data_size(content: &Map<String, Json>) -> usize {
    let encoded_field = match content.get("kind").and_then(Json::as_str) {
        Some("Secret") => "data",
        _ => "binaryData",
    };
    ["data", "stringData", "binaryData"]
        .into_iter()
        .filter_map(|field| Some((field, content.get(field)?.as_object()?)))
        .flat_map(|(field, values)| values.values().map(move |value| (field, value)))
        .filter_map(|(field, value)| Some((field, value.as_str()?)))
        .map(|(field, text)| {
            if field == encoded_field {
                text.trim_end_matches('=').len() * 3 / 4
            } else {
                text.len()
            }
        })
        .sum()
}

/// The bytes of the object as JSON, counted without building the text.
fn json_size(content: &Map<String, Json>) -> usize {
    let mut counter = ByteCounter(0);
    // Maps with text keys can always be written, and counting cannot fail.
    let _ = serde_json::to_writer(&mut counter, content);
    counter.0
}

struct ByteCounter(usize);

impl std::io::Write for ByteCounter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
