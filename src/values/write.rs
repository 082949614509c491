//! YAML that YAML 1.1 and YAML 1.2 readers read back to the same values.
//!
//! Text is written without quotes only if no reader could read it as anything else, text of several lines as a literal
//! block (`|`), everything else in double quotes. Maps keep their order; lists are not indented below their key, as
//! kubectl writes them.

mod text;

use serde_json::{Map, Number, Value};

use super::tree::{Path, Segment};
use text::Style;

pub use text::quoted;

/// An item of a list that is made while it is written: its keys that are there, and their values.
pub type Item = Vec<(&'static str, Value)>;

/// Lists that are not held in a value: a text stands in the place of each.
pub trait Lists {
    /// The list that this text stands for, if it is one of these texts.
    fn list_for(&self, text: &str) -> Option<Box<dyn Iterator<Item = Item> + '_>>;
}

/// The comment for the leaf at a path, if any.
pub type Comment<'a> = dyn Fn(&Path) -> Option<String> + 'a;

/// Writes a value as one YAML document, without `---`, ending with a line feed.
pub fn to_yaml(value: &Value) -> String {
    let mut out = String::with_capacity(1024);
    Writer::new(&mut out, None).document(value);
    out
}

/// As [`to_yaml`], for a bare map.
pub fn map_to_yaml(map: &Map<String, Value>) -> String {
    let mut out = String::with_capacity(1024);
    push_map(&mut out, map);
    out
}

/// Appends [`map_to_yaml`] to `out`.
pub fn push_map(out: &mut String, map: &Map<String, Value>) {
    if map.is_empty() {
        out.push_str("{}\n")
    } else {
        Writer::new(out, None).map(map, 0, false)
    }
}

/// The same, with lists in the places of the texts that stand for them.
pub fn push_map_with(out: &mut String, map: &Map<String, Value>, lists: &dyn Lists) {
    let mut writer = Writer::new(out, None);
    writer.lists = Some(lists);
    writer.map(map, 0, false);
}

/// As [`to_yaml`], with the comment that `comment` gives for a leaf at the end of its line. Leaves are scalars, empty
/// maps and empty lists. Control characters in a comment become spaces.
pub fn to_yaml_with_comments(value: &Value, comment: &Comment<'_>) -> String {
    let mut out = String::with_capacity(1024);
    Writer::new(&mut out, Some(comment)).document(value);
    out
}

struct Writer<'a> {
    out: &'a mut String,
    comment: Option<&'a Comment<'a>>,
    lists: Option<&'a dyn Lists>,
    /// The path of the value that is being written; kept only for comments.
    path: Path,
}

impl<'a> Writer<'a> {
    fn new(out: &'a mut String, comment: Option<&'a Comment<'a>>) -> Writer<'a> {
        Writer {
            out,
            comment,
            lists: None,
            path: Path::default(),
        }
    }

    fn document(&mut self, value: &Value) {
        match value {
            Value::Object(map) if !map.is_empty() => self.map(map, 0, false),
            Value::Array(list) if !list.is_empty() => self.list(list, 0, false),
            Value::String(text) => {
                // Readers do not agree on the indentation of a literal block at the top.
                text::quoted(self.out, text);
                self.end_leaf();
            }
            leaf => self.leaf(leaf, 0),
        }
    }

    /// `started`: the first line is already indented, after `- `.
    fn map(&mut self, map: &Map<String, Value>, indent: usize, started: bool) {
        let entries = map.iter().map(|(key, value)| (key.as_str(), value));
        self.entries(entries, indent, started);
    }

    fn entries<'v>(
        &mut self,
        entries: impl Iterator<Item = (&'v str, &'v Value)>,
        indent: usize,
        mut started: bool,
    ) {
        for (key, value) in entries {
            if !std::mem::replace(&mut started, false) {
                self.indent(indent);
            }
            self.key(key, indent);
            self.enter(|| Segment::from(key));
            match value {
                Value::Object(map) if !map.is_empty() => {
                    self.out.push('\n');
                    self.map(map, indent + 2, false);
                }
                Value::Array(list) if !list.is_empty() => {
                    self.out.push('\n');
                    self.list(list, indent, false);
                }
                Value::String(text) if self.items(text, indent, false) => {}
                leaf => {
                    self.out.push(' ');
                    self.leaf(leaf, indent + 2);
                }
            }
            self.leave();
        }
    }

