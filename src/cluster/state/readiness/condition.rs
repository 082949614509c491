//! How ready an object is, and the conditions that controllers write about it.

use serde_json::{Map, Value as Json};

use crate::manifest::json::{text_at, value_at};

/// The longest message of others that is passed on, in characters.
const LONGEST_MESSAGE: usize = 300;

/// How far an object is from what its spec asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Readiness {
    Ready,
    /// Not yet, and why.
    Waiting(String),
    /// It will not get there by itself, and why.
    Failed(String),
}

impl Readiness {
    pub(super) fn waiting(reason: impl Into<String>) -> Readiness {
        Readiness::Waiting(reason.into())
    }

    pub(super) fn failed(reason: impl Into<String>) -> Readiness {
        Readiness::Failed(reason.into())
    }
}

/// One entry of `status.conditions`.
pub(in crate::cluster::state) struct Condition<'a> {
    /// `True`, `False` or `Unknown`.
    pub status: &'a str,
    pub reason: &'a str,
    pub message: &'a str,
    /// The generation of the object that it is about, where it has one.
    pub(super) generation: Option<i64>,
}

impl Condition<'_> {
    pub fn is_true(&self) -> bool {
        self.status == "True"
    }

    /// `Pending: waiting for the issuer`
    pub fn why(&self) -> String {
        with_message(self.reason, self.message)
    }
}

pub(super) fn unseen() -> Readiness {
    Readiness::waiting("waits for its controller to see it, or its latest change")
}

pub(super) fn generation(object: &Map<String, Json>) -> i64 {
    number_at(object, &["metadata", "generation"]).unwrap_or(0)
}

pub(super) fn number_at(object: &Map<String, Json>, path: &[&str]) -> Option<i64> {
    value_at(object, path).and_then(Json::as_i64)
}

/// The condition of a type: `Ready`.
pub(in crate::cluster::state) fn condition<'a>(
    object: &'a Map<String, Json>,
    kind: &str,
) -> Option<Condition<'a>> {
    let conditions = value_at(object, &["status", "conditions"])?.as_array()?;
    let found = conditions
        .iter()
        .filter_map(Json::as_object)
        .find(|condition| text_at(condition, &["type"]) == kind)?;
    Some(Condition {
        status: text_at(found, &["status"]),
        reason: text_at(found, &["reason"]),
        message: text_at(found, &["message"]),
        generation: number_at(found, &["observedGeneration"]),
    })
}

/// `reason: message`, or the one that there is; the message in one line.
pub(in crate::cluster::state) fn with_message(reason: &str, message: &str) -> String {
    let message = one_line(message);
    match (reason.is_empty(), message.is_empty()) {
        (true, _) => message,
        (false, true) => reason.to_owned(),
        (false, false) => format!("{reason}: {message}"),
    }
}

/// A text of others, made fit for a line on a terminal: no control characters, runs of blanks as one, not too long.
pub(super) fn one_line(text: &str) -> String {
    let words = text.split(|char: char| char.is_whitespace() || char.is_control());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    let line = words.join(" ");
    match line.char_indices().nth(LONGEST_MESSAGE) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line,
    }
}
