//! A quick reader of plain YAML: block maps and lists whose texts and flow collections end on their line.
//!
//! That is nearly all that templates and values files have, and reading it takes a fifth of the instructions of the
//! whole grammar. It gives the same events as `granit_parser` or nothing at all: whatever it is not sure of, wrong
//! input included, is for the whole grammar to read, and to name the place of what is wrong.

use std::borrow::Cow;

use granit_parser::{Event, Marker, ScalarStyle, Span, StructureStyle};

use super::builder::Builder;
use crate::values::Node;

/// Longer keys are not simple ones (YAML 1.2, section 7.4.2).
const MAX_KEY: usize = 1000;

/// Reads every document of a stream, if it is plain.
pub(super) fn read(source: &str, text: &str) -> Option<Vec<Node>> {
    if !text.bytes().all(is_plain_ascii) && !text.chars().all(is_plain) {
        return None;
    }
    let mut reader = Reader {
        builder: Builder::new(source),
        open: Vec::new(),
        awaits: None,
        document: Document::Implicit,
    };
    for (number, text) in text.split('\n').enumerate() {
        let line = Line {
            text,
            number: number + 1,
            is_ascii: text.is_ascii(),
        };
        reader.line(&line)?;
    }
    reader.end_document()?;
    Some(reader.builder.documents)
}

fn is_plain_ascii(byte: u8) -> bool {
    matches!(byte, b' '..=b'~' | b'\n')
}

/// Printable, and neither a line break nor a byte-order mark to any reader.
fn is_plain(character: char) -> bool {
    matches!(character, ' '..='~' | '\n' | '\u{a0}'..='\u{2027}' | '\u{202a}'..='\u{fdcf}')
}

struct Line<'a> {
    text: &'a str,
    number: usize,
    is_ascii: bool,
}

impl<'a> Line<'a> {
    fn rest(&self, position: usize) -> Option<&'a str> {
        self.text.get(position..)
    }

    fn byte(&self, position: usize) -> Option<u8> {
        self.text.as_bytes().get(position).copied()
    }

    /// The first position from here on that is no space.
    fn skip_spaces(&self, mut position: usize) -> usize {
        while self.byte(position) == Some(b' ') {
            position += 1;
        }
        position
    }

    fn span(&self, position: usize) -> Span {
        let column = match self.is_ascii {
            true => position,
            false => self
                .text
                .get(..position)
                .map_or(0, |text| text.chars().count()),
        };
        Span::empty(Marker::new(0, self.number, column))
    }
}

/// How far a document is read.
#[derive(PartialEq, Eq)]
enum Document {
    /// Nothing yet, not even a `---`.
    Implicit,
    /// A `---` and nothing else.
    Announced,
    Begun,
}

/// A block map or list whose end was not read yet.
struct Open {
    indent: usize,
    is_list: bool,
}

struct Reader {
    builder: Builder,
    open: Vec<Open>,
    /// Where the innermost collection has a key or a dash whose value comes next, if any does.
    awaits: Option<Span>,
    document: Document,
}

impl Reader {
    fn line(&mut self, line: &Line<'_>) -> Option<()> {
        let indent = line.skip_spaces(0);
        match line.byte(indent) {
            None | Some(b'#') => return Some(()),
            _ if line.text == "---" => {
                self.end_document()?;
                self.document = Document::Announced;
                return Some(());
            }
            _ if line.text.starts_with("---") => return None,
            _ => {}
        }
        self.close(line, indent)?;
        self.entry(line, indent)
    }

    fn end_document(&mut self) -> Option<()> {
        if self.document == Document::Announced {
            return None;
        }
        while self.open.pop().is_some() {
            self.end()?;
        }
        self.document = Document::Implicit;
        Some(())
    }

    /// Ends what a line with this indent is no longer part of.
    fn close(&mut self, line: &Line<'_>, indent: usize) -> Option<()> {
        while let Some(open) = self.open.last() {
            let is_over = open.indent > indent
                || open.is_list && open.indent == indent && !is_item(line, indent);
            if !is_over {
                break;
            }
            self.open.pop();
            self.end()?;
        }
        Some(())
    }

    /// An item of a block list, or a key of a block map, with what follows on the line.
    fn entry(&mut self, line: &Line<'_>, position: usize) -> Option<()> {
        if is_item(line, position) {
            self.enter(line, position, true)?;
            let value = line.skip_spaces(position + 1);
            if self.is_entry(line, value)? {
                return self.entry(line, value);
            }
            return self.whole_value(line, value);
        }
        let colon = end_of_key(line, position)?;
        self.enter(line, position, false)?;
        self.key(line, position, colon)?;
        self.awaits = Some(line.span(colon));
        let value = line.skip_spaces(colon + 1);
        match line.byte(value) {
            None => Some(()),
            Some(b'#') if value > colon + 1 => Some(()),
            _ => self.whole_value(line, value),
        }
    }

