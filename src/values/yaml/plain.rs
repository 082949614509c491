//! A fast reader of plain YAML: block maps and lists whose texts and flow collections end on their line.
//!
//! Templates and values files rarely have more, and reading it takes a fifth of the instructions of the full grammar.
//! It gives the same events as `granit_parser` or none at all: the full grammar reads everything else, which includes
//! wrong input, and reports errors with their place.

mod line;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use granit_parser::{Event, Marker, ScalarStyle, Span, StructureStyle};

use line::Line;

/// Builds documents from a parser's events.
pub(super) trait Build {
    /// `None` if this builder cannot handle the event.
    fn event(&mut self, event: Event<'_>, span: &Span) -> Option<()>;
}

/// Gives a builder the events of every document of a stream, if all of it is plain. Lists and maps end with the same
/// event.
pub(super) fn read<B: Build>(text: &str, builder: B) -> Option<B> {
    if !has_only_plain_characters(text) {
        return None;
    }
    let mut reader = Reader {
        builder,
        open: Vec::new(),
        awaits: None,
        document: Document::Implicit,
    };
    for (number, text) in text.split('\n').enumerate() {
        let number = number + 1;
        reader.line(&Line { text, number })?;
    }
    reader.end_document()?;
    Some(reader.builder)
}

/// Whether all characters are printable, and none is a line break or byte-order mark to some reader.
fn has_only_plain_characters(text: &str) -> bool {
    let is_plain = |character| matches!(character, '\u{a0}'..='\u{2027}' | '\u{202a}'..='\u{fdcf}');
    let mut rest = text;
    // Most are ASCII, where the byte is enough.
    while let Some(start) = first_other(rest.as_bytes()) {
        let others = rest.get(start..).unwrap_or_default();
        let end = others.find(|character: char| character.is_ascii());
        let (others, behind) = others.split_at(end.unwrap_or(others.len()));
        if others.is_empty() || !others.chars().all(is_plain) {
            return false;
        }
        rest = behind;
    }
    true
}

/// The first byte that is not plain ASCII.
fn first_other(bytes: &[u8]) -> Option<usize> {
    const PIECE: usize = 64;
    let is_plain = |byte: &u8| matches!(byte, b' '..=b'~' | b'\n');
    // Checking a piece without a branch for each byte takes a fraction of the time.
    let is_whole = |piece: &[u8]| piece.iter().fold(true, |all, byte| all & is_plain(byte));
    let start = PIECE * bytes.chunks(PIECE).position(|piece| !is_whole(piece))?;
    let rest = bytes.get(start..)?.iter();
    Some(start + rest.take_while(|byte| is_plain(byte)).count())
}

/// The state of the current document.
#[derive(PartialEq, Eq)]
enum Document {
    /// Nothing was read, not even a `---`.
    Implicit,
    /// Only a `---` was read.
    Announced,
    Begun,
}

/// A block map or list whose end has not been read yet.
struct Open {
    indent: usize,
    is_list: bool,
}

struct Reader<B> {
    builder: B,
    open: Vec<Open>,
    /// The place of the key or dash in the innermost collection that waits for its value, if any.
    awaits: Option<Span>,
    document: Document,
}

impl<B: Build> Reader<B> {
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

    /// Ends the collections that a line with this indent is not part of.
    fn close(&mut self, line: &Line<'_>, indent: usize) -> Option<()> {
        while let Some(open) = self.open.last() {
            let is_over = open.indent > indent
                || open.is_list && open.indent == indent && !line.is_item(indent);
            if !is_over {
                break;
            }
            self.open.pop();
            self.end()?;
        }
        Some(())
    }

