//! The lines of a YAML text, and additions to them.

use serde_json::{Value as Json, json};

use super::flow::{entry, flow};
use crate::values::yaml::{ends, last_inside};
use crate::values::{Node, Origin, Value, to_yaml};

/// A line: where it begins, and its text without what ends it.
struct Line<'a> {
    start: usize,
    text: &'a str,
}

impl Line<'_> {
    fn indent(&self) -> usize {
        self.text.len() - self.text.trim_start_matches(' ').len()
    }

    fn content(&self) -> &str {
        self.text.trim_start_matches(' ')
    }

    /// Whether a document ends here.
    fn is_marker(&self) -> bool {
        let is = |marker| {
            self.text
                .strip_prefix(marker)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        };
        is("---") || is("...")
    }
}

/// A text by its lines.
pub struct Layout<'a> {
    text: &'a str,
    lines: Vec<Line<'a>>,
    /// What ends a line.
    newline: &'static str,
}

impl<'a> Layout<'a> {
    pub fn new(text: &'a str) -> Layout<'a> {
        let mut start = 0;
        let lines = text.split_inclusive('\n').map(|whole| {
            let line = Line {
                start,
                text: whole.trim_end_matches(['\n', '\r']),
            };
            start += whole.len();
            line
        });
        Layout {
            lines: lines.collect(),
            text,
            newline: if text.contains("\r\n") { "\r\n" } else { "\n" },
        }
    }

    /// The text with an item more at the end of a list.
    pub fn with_item(&self, list: &Node, item: &Json) -> Option<String> {
        let Value::List(items) = &list.value else {
            return None;
        };
        let start = self.offset(place(&list.origin)?)?;
        if self.text.get(start..)?.starts_with('[') {
            return self.in_brackets(&list.origin, &flow(item));
        }
        let (line, dash) = self.dash(place(&list.origin)?)?;
        let end = self.end_of_block(line, dash, true);
        // The item looks like the last one.
        let last = place(&items.last()?.origin)?;
        let is_in_brackets = self.text.get(self.offset(last)?..)?.starts_with('{');
        let first = place(&items.first()?.origin)?;
        let inside = if first.0 == line {
            first.1.checked_sub(1)?
        } else {
            dash + 2
        };
        let text = if is_in_brackets {
            flow(item) + "\n"
        } else {
            to_yaml(item)
        };
        let lead = format!(
            "{}-{}",
            " ".repeat(dash),
            " ".repeat(inside.checked_sub(dash + 1)?)
        );
        Some(self.inserted(end, &indented(&text, &lead, inside)))
    }

    /// The line, from 1, and the column, from 0, of the first dash of a list. The reader gives its place, or that of
    /// what stands behind it.
    fn dash(&self, (line, column): (usize, usize)) -> Option<(usize, usize)> {
        let row = self.lines.get(line.checked_sub(1)?)?.text;
        let behind = row.get(column.checked_sub(1)?..)?;
        if behind == "-" || behind.starts_with("- ") {
            return Some((line, column - 1));
        }
        let before = row.get(..column - 1)?;
        let inside = before.trim_start().strip_prefix('-').map(str::trim_start);
        if inside.is_some_and(|inside| inside.is_empty() || inside.starts_with('#')) {
            return Some((line, before.len() - before.trim_start().len()));
        }
        let mut above = self.lines.get(..line - 1)?.iter().enumerate().rev();
        let (index, row) = above.find(|(_, row)| row.content().starts_with('-'))?;
        Some((index + 1, row.indent()))
    }

    /// The text with a key more at the end of a map.
    pub fn with_key(&self, map: &Node, key: &str, value: &Json) -> Option<String> {
        let (line, column) = place(&map.origin)?;
        let start = self.offset((line, column))?;
        if self.text.get(start..)?.starts_with('{') {
            return self.in_brackets(&map.origin, &entry(key, value));
        }
        let indent = column.checked_sub(1)?;
        let end = self.end_of_block(line, indent, false);
        let text = to_yaml(&json!({ key: value }));
        Some(self.inserted(end, &indented(&text, &" ".repeat(indent), indent)))
    }

    /// The text with a value for a key that has none, or null.
    pub fn with_value(&self, key: &Origin, value: &Json) -> Option<String> {
        let (line, column) = place(key)?;
        let last = u32::try_from(line).ok()?;
        let found = ends(self.text, last);
        let key_end = *found.get(&(last, u32::try_from(column).ok()?))?;
        let behind = self.offset((line, key_end as usize))?;
        let row = self.lines.get(line.checked_sub(1)?)?;
        let row_end = row.start + row.text.len();
        let colon = behind + self.text.get(behind..row_end)?.find(':')? + 1;
        let rest = self.text.get(colon..row_end)?;
        let word = rest.split(" #").next()?.trim();
        if !["", "~", "null", "Null", "NULL"].contains(&word) {
            return None;
        }
        let word_end = colon + rest.find(word)? + word.len();
        let without = format!("{}{}", self.text.get(..colon)?, self.text.get(word_end..)?);
        let gone = word_end - colon;
        let layout = Layout::new(&without);
        let next = row.start + row.text.len() - gone;
        let at = match without.get(next..)?.find('\n') {
            Some(end) => next + end + 1,
            None => without.len(),
        };
        let indent = column - 1 + 2;
        let text = to_yaml(value);
        Some(layout.inserted(at, &indented(&text, &" ".repeat(indent), indent)))
    }

    /// The text with values behind everything.
    pub fn at_end(&self, values: &Json) -> String {
        self.inserted(self.text.len(), &to_yaml(values))
    }

    /// The text with something more in a list or map with brackets.
    fn in_brackets(&self, bracket: &Origin, more: &str) -> Option<String> {
        let (line, column) = place(bracket)?;
        let as_u32 = |number: usize| u32::try_from(number).ok();
        let last = last_inside(self.text, (as_u32(line)?, as_u32(column)?));
        let (at, more) = match last {
            Some((line, column)) => {
                let at = self.offset((line as usize, column as usize))?;
                (at, format!(", {more}"))
            }
            None => (self.offset((line, column))? + 1, more.to_owned()),
        };
        Some(format!(
            "{}{more}{}",
            self.text.get(..at)?,
            self.text.get(at..)?
        ))
    }

    /// The text with lines more. A last line that is not ended stays so.
    fn inserted(&self, at: usize, lines: &str) -> String {
        let (before, after) = self.text.split_at_checked(at).unwrap_or((self.text, ""));
        let lines = lines.replace('\n', self.newline);
        if before.is_empty() || before.ends_with('\n') {
            return format!("{before}{lines}{after}");
        }
        let lines = lines.strip_suffix(self.newline).unwrap_or(&lines);
        format!("{before}{}{lines}{after}", self.newline)
    }

    /// Where a list or a map without brackets ends: behind its last line. It starts on `line`, counted from 1, with
    /// dashes or keys behind so many spaces.
    fn end_of_block(&self, line: usize, indent: usize, is_list: bool) -> usize {
        let mut end = line;
        for (index, line) in self.lines.iter().enumerate().skip(line) {
            let content = line.content();
            if content.is_empty() {
                continue;
            }
            let is_deeper = line.indent() > indent;
            if content.starts_with('#') && !is_deeper {
                // It may be about what follows.
                if is_list || line.indent() < indent {
                    continue;
                }
            } else if line.is_marker() {
                break;
            } else if !is_deeper {
                let is_dash = content == "-" || content.starts_with("- ");
                if line.indent() < indent || (is_list && !is_dash) {
                    break;
                }
            }
            end = index + 1;
        }
        self.lines
            .get(end)
            .map_or(self.text.len(), |line| line.start)
    }

    /// The position of a line and a column, both from 1.
    fn offset(&self, (line, column): (usize, usize)) -> Option<usize> {
        let line = self.lines.get(line.checked_sub(1)?)?;
        let column = column.checked_sub(1)?;
        let mut columns = line.text.char_indices().map(|(byte, _)| byte);
        let byte = columns.nth(column).or_else(|| {
            let is_end = line.text.chars().count() == column;
            is_end.then_some(line.text.len())
        });
        Some(line.start + byte?)
    }
}

fn place(origin: &Origin) -> Option<(usize, usize)> {
    match origin {
        Origin::Place { line, column, .. } => Some((*line as usize, *column as usize)),
        Origin::Flag(_) => None,
    }
}

/// Lines behind so many spaces, the first of them behind `lead`.
fn indented(text: &str, lead: &str, indent: usize) -> String {
    let lines = text.split_inclusive('\n').enumerate();
    let spaces = " ".repeat(indent);
    let lines = lines.map(|(index, line)| {
        let lead = if index == 0 { lead } else { &spaces };
        format!("{lead}{line}")
    });
    lines.collect()
}
