//! Writes one text.

use std::fmt::Write;

/// The three ways to write a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// As it is.
    Plain,
    /// In double quotes, with escapes.
    Quoted,
    /// A block of lines after `|`.
    Literal,
}

/// The most readable style in which every reader reads the text back unchanged.
pub(super) fn style(text: &str) -> Style {
    if is_plain(text) {
        Style::Plain
    } else if is_literal(text) {
        Style::Literal
    } else {
        Style::Quoted
    }
}

/// Writes a text on one line: as it is or in double quotes.
pub(super) fn one_line(out: &mut String, text: &str) {
    if is_plain(text) {
        out.push_str(text);
    } else {
        quoted(out, text);
    }
}

/// A plain text starts with a letter, `/`, or `--` and a letter; contains only ASCII letters, digits, single spaces and
/// signs without a meaning inside a line; and is not a word that YAML 1.1 reads as something else. A text that starts
/// with a digit, a sign or a point could be a number, a date or a time to some reader.
#[allow(
    clippy::indexing_slicing,
    reason = "the table has an entry for every byte"
)]
fn is_plain(text: &str) -> bool {
    let bytes = text.as_bytes();
    let (start, is_first) = match bytes {
        [b'-', b'-', letter, ..] => (*letter, false),
        [letter, ..] => (*letter, true),
        [] => return false,
    };
    if !(start.is_ascii_alphabetic() || start == b'/' && is_first) {
        return false;
    }
    let mut before = start;
    for byte in bytes {
        let ends_a_word = matches!(before, b' ' | b':') && *byte == b' ';
        if ends_a_word || !IS_PLAIN[usize::from(*byte)] {
            return false;
        }
        before = *byte;
    }
    !matches!(before, b' ' | b':') && !is_reserved_word(text)
}

/// For every byte whether a plain text may contain it; a table, since most bytes that are written are such.
#[allow(clippy::indexing_slicing, reason = "checked by the compiler")]
static IS_PLAIN: [bool; 256] = {
    let mut is_plain = [false; 256];
    let mut byte = 0;
    while byte < u8::MAX {
        is_plain[byte as usize] = is_plain_byte(byte);
        byte += 1;
    }
    is_plain
};

const fn is_plain_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b' ' | b'_'
                | b'-'
                | b'.'
                | b'/'
                | b':'
                | b'@'
                | b'%'
                | b'+'
                | b'='
                | b','
                | b'('
                | b')'
                | b';'
                | b'$'
        )
}

fn is_reserved_word(text: &str) -> bool {
    const LONGEST: usize = 8;
    const WORDS: [&str; 12] = [
        "y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf", "infinity",
    ];
    text.len() <= LONGEST && WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// A literal text has several lines, all of them printable, and none of them blank only.
fn is_literal(text: &str) -> bool {
    let Some(first_break) = text.find('\n') else {
        return false;
    };
    let has_content = first_break > 0 || text.bytes().any(|byte| byte != b'\n');
    has_content
        && text
            .chars()
            .all(|character| matches!(character, '\n' | '\t') || is_printable(character))
        && text
            .split('\n')
            .all(|line| line.is_empty() || !line.bytes().all(|byte| matches!(byte, b' ' | b'\t')))
}

/// `|`, the indentation of the lines if a reader could not see it, and what happens to line feeds at the end.
pub(super) fn literal_header(out: &mut String, text: &str) {
    out.push('|');
    if text.starts_with([' ', '\t', '\n']) {
        out.push('2');
    }
    if !text.ends_with('\n') {
        out.push('-');
    } else if text.ends_with("\n\n") {
        out.push('+');
    }
}

/// Writes a text in double quotes, as JSON that is YAML too: every escape is one that both share.
///
/// Escaped are all characters that JSON requires to be, and those that YAML 1.1 or 1.2 do not accept, or fold, inside
/// quotes: controls with DEL and C1, line separators, the byte order mark, non-characters. Others are never written as
/// surrogate pairs, which YAML does not join.
pub fn quoted(out: &mut String, text: &str) {
    out.push('"');
    let mut rest = text;
    // Nearly all characters need no escape.
    while let Some(position) = rest.bytes().position(|byte| !is_itself(byte)) {
        let (before, behind) = rest.split_at_checked(position).unwrap_or((rest, ""));
        out.push_str(before);
        let mut characters = behind.chars();
        if let Some(character) = characters.next() {
            escaped(out, character);
        }
        rest = characters.as_str();
    }
    out.push_str(rest);
    out.push('"');
}

/// Whether this byte is a character that is never escaped.
fn is_itself(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\')
}

fn escaped(out: &mut String, character: char) {
    match character {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\n' => out.push_str("\\n"),
        '\t' => out.push_str("\\t"),
        '\r' => out.push_str("\\r"),
        _ if is_printable(character) => out.push(character),
        _ => {
            // Every character that is not printable has at most four hexadecimal digits. Writing to a String cannot fail.
            let _ = write!(out, "\\u{:04x}", u32::from(character));
        }
    }
}

/// Whether YAML 1.1 and 1.2 accept the character in a line (YAML 1.1 `c-printable` without line breaks).
pub(super) fn is_printable(character: char) -> bool {
    match character {
        ' '..='~' => true,
        '\u{A0}'..='\u{FFFD}' => !matches!(character, '\u{2028}' | '\u{2029}' | '\u{FEFF}'),
        _ => character >= '\u{10000}',
    }
}
