//! A node as words for a message, and its lenient conversions to text, numbers and booleans.

use serde::de::Unexpected;

use super::super::problem::Problem;
use super::super::scalar::number_text;
use super::super::secret;
use super::super::tree::{Node, Path, Value};

/// A node as a message describes it.
pub(super) fn described(node: &Node) -> String {
    match &node.value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => format!("the boolean {value}"),
        Value::Number(value) => format!("the number {value}"),
        Value::String(text) => format!("the string {}", clipped(text)),
        Value::List(_) => "a list".to_owned(),
        Value::Map(_) => "a map".to_owned(),
    }
}

/// As [`described`], for a value that serde found.
pub(super) fn unexpected(found: &Unexpected<'_>) -> String {
    match found {
        Unexpected::Unit | Unexpected::Option => "null".to_owned(),
        Unexpected::Bool(value) => format!("the boolean {value}"),
        Unexpected::Unsigned(value) => format!("the number {value}"),
        Unexpected::Signed(value) => format!("the number {value}"),
        Unexpected::Float(value) => format!("the number {value}"),
        Unexpected::Str(text) => format!("the string {}", clipped(text)),
        Unexpected::Seq => "a list".to_owned(),
        Unexpected::Map => "a map".to_owned(),
        other => other.to_string(),
    }
}

/// Text in quotes, cut after 40 characters.
pub(super) fn clipped(text: &str) -> String {
    const LONGEST: usize = 40;
    match text.chars().nth(LONGEST) {
        Some(_) => {
            let start: String = text.chars().take(LONGEST).collect();
            format!("{:?}", start + "…")
        }
        None => format!("{text:?}"),
    }
}

/// A scalar as text.
pub(super) fn text(node: &Node) -> Option<String> {
    match &node.value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Number(number) => Some(number_text(number)),
        _ => None,
    }
}

/// The warning for a scalar whose text YAML changed, for a program that does not know YAML's rules.
pub(super) fn rewritten(node: &Node, path: &Path) -> Option<Problem> {
    let written = clipped(node.written.as_deref()?);
    if secret::is_in(path) {
        let problem = Problem::warning("without quotes, YAML changes this text");
        return Some(problem.help("quote it"));
    }
    let kind = match node.value {
        Value::Bool(_) => "boolean",
        _ => "number",
    };
    let message = format!("{written} without quotes is the {kind} {}", text(node)?);
    Some(Problem::warning(message).help(format!("write {written}")))
}

/// A scalar as an integer, from a number or a text.
pub(super) fn integer(node: &Node) -> Option<i128> {
    match &node.value {
        Value::Number(number) => number.as_i128().or_else(|| {
            let float = number.as_f64()?;
            // Up to here every integer is a float of its own; the cast cannot lose anything.
            const EXACT: f64 = 9_007_199_254_740_992.0;
            (float.fract() == 0.0 && float.abs() <= EXACT).then_some(float as i128)
        }),
        Value::String(text) => {
            let is_decimal = text
                .strip_prefix('-')
                .unwrap_or(text)
                .bytes()
                .all(|byte| byte.is_ascii_digit());
            text.parse().ok().filter(|_| is_decimal)
        }
        _ => None,
    }
}

/// A scalar as a float, from a number or a text.
pub(super) fn float(node: &Node) -> Option<f64> {
    match &node.value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.parse().ok().filter(|value: &f64| value.is_finite()),
        _ => None,
    }
}

/// A scalar as a boolean, from a boolean or a text; the empty text is false, as in a chart's `if`.
pub(super) fn boolean(node: &Node) -> Option<bool> {
    match &node.value {
        Value::Bool(value) => Some(*value),
        Value::String(text) if text.is_empty() => Some(false),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}
