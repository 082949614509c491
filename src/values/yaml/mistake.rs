//! What a person did where the parser stopped, and where: the parser itself often names a later line.

use granit_parser::{ErrorKind, Marker, ScanError};

use super::builder::Builder;
use super::lines;

/// A mistake in a person's words.
pub(super) struct Mistake {
    pub place: Marker,
    pub what: String,
    pub help: &'static str,
}

/// What is known where the parser stopped.
struct Scene<'a> {
    kind: &'a ErrorKind,
    /// The lines up to where it stopped.
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

/// How far up the reason is looked for.
const NEAR: usize = 30;

/// The mistake behind an error, where it is a known one.
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

/// A template of Helm where a value begins, which is read as a map in a map's key.
pub(super) fn template_at(text: &str, line: usize) -> Option<Mistake> {
    let found = lines(text).nth(line.checked_sub(1)?)?;
    template_in(line, found)
}

impl<'a> Scene<'a> {
    /// Where it stopped, and the lines above it, with their numbers; blank ones and comments are left out.
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

    /// Whether a value would begin where it stopped.
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

/// The parser names the end of what it read before the tab, or what follows the tab.
fn tab(text: &str, error: &ScanError) -> Option<Mistake> {
    let (first, column) = (error.marker().line(), error.marker().col());
    let names_tab = matches!(
        error.kind(),
        ErrorKind::TabNotAllowed
            | ErrorKind::TabInBlockIndentation
            | ErrorKind::TabAtBlockScalarStart
            | ErrorKind::TabInIndentation
            | ErrorKind::TabInPlainScalar
    );
    let mut following = (1..).zip(lines(text)).skip_while(|(line, _)| *line < first);
    let (line, tab) = following.find_map(|(number, line)| {
        let indent = line.find(|character| !matches!(character, ' ' | '\t'))?;
        let tab = line.get(..indent)?.find('\t')?;
        let is_meant = names_tab || number == first && column == indent;
        is_meant.then_some((number, tab))
    })?;
    mistake(line, tab, "a tab in the indentation", "indent with spaces")
}

fn conflict_marker(scene: &Scene<'_>) -> Option<Mistake> {
    let is_marker = |line: &&str| {
        ["<<<<<<<", ">>>>>>>"].iter().any(|marker| {
            line.strip_prefix(marker)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        })
    };
    let index = scene.lines.iter().position(is_marker)?;
    mistake(
        index + 1,
        0,
        "a conflict that git left here",
        "keep one side, and take out the lines with <<<<<<<, ======= and >>>>>>>",
    )
}

fn template(scene: &Scene<'_>) -> Option<Mistake> {
    template_in(scene.line, scene.here())
}

fn template_in(number: usize, line: &str) -> Option<Mistake> {
    let column = columns_before(line, line.find("{{")?);
    mistake(
        number,
        column,
        "a template of Helm, {{ … }}",
        "values files hold plain values: write what it stands for, or quote it if it is text",
    )
}

/// A character that looks like a space and is none to YAML.
pub fn is_odd_space(character: char) -> bool {
    let is_invisible = matches!(character, '\u{200b}' | '\u{2060}' | '\u{feff}');
    is_invisible || character.is_whitespace() && !matches!(character, ' ' | '\t' | '\n' | '\r')
}

fn odd_space(scene: &Scene<'_>) -> Option<Mistake> {
    scene.upwards().find_map(|(number, line)| {
        let blank = |character: char| character == ' ' || is_odd_space(character);
        let text = line.find(|character| !blank(character))?;
        let in_indent = line.get(..text)?.find(is_odd_space);
        let behind_colon = || {
            let colon = line.find(':')?;
            let behind = line.get(colon + 1..)?.chars().next()?;
            is_odd_space(behind).then_some(colon + 1)
        };
        let byte = in_indent.or_else(behind_colon)?;
        let code = u32::from(line.get(byte..)?.chars().next()?);
        let name = match code {
            0xa0 => "a no-break space".to_owned(),
            code => format!("U+{code:04X}"),
        };
        mistake(
            number,
            columns_before(line, byte),
            format!("{name} in place of a space"),
            "write plain spaces",
        )
    })
}

/// Characters that a text without quotes cannot begin with.
fn first_character(scene: &Scene<'_>) -> Option<Mistake> {
    let (line, column) = (scene.line, scene.column);
    let found = scene.here().chars().nth(column)?;
    let at_a_value = scene.is_at_a_value();
    let help = match scene.kind {
        ErrorKind::UnexpectedCharacter { .. } => "put it in quotes",
        ErrorKind::MisplacedFlowCollectionEnd if at_a_value => "put it in quotes",
        ErrorKind::MisplacedFlowCollectionEnd => {
            return mistake(
                line,
                column,
                format!("{found} closes nothing"),
                "take it out, or open it",
            );
        }
        ErrorKind::MissingAnchorOrAliasName => "put it in quotes",
        ErrorKind::InvalidBlockScalarHeader => {
            "put it in quotes; a text of several lines begins on the line below | or >"
        }
        ErrorKind::BlockSequenceEntryNotAllowed if at_a_value => {
            "put it in quotes if it is text; a list begins on the line below its key"
        }
        ErrorKind::UnexpectedEofBlockMapping if found == ',' => "put it in quotes",
        _ => return None,
    };
    mistake(
        line,
        column,
        format!("a text without quotes cannot begin with {found}"),
        help,
    )
}

fn backslash(scene: &Scene<'_>) -> Option<Mistake> {
    let is_escape = matches!(
        scene.kind,
        ErrorKind::UnknownQuotedScalarEscape
            | ErrorKind::InvalidQuotedScalarHexEscape
            | ErrorKind::InvalidUnicodeEscape
    );
    is_escape.then_some(())?;
    mistake(
        scene.line,
        scene.column,
        "a backslash in double quotes stands for no character",
        "write \\\\, or use single quotes",
    )
}

fn open_bracket(scene: &Scene<'_>) -> Option<Mistake> {
    let bracket = scene.bracket?;
    let (line, column) = (bracket.line(), bracket.col());
    let found = scene.lines.get(line.checked_sub(1)?)?.chars().nth(column)?;
    if line == scene.line {
        return None;
    }
    let what = match scene.kind {
        ErrorKind::ExpectedFlowMappingSeparator | ErrorKind::ExpectedFlowSequenceSeparator => {
            format!(
                "{found} is not closed, or a comma is missing before line {}",
                scene.line
            )
        }
        _ => format!("{found} is not closed"),
    };
    mistake(line, column, what, "close the bracket")
}

/// A quote that ends on a later line than it was meant to, or inside of its text.
fn open_quote(scene: &Scene<'_>) -> Option<Mistake> {
    let (quote, help) = match scene.kind {
        ErrorKind::InvalidTrailingDoubleQuotedScalar => {
            ('"', "a \" inside of double quotes is written \\\"")
        }
        ErrorKind::InvalidTrailingSingleQuotedScalar => {
            ('\'', "a \' inside of single quotes is written \'\'")
        }
        _ => return None,
    };
    let opened = scene
        .upwards()
        .filter(|(number, _)| *number < scene.line)
        .find(|(_, line)| line.matches(quote).count() % 2 == 1);
    match opened {
        Some((number, line)) => {
            let column = columns_before(line, line.find(quote)?);
            mistake(
                number,
                column,
                "a quote that is not closed on its line",
                "close the quote",
            )
        }
        None => mistake(
            scene.line,
            scene.column,
            "there is text behind the closing quote",
            help,
        ),
    }
}

/// Whether the parser took lines together that were meant to be keys.
fn is_about_keys(kind: &ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::MappingValueNotAllowed
            | ErrorKind::SimpleKeyExpected
            | ErrorKind::ExpectedBlockMappingKey
            | ErrorKind::ExpectedBlockSequenceEntry
            | ErrorKind::BlockSequenceEntryNotAllowed
    )
}

