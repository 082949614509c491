//! A JSON object a line, in the format that [`ProgressFormat`](super::ProgressFormat) documents.

use std::cell::RefCell;
use std::io::Write;

use serde_json::{Value as Json, json};

use crate::cluster::{Action, Event, Observer, Stage};
use crate::manifest::Key;
use crate::report::harmless::acts;

use super::lines::write_line;
use super::wording::{action_word, stage_kind};

/// Writes every event as a line of JSON.
pub struct JsonLines<W: Write> {
    out: RefCell<W>,
}

impl<W: Write> JsonLines<W> {
    pub fn new(out: W) -> JsonLines<W> {
        JsonLines {
            out: RefCell::new(out),
        }
    }
}

impl<W: Write> Observer for JsonLines<W> {
    fn observe(&self, event: &Event<'_>) {
        write_line(&self.out, &escaped(&to_json(event).to_string()));
    }
}

fn to_json(event: &Event<'_>) -> Json {
    match event {
        Event::Stage { stage, count } => match stage {
            Stage::Wave(name) => {
                json!({"event": "stage", "stage": stage_kind(*stage), "name": name, "count": count})
            }
            _ => json!({"event": "stage", "stage": stage_kind(*stage), "count": count}),
        },
        Event::Object { key, action } => match action {
            Action::Kept(reason) => {
                json!({"event": "object", "action": "kept", "reason": reason, "object": object(key)})
            }
            _ => json!({"event": "object", "action": action_word(action), "object": object(key)}),
        },
        Event::Warning { key, text } => {
            json!({"event": "warning", "object": object(key), "text": text})
        }
        Event::Waiting { key, reason } => {
            json!({"event": "waiting", "object": object(key), "reason": reason})
        }
        Event::Held { holder } => json!({"event": "held", "holder": holder}),
        Event::Taken { key, conflicts } => {
            let conflicts = conflicts
                .iter()
                .map(|conflict| json!({"field": conflict.field, "manager": conflict.manager}));
            let conflicts: Vec<Json> = conflicts.collect();
            json!({"event": "taken", "object": object(key), "conflicts": conflicts})
        }
        Event::Note(text) => json!({"event": "note", "text": text}),
    }
}

fn object(key: &Key) -> Json {
    json!({"group": key.group, "kind": key.kind, "namespace": key.namespace, "name": key.name})
}

/// The document with what JSON leaves bare in texts, though it ends lines for some readers or moves a terminal's cursor,
/// as JSON escapes: the values stay the same. `serde_json` escapes C0 characters itself.
fn escaped(json: &str) -> String {
    let mut line = String::with_capacity(json.len());
    for character in json.chars() {
        if acts(character) || ['\u{2028}', '\u{2029}'].contains(&character) {
            line.push_str(&format!("\\u{:04x}", u32::from(character)))
        } else {
            line.push(character)
        }
    }
    line
}
