//! Empty input: a forgotten flag, a file that is commented out, a pipe whose first command failed.

use super::super::problem::Problem;
use super::{Input, Text};

const HELP: &str = "--allow-empty accepts this";

/// The errors for empty input. `has_values` is whether any file has a value.
pub(super) fn found(inputs: &[Input], texts: &[Text<'_>], has_values: bool) -> Vec<Problem> {
    let mut problems: Vec<Problem> = texts
        .iter()
        .filter(|text| is_blank(text.bytes()))
        .map(|text| match text.source.as_str() {
            "-" => Problem::error("stdin is empty")
                .help(format!("did the command before the pipe fail? {HELP}")),
            source => Problem::error(format!("{source:?} is empty")).help(HELP),
        })
        .collect();
    if problems.is_empty() && !has_values && !inputs.iter().any(sets_a_value) {
        let sources: Vec<&str> = texts.iter().map(|text| text.source.as_str()).collect();
        let message = match sources.as_slice() {
            [] => {
                "no values are given, and the defaults alone make a farm without nodes".to_owned()
            }
            sources => format!("there are no values in {}", sources.join(", ")),
        };
        let help = match sources.as_slice() {
            [] => "pass a values file with -f; --allow-empty continues without one",
            _ => HELP,
        };
        problems.push(Problem::error(message).help(help));
    }
    problems
}

fn is_blank(bytes: &[u8]) -> bool {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    bytes.trim_ascii().is_empty()
}

fn sets_a_value(input: &Input) -> bool {
    match input {
        Input::Set(text) | Input::SetString(text) | Input::SetFile(text) | Input::SetJson(text) => {
            !text.trim().is_empty()
        }
        Input::File(_) | Input::Builtin { .. } | Input::Text { .. } => false,
    }
}