    /// Reads an item of a block list or a key of a block map, and the rest of its line.
    fn entry(&mut self, line: &Line<'_>, position: usize) -> Option<()> {
        if line.is_item(position) {
            self.enter(line, position, true)?;
            let value = line.skip_spaces(position + 1);
            if self.is_entry(line, value)? {
                return self.entry(line, value);
            }
            return self.whole_value(line, value);
        }
        let colon = line.end_of_key(position)?;
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

    /// Whether a collection begins right after a dash. An empty item is not plain.
    fn is_entry(&self, line: &Line<'_>, position: usize) -> Option<bool> {
        match line.byte(position)? {
            b'#' => None,
            b'[' | b'{' => Some(false),
            _ => Some(line.is_item(position) || line.end_of_key(position).is_some()),
        }
    }

    /// Continues the innermost collection, or begins one as the value that is expected.
    fn enter(&mut self, line: &Line<'_>, indent: usize, is_list: bool) -> Option<()> {
        let goes_on = match self.open.last() {
            None => false,
            Some(open) => open.indent == indent && open.is_list == is_list,
        };
        if goes_on {
            self.no_value()?;
        } else {
            // A list in a map may have the same indent as its key. The parser then gives it the place of its first
            // item.
            let is_shallow = is_list
                && matches!(self.open.last(), Some(open) if !open.is_list && open.indent == indent);
            let may_begin = match self.open.last() {
                None => self.document != Document::Begun,
                Some(open) => self.awaits.is_some() && (indent > open.indent || is_shallow),
            };
            if !may_begin {
                return None;
            }
            let position = if is_shallow {
                line.skip_spaces(indent + 1)
            } else {
                indent
            };
            let event = if is_list {
                Event::SequenceStart(StructureStyle::Block, 0, None)
            } else {
                Event::MappingStart(StructureStyle::Block, 0, None)
            };
            self.event(line, position, event)?;
            self.open.push(Open { indent, is_list });
            self.document = Document::Begun;
        }
        self.awaits = Some(line.span(indent));
        Some(())
    }

    /// Ends a key without a value, whose place is that of the colon.
    fn no_value(&mut self) -> Option<()> {
        let Some(colon) = self.awaits.take() else {
            return Some(());
        };
        let nothing = Event::Scalar(Cow::Borrowed(""), ScalarStyle::Plain, 0, None);
        self.builder.event(nothing, &colon)
    }

    /// Reads the key before the colon.
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

    /// Reads a value that ends on its line, with only a comment after it.
    fn whole_value(&mut self, line: &Line<'_>, position: usize) -> Option<()> {
        self.awaits = None;
        let end = match line.byte(position)? {
            b'"' | b'\'' | b'[' | b'{' => self.value(line, position)?,
            _ => {
                let text = line.plain_text(position)?;
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

    /// Reads a text or a flow collection, and returns the position after it. Texts without quotes follow the rules of
    /// flow collections.
    fn value(&mut self, line: &Line<'_>, position: usize) -> Option<usize> {
        match line.byte(position)? {
            b'"' | b'\'' => {
                let end = line.end_of_quoted(position)?;
                let text = line.text.get(position + 1..end - 1)?;
                self.scalar(line, position, text, ScalarStyle::DoubleQuoted)?;
                Some(end)
            }
            b'[' => self.flow(line, position, b']'),
            b'{' => self.flow(line, position, b'}'),
            _ => {
                let text = line.flow_text(position)?;
                self.scalar(line, position, text, ScalarStyle::Plain)?;
                Some(position + text.len())
            }
        }
    }

    /// Reads a flow list or map, up to its closing bracket.
    fn flow(&mut self, line: &Line<'_>, position: usize, closing: u8) -> Option<usize> {
        let is_map = closing == b'}';
        let start = if is_map {
            Event::MappingStart(StructureStyle::Flow, 0, None)
        } else {
            Event::SequenceStart(StructureStyle::Flow, 0, None)
        };
        self.event(line, position, start)?;
        let mut position = line.skip_spaces(position + 1);
        if line.byte(position)? == closing {
            self.end()?;
            return Some(position + 1);
        }
        loop {
            if is_map {
                let colon = line.end_of_key(position)?;
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
        self.builder.event(event, &line.span(position))
    }

    /// Ends the builder's innermost list or map.
    fn end(&mut self) -> Option<()> {
        self.no_value()?;
        let nowhere = Span::empty(Marker::default());
        self.builder.event(Event::SequenceEnd, &nowhere)
    }
}
