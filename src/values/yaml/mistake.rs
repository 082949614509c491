//! Recognises common mistakes behind an error of the parser, with their place: the parser often reports a later line.

mod characters;
mod layout;

use granit_parser::{ErrorKind, Marker, ScanError};

use super::builder::Builder;
use super::lines;
pub use characters::is_odd_space;
use characters::{
    backslash, conflict_marker, first_character, odd_space, open_bracket, open_quote, tab,
    template, template_in,
};
pub use layout::missing_space_in;
use layout::{deeper, misaligned, missing_colon, missing_space, second_colon};

/// A mistake as it is reported.
pub(super) struct Mistake {
    pub place: Marker,
    pub what: String,
    pub help: &'static str,
}

/// The text around the place where the parser stopped.
struct Scene<'a> {
    kind: &'a ErrorKind,
    /// The lines up to that place.
    lines: Vec<&'a str>,
    /// The number of the last of them, from 1.
    line: usize,
    /// In characters, from 0.
    column: usize,
    /// Where the innermost list or map with brackets begins, if it is open.
    bracket: Option<Marker>,
    /// The columns of the open lists and maps without brackets, from 0.
    columns: Vec<usize>,
}

/// How many lines up a mistake is looked for.
const NEAR: usize = 30;

/// The mistake behind an error, if it is a known one.
pub(super) fn recognised(text: &str, error: &ScanError, builder: &Builder) -> Option<Mistake> {
    let marker = error.marker();
    let scene = Scene {
        kind: error.kind(),
        lines: lines(text).take(marker.line().max(1)).collect(),
        line: marker.line().max(1),
        column: marker.col(),
        bracket: builder.open_bracket(),
        columns: builder.open_columns(),
    };
    tab(text, error).or_else(|| {
        [
            conflict_marker,
            template,
            odd_space,
            first_character,
            backslash,
            open_bracket,
            open_quote,
            missing_space,
            missing_colon,
            second_colon,
            deeper,
            misaligned,
        ]
        .iter()
        .find_map(|rule| rule(&scene))
    })
}

/// A Helm template in place of a value, which YAML reads as a map in a map's key.
pub(super) fn template_at(text: &str, line: usize) -> Option<Mistake> {
    let found = lines(text).nth(line.checked_sub(1)?)?;
    template_in(line, found)
}

impl<'a> Scene<'a> {
    /// The line where it stopped and those above it, with their numbers, without blank lines and comments.
    fn upwards(&self) -> impl Iterator<Item = (usize, &'a str)> {
        let numbered = (1..).zip(self.lines.iter().copied());
        let numbered: Vec<(usize, &str)> = numbered.collect();
        let is_content =
            |(_, line): &(usize, &str)| !matches!(line.trim().chars().next(), None | Some('#'));
        numbered.into_iter().rev().take(NEAR).filter(is_content)
    }

    /// The line where it stopped.
    fn here(&self) -> &'a str {
        self.lines.get(self.line - 1).copied().unwrap_or_default()
    }

    /// The nearest line above with content, and its number.
    fn above(&self) -> Option<(usize, &'a str)> {
        self.upwards().find(|(number, _)| *number < self.line)
    }

    fn before(&self) -> String {
        self.here().chars().take(self.column).collect()
    }

    /// Whether the parser expected a value where it stopped.
    fn is_at_a_value(&self) -> bool {
        let before = self.before();
        matches!(
            before.trim_end().chars().last(),
            None | Some(':' | '-' | ',' | '[' | '{')
        )
    }
}

fn mistake(
    line: usize,
    column: usize,
    what: impl Into<String>,
    help: &'static str,
) -> Option<Mistake> {
    Some(Mistake {
        place: Marker::new(0, line, column),
        what: what.into(),
        help,
    })
}

fn indent(line: &str) -> usize {
    line.chars()
        .take_while(|character| *character == ' ')
        .count()
}

fn columns_before(line: &str, byte: usize) -> usize {
    line.get(..byte).map_or(0, |before| before.chars().count())
}

#[cfg(test)]
mod tests;