    /// Whether a collection begins right behind a dash. Nothing there at all is not plain.
    fn is_entry(&self, line: &Line<'_>, position: usize) -> Option<bool> {
        match line.byte(position)? {
            b'#' => None,
            b'[' | b'{' => Some(false),
            _ => Some(is_item(line, position) || end_of_key(line, position).is_some()),
        }
    }

    /// Goes on with the innermost collection, or begins one there as the value that is awaited.
    fn enter(&mut self, line: &Line<'_>, indent: usize, is_list: bool) -> Option<()> {
        let goes_on = match self.open.last() {
            None => false,
            Some(open) => open.indent == indent && open.is_list == is_list,
        };
        if goes_on {
            self.no_value()?;
        } else {
            // A list in a map may be no deeper than its key. Its place is then its first item's, to the parser.
            let is_shallow = is_list
                && matches!(self.open.last(), Some(open) if !open.is_list && open.indent == indent);
            let may_begin = match self.open.last() {
                None => self.document != Document::Begun,
                Some(open) => self.awaits.is_some() && (indent > open.indent || is_shallow),
            };
            if !may_begin {
                return None;
            }
            let position = match is_shallow {
                true => line.skip_spaces(indent + 1),
                false => indent,
            };
            let event = match is_list {
                true => Event::SequenceStart(StructureStyle::Block, 0, None),
                false => Event::MappingStart(StructureStyle::Block, 0, None),
            };
            self.event(line, position, event)?;
            self.open.push(Open { indent, is_list });
            self.document = Document::Begun;
        }
        self.awaits = Some(line.span(indent));
        Some(())
    }

    /// A key that nothing follows has no value; its place is the colon's.
    fn no_value(&mut self) -> Option<()> {
        let Some(colon) = self.awaits.take() else {
            return Some(());
        };
        let nothing = Event::Scalar(Cow::Borrowed(""), ScalarStyle::Plain, 0, None);
        self.builder.event(nothing, &colon).ok()
    }

    /// The key that ends before the colon.
    fn key(&mut self, line: &Line<'_>, position: usize, colon: usize) -> Option<()> {
        let text = line.text.get(position..colon)?;
        match text.as_bytes().first()? {
            b'"' | b'\'' => {
                let text = text.get(1..text.len().checked_sub(1)?)?;
                self.scalar(line, position, text, ScalarStyle::DoubleQuoted)
            }
            _ => self.scalar(line, position, text, ScalarStyle::Plain),
        }
    }

    /// A value that ends on its line, with nothing but a comment behind it.
    fn whole_value(&mut self, line: &Line<'_>, position: usize) -> Option<()> {
        self.awaits = None;
        let end = match line.byte(position)? {
            b'"' | b'\'' | b'[' | b'{' => self.value(line, position)?,
            _ => {
                let text = plain_text(line, position)?;
                self.scalar(line, position, text, ScalarStyle::Plain)?;
                line.text.len()
            }
        };
        let comment = line.skip_spaces(end);
        match line.byte(comment) {
            None => Some(()),
            Some(b'#') if comment > end => Some(()),
            _ => None,
        }
    }

    /// A text or a flow collection; gives the position behind it. Texts without quotes are those of flow collections.
    fn value(&mut self, line: &Line<'_>, position: usize) -> Option<usize> {
        match line.byte(position)? {
            b'"' | b'\'' => {
                let end = end_of_quoted(line, position)?;
                let text = line.text.get(position + 1..end - 1)?;
                self.scalar(line, position, text, ScalarStyle::DoubleQuoted)?;
                Some(end)
            }
            b'[' => self.flow(line, position, b']'),
            b'{' => self.flow(line, position, b'}'),
            _ => {
                let text = flow_text(line, position)?;
                self.scalar(line, position, text, ScalarStyle::Plain)?;
                Some(position + text.len())
            }
        }
    }

