//! The meaning of scalars, keys and tags.

use granit_parser::Tag;

use super::super::problem::Problem;
use super::super::scalar::{self, Scalar, number_text};
use super::super::tree::Value;

/// The value of a scalar, and how it was written if its text differs (see [`Node`](super::super::tree::Node)); `plain`
/// means without quotes. A tag decides the type.
pub(super) fn scalar_value(
    text: String,
    plain: bool,
    tag: Option<&Tag>,
) -> Result<(Value, Option<Box<str>>), Problem> {
    match tag {
        None if plain => plain_value(text),
        None => Ok((Value::String(text), None)),
        Some(tag) => tagged_value(text, tag).map(|value| (value, None)),
    }
}

fn tagged_value(text: String, tag: &Tag) -> Result<Value, Problem> {
    if tag.is_yaml_core_schema_tag("str") {
        return Ok(Value::String(text));
    }
    let expected = tag.core_suffix().map(str::to_owned);
    let shown = format!("{text:?} is not ");
    let (value, _) = plain_value(text)?;
    match (expected.as_deref(), value) {
        (Some("null"), Value::Null) => Ok(Value::Null),
        (Some("bool"), value @ Value::Bool(_)) => Ok(value),
        (Some("int"), Value::Number(number)) if !number.is_f64() => Ok(Value::Number(number)),
        (Some("float"), value @ Value::Number(_)) => Ok(value),
        (Some(expected @ ("null" | "bool" | "int" | "float")), _) => {
            let article = match expected {
                "null" => "",
                "int" => "an ",
                _ => "a ",
            };
            Err(Problem::error(format!("{shown}{article}{expected}")))
        }
        _ => Err(wrong_tag(tag, "a text")),
    }
}

fn plain_value(text: String) -> Result<(Value, Option<Box<str>>), Problem> {
    let (value, read) = match scalar::resolve(&text) {
        Scalar::Null => return Ok((Value::Null, None)),
        Scalar::Text => return Ok((Value::String(text), None)),
        Scalar::Bool(value) => (Value::Bool(value), value.to_string()),
        Scalar::Number(value) => {
            let read = number_text(&value);
            (Value::Number(value), read)
        }
        Scalar::NotFinite => {
            return Err(Problem::error(format!("{text} is not a number in JSON"))
                .help("quote it if it is text"));
        }
    };
    let written = (text != read).then(|| text.into_boxed_str());
    Ok((value, written))
}

/// Refuses a key without quotes that YAML readers read differently. An integer in its usual spelling becomes its text,
/// as in Helm.
pub(super) fn check_plain_key(text: &str) -> Result<(), Problem> {
    if text.is_empty() {
        return Err(Problem::error("a key must be text, but this one is empty")
            .help("a text that starts with : must be quoted"));
    }
    let read_as = match scalar::resolve(text) {
        Scalar::Text => return Ok(()),
        Scalar::Number(number) if !number.is_f64() && number.to_string() == text => return Ok(()),
        Scalar::Number(number) => format!("the number {number}"),
        Scalar::NotFinite => "a number".to_owned(),
        Scalar::Bool(value) => format!("the boolean {value}"),
        Scalar::Null => "null".to_owned(),
    };
    Err(Problem::error(format!(
        "a key must be text, but {text:?} without quotes is {read_as}"
    ))
    .help(format!("write the key as \"{text}\"")))
}

/// Refuses a tag other than the expected one on `found`.
pub(super) fn check_tag(tag: Option<&Tag>, expected: &str, found: &str) -> Result<(), Problem> {
    match tag {
        Some(tag) if !tag.is_yaml_core_schema_tag(expected) => Err(wrong_tag(tag, found)),
        _ => Ok(()),
    }
}

fn wrong_tag(tag: &Tag, found: &str) -> Problem {
    match tag.core_suffix() {
        Some(name) => Problem::error(format!("the tag !!{name} does not fit {found}")),
        // The tag is not quoted: it may be a password without quotes.
        None => Problem::error("this tag has no meaning here")
            .help("a text that starts with ! must be quoted"),
    }
}
