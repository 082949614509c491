//! A character in the wrong place, or missing where it was meant.

use granit_parser::{ErrorKind, ScanError};

use super::{Mistake, Scene, columns_before, mistake};
use crate::values::yaml::lines;

/// The parser reports the end of the text before the tab, or the text after it.
pub fn tab(text: &str, error: &ScanError) -> Option<Mistake> {
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

pub fn conflict_marker(scene: &Scene<'_>) -> Option<Mistake> {
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
        "an unresolved conflict of git",
        "keep one side, and remove the lines with <<<<<<<, ======= and >>>>>>>",
    )
}

pub fn template(scene: &Scene<'_>) -> Option<Mistake> {
    template_in(scene.line, scene.here())
}

pub fn template_in(number: usize, line: &str) -> Option<Mistake> {
    let column = columns_before(line, line.find("{{")?);
    mistake(
        number,
        column,
        "a Helm template, {{ … }}",
        "values files hold plain values: write what it stands for, or quote it if it is text",
    )
}

/// A character that looks like a space but is not one to YAML.
pub fn is_odd_space(character: char) -> bool {
    let is_invisible = matches!(character, '\u{200b}' | '\u{2060}' | '\u{feff}');
    is_invisible || character.is_whitespace() && !matches!(character, ' ' | '\t' | '\n' | '\r')
}

pub fn odd_space(scene: &Scene<'_>) -> Option<Mistake> {
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
pub fn first_character(scene: &Scene<'_>) -> Option<Mistake> {
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
                format!("{found} without an opening bracket"),
                "remove it, or add the opening bracket",
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

pub fn backslash(scene: &Scene<'_>) -> Option<Mistake> {
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

pub fn open_bracket(scene: &Scene<'_>) -> Option<Mistake> {
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

/// A quoted text that ends on a later line than was meant, or too early, inside of its text.
pub fn open_quote(scene: &Scene<'_>) -> Option<Mistake> {
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
            "there is text after the closing quote",
            help,
        ),
    }
}