/// `key:value`, `-item`.
fn missing_space(scene: &Scene<'_>) -> Option<Mistake> {
    if !is_about_keys(scene.kind) {
        return None;
    }
    scene.upwards().take(3).find_map(|(number, line)| {
        let (byte, behind) = missing_space_in(line)?;
        mistake(
            number,
            columns_before(line, byte),
            format!("no space behind the {behind}"),
            "write one",
        )
    })
}

/// Where in a line a space is missing, and behind what.
pub fn missing_space_in(line: &str) -> Option<(usize, &'static str)> {
    let item = line.trim_start_matches([' ']);
    let start = line.len() - item.len();
    let mut letters = item.chars();
    if letters.next() == Some('-')
        && letters
            .next()
            .is_some_and(|next| next.is_ascii_alphabetic())
    {
        return Some((start + 1, "dash"));
    }
    let text = item.trim_start_matches("- ").trim_start();
    let start = line.len() - text.len();
    let key =
        text.find(|letter: char| !letter.is_ascii_alphanumeric() && !"_-.".contains(letter))?;
    let is_word = text.starts_with(|first: char| first.is_ascii_alphabetic());
    let behind = text.get(key..)?.strip_prefix(':')?;
    let is_glued = behind.starts_with(|next: char| !next.is_whitespace() && !"/\\:".contains(next));
    (is_word && is_glued && !behind.contains(": ")).then_some((start + key + 1, "colon"))
}

