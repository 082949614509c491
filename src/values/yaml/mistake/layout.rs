//! Keys, items and their indentation.

use granit_parser::ErrorKind;

use super::{Mistake, Scene, columns_before, indent, mistake};

/// Whether the parser read lines as one text that were meant as keys.
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
pub fn missing_space(scene: &Scene<'_>) -> Option<Mistake> {
    if !is_about_keys(scene.kind) {
        return None;
    }
    scene.upwards().take(3).find_map(|(number, line)| {
        let (byte, behind) = missing_space_in(line)?;
        mistake(
            number,
            columns_before(line, byte),
            format!("a space is missing after the {behind}"),
            "write one",
        )
    })
}

/// Where in a line a space is missing, and after what.
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

pub fn missing_colon(scene: &Scene<'_>) -> Option<Mistake> {
    let (above, line_above) = scene.above().unwrap_or_default();
    let (number, line) = match scene.kind {
        ErrorKind::SimpleKeyExpected if line_above.ends_with(['|', '>']) => {
            return mistake(
                scene.line,
                indent(scene.here()),
                format!("the text that belongs to line {above} is not indented"),
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
        "this line has no colon",
        "write it as `key: value`",
    )
}

pub fn second_colon(scene: &Scene<'_>) -> Option<Mistake> {
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

pub fn deeper(scene: &Scene<'_>) -> Option<Mistake> {
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

pub fn misaligned(scene: &Scene<'_>) -> Option<Mistake> {
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
        "no line above has this indentation",
        "align it with the key or dash that it belongs beside",
    )
}
