//! The line that a problem is about, as far as it may be shown: a password in it may not.

use crate::report::harmless::same_width;
use crate::values::{Path, secret, yaml};

/// How much of a line is shown, in characters: up to the place, and behind it.
const BEFORE: usize = 1_000;
const BEHIND: usize = 200;

/// A line, and the bytes of it that are to be marked.
#[derive(Debug, PartialEq, Eq)]
pub struct Excerpt {
    pub line: String,
    pub start: usize,
    pub end: usize,
}

/// The place in a text, both counted from 1, of a problem with the value at `path`, which ends before the column `end`
/// where that is known. `None` where there is no such place, or it is inside of what is secret.
pub fn excerpt(
    text: &str,
    (line, column): (u32, u32),
    end: Option<u32>,
    path: Option<&Path>,
) -> Option<Excerpt> {
    // Files are read without their byte-order mark.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lines: Vec<&str> = yaml::lines(text).take(line as usize).collect();
    let (shown, before) = lines.split_last()?;
    if lines.len() != line as usize || continues_a_secret(shown, before) {
        return None;
    }
    let shown = &same_width(shown);
    let start = byte_of_column(shown, column).filter(|_| column as usize <= BEFORE)?;
    let hidden = secret::end_of_key(shown);
    let is_key = hidden.is_some_and(|end| start < end);
    if path.is_some_and(secret::is_in) && !is_key {
        return None;
    }
    let line = match hidden {
        Some(_) if !is_key => return None,
        Some(end) => with_value_hidden(shown, end),
        None => shown.clone(),
    };
    let line = without_end(&line, start);
    let guessed = || Some(start + marked_length(line.get(start..)?));
    let end = end.and_then(|end| byte_of_column(shown, end));
    // Where the line was cut, the end may be behind the cut.
    let end = end.filter(|end| line.is_char_boundary(*end) && *end >= start);
    let end = end.or_else(guessed)?;
    Some(Excerpt { line, start, end })
}

/// The line without what is too far behind the place to be shown.
fn without_end(line: &str, start: usize) -> String {
    let behind = line.get(start..).unwrap_or_default();
    match behind.char_indices().nth(BEHIND) {
        Some((length, _)) => format!("{}…", line.get(..start + length).unwrap_or_default()),
        None => line.to_owned(),
    }
}

fn with_value_hidden(line: &str, end: usize) -> String {
    let (key, value) = line.split_at_checked(end).unwrap_or((line, ""));
    match value.trim_matches([':', ' ']) {
        "" => line.to_owned(),
        _ => format!("{key}: …"),
    }
}

/// Whether a line stands inside of a value that begins on an earlier line, with a secret's key.
fn continues_a_secret(line: &str, before: &[&str]) -> bool {
    let mut outermost = indent(line);
    let mut is_next = true;
    for earlier in before.iter().rev().filter(|line| !line.trim().is_empty()) {
        let indent = indent(earlier);
        // A text with quotes may be indented too little.
        let may_hold = indent < outermost || (is_next && !line.contains(':'));
        // Looking for a secret's key takes long, and there may be many lines.
        if may_hold && secret::end_of_key(earlier).is_some() {
            return true;
        }
        is_next = false;
        outermost = outermost.min(indent);
        if outermost == 0 {
            return false;
        }
    }
    false
}

/// The column of a line's first key.
fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches([' ', '\t', '-']).len()
}

fn byte_of_column(line: &str, column: u32) -> Option<usize> {
    let skipped = column.checked_sub(1)? as usize;
    match line.char_indices().nth(skipped) {
        Some((byte, _)) => Some(byte),
        None => (line.chars().count() == skipped).then_some(line.len()),
    }
}

/// How much of the line a value takes: a scalar up to a comment, so far as one can see from here.
fn marked_length(rest: &str) -> usize {
    let value = rest.split(" #").next().unwrap_or(rest).trim_end();
    let key = value
        .find(": ")
        .or_else(|| value.strip_suffix(':').map(str::len));
    key.unwrap_or(value.len())
        .max(usize::from(!rest.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str, line: u32, column: u32) -> Option<String> {
        excerpt(text, (line, column), None, None).map(|excerpt| excerpt.line)
    }

    fn marked(text: &str, line: u32, column: u32) -> String {
        let found = excerpt(text, (line, column), None, None).unwrap();
        found.line[found.start..found.end].to_owned()
    }

    #[test]
    fn lines_and_columns_are_those_of_the_reader() {
        assert_eq!(marked("\u{feff}name: é\n", 1, 7), "é");
        assert_eq!(marked("a: 1\rb: 22 # c\rc: 3", 2, 4), "22");
        assert_eq!(marked("a: 1\r\nb: 22\r\n", 2, 4), "22");
        assert_eq!(line("a: 1\n", 3, 1), None);
        assert_eq!(line("a: 1\n", 1, 9), None);
    }

    #[test]
    fn a_password_is_not_shown() {
        for (text, at, column) in [
            ("rootPasswd: hunter2", 1, 13),
            ("rootPasswd: |\n  hunter2", 2, 3),
            ("rootPasswd:\n\n  'a\n   hunter2'", 4, 4),
            ("rootPasswd: 'a\nhunter2'", 2, 8),
            ("{rootPasswd: hunter2, timezone: 1}", 1, 33),
            ("{rootPasswd:\n  hunter2}", 2, 3),
            ("\"rootPasswd\" : hunter2", 1, 15),
            ("- root_password: hunter2", 1, 18),
            ("rootPasword: hunter2", 1, 14),
            ("rotPaswd: hunter2", 1, 11),
            ("root-pwd: hunter2", 1, 11),
            ("pasphrase: hunter2", 1, 12),
        ] {
            assert_eq!(line(text, at, column), None, "{text}");
        }
        let alias = Path::from("ltsp.config.rootPasswd");
        assert_eq!(excerpt("x: &p hunter2", (1, 7), None, Some(&alias)), None);
    }

    #[test]
    fn what_stands_around_a_password_is_shown() {
        for (text, at, column, shown) in [
            (
                "{timezone: 1, rootPasswd: hunter2}",
                1,
                12,
                "{timezone: 1, rootPasswd: …",
            ),
            ("rootPassword: hunter2", 1, 1, "rootPassword: …"),
            ("'rootPass': hunter2", 1, 1, "'rootPass': …"),
            ("rootPasswd:", 1, 1, "rootPasswd:"),
            ("rootPasword: hunter2", 1, 1, "rootPasword: …"),
            ("rotPaswd: hunter2", 1, 1, "rotPaswd: …"),
            ("path: /root", 1, 7, "path: /root"),
            ("rootfs: a", 1, 9, "rootfs: a"),
            ("passive: a", 1, 10, "passive: a"),
            (
                "config:\n  rootPasswd: a\n  timezone: b",
                3,
                13,
                "  timezone: b",
            ),
            ("- rootPasswd: a\n  timezone: b", 2, 13, "  timezone: b"),
            ("rootPasswd: a\nconfig:\n  b: c", 3, 6, "  b: c"),
        ] {
            assert_eq!(line(text, at, column).as_deref(), Some(shown), "{text}");
        }
        let key = Path::from("ltsp.config.rootPassword");
        assert!(excerpt("rootPassword: hunter2", (1, 1), None, Some(&key)).is_some());
    }
}