    fn list(&mut self, list: &[Value], indent: usize, mut started: bool) {
        for (index, value) in list.iter().enumerate() {
            if !std::mem::replace(&mut started, false) {
                self.indent(indent);
            }
            self.out.push_str("- ");
            self.enter(|| Segment::Index(index));
            match value {
                Value::Object(map) if !map.is_empty() => self.map(map, indent + 2, true),
                Value::Array(list) if !list.is_empty() => self.list(list, indent + 2, true),
                Value::String(text) if self.items(text, indent + 2, true) => {}
                leaf => self.leaf(leaf, indent + 2),
            }
            self.leave();
        }
    }

    /// The list that a text stands for, behind a key or, `started`, behind `- `; whether it stands for one.
    fn items(&mut self, text: &str, indent: usize, started: bool) -> bool {
        let Some(items) = self.lists.and_then(|lists| lists.list_for(text)) else {
            return false;
        };
        let before = self.out.len();
        for item in items {
            let is_first = self.out.len() == before;
            if is_first && !started {
                self.out.push('\n');
            }
            if !(is_first && started) {
                self.indent(indent);
            }
            self.out.push_str("- ");
            let entries = item.iter().map(|(key, value)| (*key, value));
            self.entries(entries, indent + 2, true);
        }
        if self.out.len() == before {
            self.out.push_str(if started { "[]\n" } else { " []\n" });
        }
        true
    }

    /// Writes a key and its colon.
    fn key(&mut self, key: &str, indent: usize) {
        let start = self.out.len();
        text::one_line(self.out, key);
        // A key on one line with its colon may have 1,024 characters at most (YAML 1.2.2, 7.4).
        if self.out.len() - start > 1000 {
            self.out.insert_str(start, "? ");
            self.out.push('\n');
            self.indent(indent);
        }
        self.out.push(':');
    }

    /// Writes a scalar or an empty collection; `indent` is for the lines of a literal block.
    fn leaf(&mut self, value: &Value, indent: usize) {
        match value {
            Value::Null => self.out.push_str("null"),
            Value::Bool(true) => self.out.push_str("true"),
            Value::Bool(false) => self.out.push_str("false"),
            Value::Number(value) => number(self.out, value),
            Value::Array(_) => self.out.push_str("[]"),
            Value::Object(_) => self.out.push_str("{}"),
            Value::String(text) => match text::style(text) {
                Style::Plain => self.out.push_str(text),
                Style::Quoted => text::quoted(self.out, text),
                Style::Literal => {
                    text::literal_header(self.out, text);
                    self.end_leaf();
                    self.literal_lines(text, indent);
                    return;
                }
            },
        }
        self.end_leaf();
    }

    fn literal_lines(&mut self, text: &str, indent: usize) {
        for line in text.split_inclusive('\n') {
            if line != "\n" {
                self.indent(indent);
            }
            self.out.push_str(line);
        }
        if !text.ends_with('\n') {
            self.out.push('\n');
        }
    }

    fn end_leaf(&mut self) {
        if let Some(comment) = self.comment.and_then(|comment| comment(&self.path)) {
            self.out.push_str(" # ");
            self.out
                .extend(comment.chars().map(|character| match character {
                    _ if text::is_printable(character) => character,
                    _ => ' ',
                }));
        }
        self.out.push('\n');
    }

    fn indent(&mut self, indent: usize) {
        const SPACES: &str = "                                ";
        let mut left = indent;
        while left > 0 {
            let step = left.min(SPACES.len());
            self.out.push_str(SPACES.get(..step).unwrap_or_default());
            left -= step;
        }
    }

    fn enter(&mut self, segment: impl FnOnce() -> Segment) {
        if self.comment.is_some() {
            self.path.0.push(segment());
        }
    }

    fn leave(&mut self) {
        if self.comment.is_some() {
            self.path.0.pop();
        }
    }
}

/// YAML 1.1 recognises a float by its point, and its exponent by the sign.
fn number(out: &mut String, number: &Number) {
    let text = number.to_string();
    if !number.is_f64() {
        out.push_str(&text);
        return;
    }
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text.as_str(), None),
    };
    out.push_str(mantissa);
    if !mantissa.contains('.') {
        out.push_str(".0");
    }
    if let Some(exponent) = exponent {
        out.push('e');
        if !exponent.starts_with(['-', '+']) {
            out.push('+');
        }
        out.push_str(exponent);
    }
}

#[cfg(test)]
mod tests;