fn missing_colon(scene: &Scene<'_>) -> Option<Mistake> {
    let (above, line_above) = scene.above().unwrap_or_default();
    let (number, line) = match scene.kind {
        ErrorKind::SimpleKeyExpected if line_above.ends_with(['|', '>']) => {
            return mistake(
                scene.line,
                indent(scene.here()),
                format!("the text that line {above} announces is not indented"),
                "indent it deeper than its key",
            );
        }
        ErrorKind::SimpleKeyExpected => (scene.line, scene.here()),
        ErrorKind::MappingValueNotAllowed => (above, line_above),
        _ => return None,
    };
    if number == 0 || line.contains(':') || line.trim_start().starts_with('-') {
        return None;
    }
    mistake(
        number,
        indent(line),
        "a line without a colon",
        "write it as `key: value`",
    )
}

fn second_colon(scene: &Scene<'_>) -> Option<Mistake> {
    let is_meant =
        *scene.kind == ErrorKind::MappingValueNotAllowed && scene.before().contains(": ");
    is_meant.then_some(())?;
    mistake(
        scene.line,
        scene.column,
        "a second colon on the line",
        "put a text with a colon and a space in quotes",
    )
}

fn deeper(scene: &Scene<'_>) -> Option<Mistake> {
    let (above, line_above) = scene.above()?;
    let here = indent(scene.here());
    let is_meant = *scene.kind == ErrorKind::MappingValueNotAllowed && here > indent(line_above);
    is_meant.then_some(())?;
    mistake(
        scene.line,
        here,
        format!("indented deeper than line {above}, which has a value already"),
        "begin both in the same column",
    )
}

fn misaligned(scene: &Scene<'_>) -> Option<Mistake> {
    let is_meant = matches!(
        scene.kind,
        ErrorKind::ExpectedBlockMappingKey
            | ErrorKind::ExpectedBlockSequenceEntry
            | ErrorKind::ExpectedDocumentStart
            | ErrorKind::InvalidIndentation
    );
    let here = indent(scene.here());
    if !is_meant || scene.column != here {
        return None;
    }
    if *scene.kind == ErrorKind::ExpectedDocumentStart {
        return mistake(
            scene.line,
            here,
            "indented less than the first line",
            "begin all keys at the top in the first column",
        );
    }
    if scene.columns.contains(&here) {
        return mistake(
            scene.line,
            here,
            "a list and a map in the same column",
            "indent what belongs to an item deeper than its dash",
        );
    }
    mistake(
        scene.line,
        here,
        "the indentation is that of no line above",
        "begin in the column of the key or dash that it stands beside",
    )
}

#[cfg(test)]
mod tests;
