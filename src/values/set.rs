//! Helm's `--set` grammar.
//!
//! `a.b=1`, `a[0].b=x`, `a={x,y}`, several with commas; a backslash escapes the next character. The rules are those of
//! Helm's `pkg/strvals`, with one difference: what Helm drops silently (an empty key, a key without `=` at the end
//! after a dot or an index, a lone backslash at the end) is an error here.

mod json;
mod parser;
mod walk;

use std::sync::Arc;

use super::merge;
use super::problem::{Problem, Severity};
use super::tree::{Node, Origin, Value};
use json::Unique;
use parser::Parser;

/// The highest list index that may be set (Helm's `strvals.MaxIndex`).
pub const MAX_INDEX: usize = 65_536;

/// How many dots a key may have (Helm's `strvals.MaxNestedNameLevel`).
pub const MAX_NESTED_NAMES: usize = 30;

/// Which flag was given; they share the grammar of keys and differ in what a value means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flag {
    /// `--set`: `true`, `false`, `null` and integers without leading zeros are typed, everything else is text.
    Set,
    /// `--set-string`: every value is text.
    SetString,
    /// `--set-file`: every value is the path of a file whose content is the text.
    SetFile,
    /// `--set-json`: every value is JSON; or the whole flag is one JSON object, which is merged as a layer.
    SetJson,
}

impl Flag {
    /// The flag as it is typed.
    pub fn name(self) -> &'static str {
        match self {
            Flag::Set => "--set",
            Flag::SetString => "--set-string",
            Flag::SetFile => "--set-file",
            Flag::SetJson => "--set-json",
        }
    }
}

/// Applies one flag to `tree`, whose root must be a map. Every leaf it changes has the flag and the key as its origin,
/// without the value, which may be secret.
///
/// `read` gives the content of a file named by `--set-file`, or what went wrong.
///
/// # Errors
///
/// The flag does not follow the grammar, leads through a value that is not a map or list, or names a file that cannot
/// be read; the message has the position. The tree may then have a part of the flag's values.
pub fn apply(
    tree: &mut Node,
    flag: Flag,
    text: &str,
    read: &mut dyn FnMut(&str) -> Result<String, String>,
) -> Result<(), Problem> {
    if flag == Flag::SetJson && text.trim_start().starts_with('{') {
        return merge_object(tree, text, origin(flag, "{…}"));
    }
    let Value::Map(root) = &mut tree.value else {
        let message = format!("values are {}, not a map", tree.value.type_name());
        return Err(Problem::error(message).at(origin(flag, "")));
    };
    let mut parser = Parser::new(text, flag, read);
    parser.run(root).map_err(|fault| {
        let before = text.get(..fault.position).unwrap_or(text);
        let character = before.chars().count() + 1;
        let message = format!("{}, at character {character}", fault.message);
        Problem {
            help: fault.help,
            ..Problem::error(message).at(parser.origin)
        }
    })
}

/// A flag with one of its keys.
fn origin(flag: Flag, key: &str) -> Origin {
    let text = format!("{} {}", flag.name(), key.trim());
    Origin::Flag(Arc::new(text.trim_end().to_owned()))
}

fn merge_object(tree: &mut Node, text: &str, origin: Origin) -> Result<(), Problem> {
    let Unique(layer) = serde_json::from_str(text)
        .map_err(|error| Problem::error(json::message(&error)).at(origin.clone()))?;
    let empty = Node::new(Value::Map(Box::default()), origin.clone());
    let earlier = std::mem::replace(tree, empty);
    let mut problems = Vec::new();
    *tree = merge::over(earlier, Node::from_json(layer, &origin), &mut problems);
    let is_error = |problem: &Problem| problem.severity == Severity::Error;
    match problems.into_iter().find(is_error) {
        Some(problem) => Err(problem),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
