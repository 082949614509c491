//! Builds JSON from the events of plain YAML, without places.

use std::borrow::Cow;

use granit_parser::{Event, ScalarStyle, Span};
use serde_json::map::Entry;
use serde_json::{Map, Value as Json};

use super::super::scalar::{self, Scalar};
use super::MAX_DEPTH;
use super::meaning::check_plain_key;
use super::plain::Build;

/// Builds documents as [`Builder`](super::builder::Builder) does. It gives up at any problem, and at anchors, aliases,
/// tags and merge keys.
#[derive(Default)]
pub(super) struct JsonBuilder {
    /// The documents read so far.
    pub documents: Vec<Json>,
    open: Vec<Collection>,
}

/// A list or a map whose end has not been read yet.
enum Collection {
    List(Vec<Json>),
    Map {
        entries: Map<String, Json>,
        /// Whether the value of the last key comes next.
        has_key: bool,
    },
}

impl Build for JsonBuilder {
    fn event(&mut self, event: Event<'_>, _: &Span) -> Option<()> {
        match event {
            Event::Scalar(text, style, 0, None) => self.scalar(text, style == ScalarStyle::Plain),
            Event::SequenceStart(_, 0, None) => self.start(Collection::List(Vec::new())),
            Event::MappingStart(_, 0, None) => self.start(Collection::Map {
                entries: Map::new(),
                has_key: false,
            }),
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop()? {
                Collection::List(list) => self.finish(Json::Array(list)),
                Collection::Map { entries, .. } => self.finish(Json::Object(entries)),
            },
            _ => None,
        }
    }
}

impl JsonBuilder {
    /// A key or a value; `plain` is one without quotes.
    fn scalar(&mut self, text: Cow<'_, str>, plain: bool) -> Option<()> {
        if let Some(Collection::Map { entries, has_key }) = self.open.last_mut()
            && !*has_key
        {
            if plain && (text == "<<" || check_plain_key(&text).is_err()) {
                return None;
            }
            match entries.entry(text) {
                Entry::Vacant(entry) => entry.insert(Json::Null),
                Entry::Occupied(_) => return None,
            };
            *has_key = true;
            return Some(());
        }
        let meaning = if plain {
            scalar::resolve(&text)
        } else {
            Scalar::Text
        };
        self.finish(match meaning {
            Scalar::Null => Json::Null,
            Scalar::Bool(value) => Json::Bool(value),
            Scalar::Number(value) => Json::Number(value),
            Scalar::Text => Json::String(text.into_owned()),
            Scalar::NotFinite => return None,
        })
    }

    fn start(&mut self, collection: Collection) -> Option<()> {
        let is_key = matches!(
            self.open.last(),
            Some(Collection::Map { has_key: false, .. })
        );
        if is_key || self.open.len() >= MAX_DEPTH {
            return None;
        }
        self.open.push(collection);
        Some(())
    }

    /// Adds a complete value to its collection.
    fn finish(&mut self, value: Json) -> Option<()> {
        match self.open.last_mut() {
            None => self.documents.push(value),
            Some(Collection::List(list)) => list.push(value),
            Some(Collection::Map { entries, has_key }) => {
                *entries.values_mut().next_back()? = value;
                *has_key = false;
            }
        }
        Some(())
    }
}
