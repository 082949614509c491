//! What would change in a cluster, as unified diffs.

use std::fmt::Display;
use std::io::{self, Write};
use std::time::Duration;

use similar::{ChangeTag, TextDiff};

use super::Style;
use super::diagnostics::excerpt;
use super::harmless::{printable, printable_with_tabs};
use crate::cluster::fields::diff::{Change, ObjectDiff};
use crate::values::secret;

/// How many unchanged lines stand around a change.
const CONTEXT: usize = 3;
/// How long to look for the shortest diff of an object; a longer one that is found in time will do.
const PATIENCE: Duration = Duration::from_secs(2);
const NOTHING: &str = "/dev/null";

const BOLD: &str = "\u{1b}[1m";
const RED: &str = "\u{1b}[31m";
const GREEN: &str = "\u{1b}[32m";
const CYAN: &str = "\u{1b}[36m";
const RESET: &str = "\u{1b}[0m";

/// Prints a unified diff of every object, with `/dev/null` for an object that is not there before or after. Control
/// characters in values are escaped, tabs are not.
///
/// # Errors
/// Where `out` cannot be written to.
pub fn print_differences(
    differences: &[ObjectDiff],
    style: Style,
    out: &mut impl Write,
) -> io::Result<()> {
    let mut printer = Printer { style, out };
    differences
        .iter()
        .try_for_each(|difference| printer.object(difference))
}

/// Prints a unified diff of a text with that of a file. Passwords in the lines around a change are left out.
///
/// # Errors
/// Where `out` cannot be written to.
pub fn print_changed_text(
    file: &str,
    before: &str,
    after: &str,
    style: Style,
    out: &mut impl Write,
) -> io::Result<()> {
    let mut printer = Printer { style, out };
    let file = printable(file);
    printer.line(BOLD, format_args!("--- {file}"))?;
    printer.line(BOLD, format_args!("+++ {file}"))?;
    printer.changes(before, after, |line, index| {
        let number = u32::try_from(index + 1).unwrap_or(u32::MAX);
        match excerpt(after, (number, 1), None, None) {
            None => "…".to_owned(),
            Some(shown) if secret::end_of_key(line).is_some() => shown.line,
            Some(_) => line.to_owned(),
        }
    })
}

struct Printer<'a, W> {
    style: Style,
    out: &'a mut W,
}

impl<W: Write> Printer<'_, W> {
    fn object(&mut self, difference: &ObjectDiff) -> io::Result<()> {
        let object = printable(&difference.key.to_string());
        let (before, after) = match difference.change {
            Change::Create => (NOTHING.to_owned(), format!("after {object}")),
            Change::Update => (format!("live {object}"), format!("after {object}")),
            Change::Delete => (format!("live {object}"), NOTHING.to_owned()),
        };
        self.line(BOLD, format_args!("--- {before}"))?;
        self.line(BOLD, format_args!("+++ {after}"))?;
        self.changes(&difference.before, &difference.after, |line, _| {
            line.to_owned()
        })
    }

    /// The changes with the lines around them, as `shown` gives those by their text and index.
    fn changes(
        &mut self,
        before: &str,
        after: &str,
        shown: impl Fn(&str, usize) -> String,
    ) -> io::Result<()> {
        let diff = TextDiff::configure()
            .timeout(PATIENCE)
            .diff_lines(before, after);
        for hunk in diff.unified_diff().context_radius(CONTEXT).iter_hunks() {
            self.line(CYAN, hunk.header())?;
            for change in hunk.iter_changes() {
                let text = change.value().trim_end_matches(['\n', '\r']);
                let text = match (change.tag(), change.new_index()) {
                    (ChangeTag::Equal, Some(index)) => shown(text, index),
                    _ => text.to_owned(),
                };
                let text = printable_with_tabs(&text);
                match change.tag() {
                    ChangeTag::Delete => self.line(RED, format_args!("-{text}"))?,
                    ChangeTag::Insert => self.line(GREEN, format_args!("+{text}"))?,
                    ChangeTag::Equal => writeln!(self.out, " {text}")?,
                }
            }
        }
        Ok(())
    }

    fn line(&mut self, colour: &str, text: impl Display) -> io::Result<()> {
        match self.style {
            Style::Plain => writeln!(self.out, "{text}"),
            Style::Coloured => writeln!(self.out, "{colour}{text}{RESET}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::Key;

    fn printed(change: Change, before: &str, after: &str, style: Style) -> String {
        let difference = ObjectDiff {
            key: Key {
                group: "apps".to_owned(),
                kind: "StatefulSet".to_owned(),
                namespace: "farm".to_owned(),
                name: "etcd".to_owned(),
            },
            change,
            before: before.to_owned(),
            after: after.to_owned(),
        };
        let mut out = Vec::new();
        print_differences(&[difference], style, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_change_has_three_lines_around_it() {
        let before = "a: 1\nb: 1\nc: 1\nd: 1\ne: 1\nf: 1\ng: 1\nh: 1\ni: 1\n";
        let after = before.replace("e: 1", "e: 2");
        let text = printed(Change::Update, before, &after, Style::Plain);
        let expected = "--- live StatefulSet farm/etcd\n+++ after StatefulSet farm/etcd\n@@ -2,7 +2,7 @@\n \
                        b: 1\n c: 1\n d: 1\n-e: 1\n+e: 2\n f: 1\n g: 1\n h: 1\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn created_and_deleted_objects_have_one_side() {
        let created = printed(Change::Create, "", "a: 1\n", Style::Plain);
        assert_eq!(
            created,
            "--- /dev/null\n+++ after StatefulSet farm/etcd\n@@ -0,0 +1 @@\n+a: 1\n"
        );
        let deleted = printed(Change::Delete, "a: 1\n", "", Style::Plain);
        assert_eq!(
            deleted,
            "--- live StatefulSet farm/etcd\n+++ /dev/null\n@@ -1 +0,0 @@\n-a: 1\n"
        );
    }

    #[test]
    fn colours_end_with_their_line() {
        let text = printed(Change::Update, "a: 1\n", "a: 2\n", Style::Coloured);
        let expected = "\u{1b}[1m--- live StatefulSet farm/etcd\u{1b}[0m\n\
                        \u{1b}[1m+++ after StatefulSet farm/etcd\u{1b}[0m\n\
                        \u{1b}[36m@@ -1 +1 @@\u{1b}[0m\n\
                        \u{1b}[31m-a: 1\u{1b}[0m\n\u{1b}[32m+a: 2\u{1b}[0m\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn values_move_no_cursor() {
        let text = printed(
            Change::Create,
            "",
            "a: \u{1b}[2J\tb\u{202e}\n",
            Style::Plain,
        );
        assert!(text.ends_with("+a: \\u{1b}[2J\tb\\u{202e}\n"), "{text}");
    }
}