    /// A flow list or map, up to its closing bracket.
    fn flow(&mut self, line: &Line<'_>, position: usize, closing: u8) -> Option<usize> {
        let is_map = closing == b'}';
        let start = match is_map {
            true => Event::MappingStart(StructureStyle::Flow, 0, None),
            false => Event::SequenceStart(StructureStyle::Flow, 0, None),
        };
        self.event(line, position, start)?;
        let mut position = line.skip_spaces(position + 1);
        if line.byte(position)? == closing {
            self.end()?;
            return Some(position + 1);
        }
        loop {
            if is_map {
                let colon = end_of_key(line, position)?;
                self.key(line, position, colon)?;
                position = line.skip_spaces(colon + 1);
            }
            position = self.value(line, position)?;
            position = line.skip_spaces(position);
            match line.byte(position)? {
                b',' => position = line.skip_spaces(position + 1),
                byte if byte == closing => {
                    self.end()?;
                    return Some(position + 1);
                }
                _ => return None,
            }
        }
    }

    fn scalar(
        &mut self,
        line: &Line<'_>,
        position: usize,
        text: &str,
        style: ScalarStyle,
    ) -> Option<()> {
        let event = Event::Scalar(Cow::Borrowed(text), style, 0, None);
        self.event(line, position, event)
    }

    fn event(&mut self, line: &Line<'_>, position: usize, event: Event<'_>) -> Option<()> {
        self.builder.event(event, &line.span(position)).ok()
    }

    /// Ends the builder's innermost list or map: to it, the two end alike.
    fn end(&mut self) -> Option<()> {
        self.no_value()?;
        let nowhere = Span::empty(Marker::default());
        self.builder.event(Event::SequenceEnd, &nowhere).ok()
    }
}

/// Whether an item of a block list begins here.
fn is_item(line: &Line<'_>, position: usize) -> bool {
    line.byte(position) == Some(b'-') && line.byte(position + 1) == Some(b' ')
}

/// The position of the colon behind a key.
fn end_of_key(line: &Line<'_>, position: usize) -> Option<usize> {
    let end = match line.byte(position)? {
        b'"' | b'\'' => end_of_quoted(line, position)?,
        first if may_begin_text(first) => {
            let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-./".contains(byte);
            let key = line.rest(position)?.bytes();
            position + key.take_while(|byte| is_part(byte)).count()
        }
        _ => return None,
    };
    let is_key = line.byte(end) == Some(b':')
        && matches!(line.byte(end + 1), None | Some(b' '))
        && end < MAX_KEY;
    is_key.then_some(end)
}

/// The position behind a text in quotes. One with an escape, or with a quote inside, is not plain.
fn end_of_quoted(line: &Line<'_>, position: usize) -> Option<usize> {
    let quote = line.byte(position)?;
    let mut inside = line.rest(position + 1)?.bytes();
    let length = inside.position(|byte| byte == quote || byte == b'\\')?;
    let end = position + 1 + length;
    let is_whole = line.byte(end) == Some(quote) && line.byte(end + 1) != Some(quote);
    is_whole.then_some(end + 1)
}

/// Whether a text without quotes begins here: also one like `--flag` or `-1`.
fn begins_text(line: &Line<'_>, position: usize) -> bool {
    let may_begin = |position| line.byte(position).is_some_and(may_begin_text);
    let is_dash = |position| line.byte(position) == Some(b'-');
    may_begin(position) || is_dash(position) && (is_dash(position + 1) || may_begin(position + 1))
}

fn may_begin_text(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_./$(+<=~".contains(&byte)
}

/// A text without quotes in a block collection: the rest of the line without a comment.
fn plain_text<'a>(line: &Line<'a>, position: usize) -> Option<&'a str> {
    let may_follow_dash = |byte| byte == b'-' || may_begin_text(byte);
    let is_option =
        line.byte(position) == Some(b'-') && line.byte(position + 1).is_some_and(may_follow_dash);
    if !is_option && !may_begin_text(line.byte(position)?) {
        return None;
    }
    let rest = line.rest(position)?;
    let mut before = 0;
    for (at, byte) in rest.bytes().enumerate() {
        match byte {
            b'#' if before == b' ' => return rest.get(..at).map(str::trim_ascii_end),
            b' ' if before == b':' => return None,
            _ => before = byte,
        }
    }
    (before != b':').then(|| rest.trim_ascii_end())
}

/// A text without quotes in a flow collection, with nothing in it that could mean anything else.
fn flow_text<'a>(line: &Line<'a>, position: usize) -> Option<&'a str> {
    if !begins_text(line, position) {
        return None;
    }
    let rest = line.rest(position)?;
    let is_end = |byte: u8| matches!(byte, b',' | b']' | b'}');
    let text = rest.get(..rest.bytes().position(is_end)?)?;
    let is_text = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./$()+<=~ ".contains(&byte);
    text.bytes().all(is_text).then(|| text.trim_ascii_end())
}

#[cfg(test)]
mod tests;
