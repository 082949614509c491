//! Errors of decoding, with their place.

use std::fmt;

use serde::de::{Expected, Unexpected};

use super::super::nearest::nearest;
use super::super::tree::{Node, Origin, Path, Value};
use super::super::yaml::missing_space_in;
use super::found;
use super::refusal::Refusal;

/// Why a tree could not be decoded.
#[derive(Debug, Clone)]
pub(super) struct Error {
    pub fault: Fault,
    /// What to write instead, if the type that was decoded gives a hint.
    pub help: Option<String>,
    /// Set by the innermost node that failed.
    pub place: Option<Box<Place>>,
}

#[derive(Debug, Clone)]
pub(super) enum Fault {
    Message(String),
    /// None of the accepted words.
    UnknownVariant {
        /// The found value as the message quotes it.
        found: String,
        /// The found word, if the value was a text.
        word: Option<String>,
        accepted: &'static [&'static str],
    },
    MissingField(&'static str),
    /// A null in a map whose values cannot be null.
    NullEntry(String),
}

/// Where decoding failed, and what to leave out to continue without it.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub path: Path,
    pub origin: Origin,
    pub leave_out: Vec<*const Node>,
}

impl Fault {
    pub fn message(&self) -> String {
        match self {
            Fault::Message(message) | Fault::NullEntry(message) => message.clone(),
            Fault::UnknownVariant {
                found, accepted, ..
            } => {
                let accepted: Vec<String> =
                    accepted.iter().map(|text| format!("{text:?}")).collect();
                match accepted.as_slice() {
                    [] => format!("expected nothing, found {found}"),
                    [only] => format!("expected {only}, found {found}"),
                    _ => format!("expected one of {}, found {found}", accepted.join(", ")),
                }
            }
            Fault::MissingField(field) => format!("missing field {field:?}"),
        }
    }

    pub fn help(&self) -> Option<String> {
        match self {
            Fault::UnknownVariant { word, accepted, .. } => {
                nearest(word.as_deref()?, accepted.iter().copied()).map(did_you_mean)
            }
            _ => None,
        }
    }

    /// A hint for a text that was probably meant as a list or a map.
    pub fn hint(&self, node: &Node) -> Option<String> {
        let (Value::String(text), Fault::Message(message)) = (&node.value, self) else {
            return None;
        };
        let wanted = message.strip_prefix("expected ")?;
        if wanted.starts_with("a string") || wanted.starts_with("an integer") {
            return None;
        }
        match &node.origin {
            Origin::Flag(_) if text.starts_with(['[', '{']) => {
                Some("--set-json reads JSON; in --set a list is {a,b}".to_owned())
            }
            Origin::Flag(_) => None,
            Origin::Place { .. } => {
                let (_, behind) = missing_space_in(text)?;
                Some(format!("a space is missing after the {behind}?"))
            }
        }
    }
}

pub(super) fn did_you_mean(word: &str) -> String {
    format!("did you mean {word:?}?")
}

impl Error {
    pub fn message(message: String) -> Error {
        Error {
            fault: Fault::Message(message),
            help: None,
            place: None,
        }
    }

    pub fn expected(expected: impl fmt::Display, node: &Node) -> Error {
        Error::message(format!(
            "expected {expected}, found {}",
            found::described(node)
        ))
    }

    /// Whether both are about one node.
    pub fn is_about_the_same(&self, other: &Error) -> bool {
        let path = |error: &Error| error.place.as_ref().map(|place| place.path.clone());
        path(self) == path(other)
    }

    pub fn placed(mut self, place: impl FnOnce() -> Place) -> Error {
        if self.place.is_none() {
            self.place = Some(Box::new(place()));
        }
        self
    }
}

impl serde::de::Error for Error {
    fn custom<T: fmt::Display>(refusal: T) -> Error {
        let (message, help) = Refusal::read(&refusal);
        Error {
            help,
            ..Error::message(message)
        }
    }

    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Error {
        let found = found::unexpected(&unexpected);
        Error::message(format!("expected {expected}, found {found}"))
    }

    fn invalid_value(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Error {
        serde::de::Error::invalid_type(unexpected, expected)
    }

    fn unknown_variant(variant: &str, accepted: &'static [&'static str]) -> Error {
        Error {
            fault: Fault::UnknownVariant {
                found: found::clipped(variant),
                word: Some(variant.to_owned()),
                accepted,
            },
            help: None,
            place: None,
        }
    }

    fn missing_field(field: &'static str) -> Error {
        Error {
            fault: Fault::MissingField(field),
            help: None,
            place: None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.fault.message())
    }
}

impl std::error::Error for Error {}
