//! Parses YAML text into nodes.
//!
//! The meaning of a document is that of Helm's reader (see [`super::scalar`]); what Helm would silently lose (duplicate
//! keys, keys that are not text, unknown tags) is an error with its place.

mod builder;
mod ends;
mod json;
mod meaning;
mod mistake;
mod plain;

pub use mistake::{is_odd_space, missing_space_in};

use std::sync::Arc;

use granit_parser::{ErrorKind, Marker, Parser, ScanError};
use serde_json::Value as Json;

use super::problem::Problem;
use super::tree::{Node, Origin};
use builder::Builder;
pub use ends::{ends, last_inside};
use json::JsonBuilder;
use mistake::Mistake;

/// How deep maps and lists may be nested, aliases included.
pub const MAX_DEPTH: usize = 128;

/// The limit for what all aliases of a stream expand to, and for what all its anchors hold: a node counts one, and so
/// does every 32 bytes of its text.
pub const MAX_ALIASED: usize = 1_000_000;

/// Reads every document of a YAML stream, from bytes as they come from a file.
///
/// # Errors
///
/// As [`parse`]; also where the bytes are not UTF-8. A byte-order mark is skipped.
pub fn read_bytes(source: &str, bytes: &[u8]) -> Result<Vec<Node>, Problem> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let error = match std::str::from_utf8(bytes) {
        Ok(text) => return parse(source, text),
        Err(error) => error,
    };
    let (before, _) = bytes.split_at(error.valid_up_to());
    let before = String::from_utf8_lossy(before);
    Err(Problem::error("not UTF-8 text")
        .at(end_of(source, &before))
        .help("values files are YAML text in UTF-8"))
}

/// Reads every document of a YAML stream. A document without content is [`Value::Null`](super::tree::Value::Null); text without any document
/// (nothing but comments) gives an empty list.
///
/// # Errors
///
/// The first problem, with its place: bad syntax, a duplicate key, a key that is not text, an unknown or recursive
/// alias, a tag that is not one of YAML's core, `.inf` and `.nan`, nesting deeper than [`MAX_DEPTH`], aliases and
/// anchors of more than [`MAX_ALIASED`].
pub fn parse(source: &str, text: &str) -> Result<Vec<Node>, Problem> {
    if let Some((before, _)) = text.split_once('\0') {
        return Err(
            Problem::error("a NUL character: this is not a text file").at(end_of(source, before))
        );
    }
    match plain::read(text, Builder::new(source)) {
        Some(builder) => Ok(builder.documents),
        None => read_whole_grammar(source, text),
    }
}

/// The documents of a stream as JSON, which takes half as long as with their places. `None` if anything is not plain,
/// which includes wrong input: [`parse`] reads that, and reports errors with their place.
pub fn plain_json(text: &str) -> Option<Vec<Json>> {
    plain::read(text, JsonBuilder::default()).map(|builder| builder.documents)
}

fn read_whole_grammar(source: &str, text: &str) -> Result<Vec<Node>, Problem> {
    let options = granit_parser::options! {
        emit_comments: false,
        // As libyaml and go-yaml read them.
        block_scalar_eof_without_line_feed: true,
    };
    let mut builder = Builder::new(source);
    for event in Parser::new_from_str_with_options(text, options) {
        let read = match event {
            Ok((event, span)) => builder.event(event, &span),
            Err(error) => Err(syntax_problem(&builder, text, &error)),
        };
        read.map_err(|problem| of_template(problem, text))?;
    }
    Ok(builder.documents)
}

/// The same problem, or one about a Helm template if that is in place of a key.
fn of_template(problem: Problem, text: &str) -> Problem {
    let Some(Origin::Place { source, line, .. }) = &problem.origin else {
        return problem;
    };
    let is_key = problem.message.starts_with("a key must be text");
    match mistake::template_at(text, *line as usize).filter(|_| is_key) {
        Some(mistake) => explained(source, mistake),
        None => problem,
    }
}

fn explained(source: &Arc<String>, mistake: Mistake) -> Problem {
    Problem::error(format!("not valid YAML: {}", mistake.what))
        .at(place(source, &mistake.place))
        .help(mistake.help)
}

/// The lines of a text as YAML has them: a line feed, a carriage return or both end one.
pub fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let end = text.find(['\n', '\r']).unwrap_or(text.len());
        let (line, behind) = text.split_at(end);
        rest = behind
            .strip_prefix("\r\n")
            .or_else(|| behind.strip_prefix(['\n', '\r']));
        Some(line)
    })
}

/// The place right after `text`, with which the source starts.
fn end_of(source: &str, text: &str) -> Origin {
    let (line, last) = lines(text).enumerate().last().unwrap_or_default();
    let column = last.chars().count();
    place(
        &Arc::new(source.to_owned()),
        &Marker::new(0, line + 1, column),
    )
}

fn place(source: &Arc<String>, marker: &Marker) -> Origin {
    Origin::Place {
        source: Arc::clone(source),
        line: u32::try_from(marker.line()).unwrap_or(u32::MAX),
        column: u32::try_from(marker.col() + 1).unwrap_or(u32::MAX),
    }
}

fn syntax_problem(builder: &Builder, text: &str, error: &ScanError) -> Problem {
    let problem = match error.kind() {
        ErrorKind::UnknownAnchor => Problem::error("there is no anchor for this alias above it")
            .help("a text that starts with * must be quoted"),
        ErrorKind::RecursionLimitExceeded => too_deep(),
        _ => match mistake::recognised(text, error, builder) {
            Some(mistake) => return explained(&builder.source, mistake),
            None => Problem::error(format!("not valid YAML: {}", error.info())),
        },
    };
    problem.at(place(&builder.source, error.marker()))
}

fn too_deep() -> Problem {
    Problem::error(format!("nested deeper than {MAX_DEPTH} levels"))
}

#[cfg(test)]
mod tests;
