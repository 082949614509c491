//! Lexes one line of plain YAML.

use granit_parser::{Marker, Span};

/// Longer keys are not simple keys (YAML 1.2, section 7.4.2).
const MAX_KEY: usize = 1000;

/// A line of a text.
pub(super) struct Line<'a> {
    pub text: &'a str,
    /// From 1.
    pub number: usize,
}

impl<'a> Line<'a> {
    fn rest(&self, position: usize) -> Option<&'a str> {
        self.text.get(position..)
    }

    pub fn byte(&self, position: usize) -> Option<u8> {
        self.text.as_bytes().get(position).copied()
    }

    /// The first position from here on that is not a space.
    pub fn skip_spaces(&self, mut position: usize) -> usize {
        while self.byte(position) == Some(b' ') {
            position += 1;
        }
        position
    }

    pub fn span(&self, position: usize) -> Span {
        let before = self.text.get(..position).unwrap_or_default();
        let column = if before.is_ascii() {
            position
        } else {
            before.chars().count()
        };
        Span::empty(Marker::new(0, self.number, column))
    }

    /// Whether an item of a block list begins here.
    pub fn is_item(&self, position: usize) -> bool {
        self.byte(position) == Some(b'-') && self.byte(position + 1) == Some(b' ')
    }

    /// The position of the colon after a key.
    pub fn end_of_key(&self, position: usize) -> Option<usize> {
        let end = match self.byte(position)? {
            b'"' | b'\'' => self.end_of_quoted(position)?,
            first if may_begin_text(first) => {
                let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-./".contains(byte);
                let key = self.rest(position)?.bytes();
                position + key.take_while(|byte| is_part(byte)).count()
            }
            _ => return None,
        };
        let is_key = self.byte(end) == Some(b':')
            && matches!(self.byte(end + 1), None | Some(b' '))
            && end < MAX_KEY;
        is_key.then_some(end)
    }

    /// The position after a text in quotes. One with an escape, or with a quote inside, is not plain.
    pub fn end_of_quoted(&self, position: usize) -> Option<usize> {
        let quote = self.byte(position)?;
        let mut inside = self.rest(position + 1)?.bytes();
        let length = inside.position(|byte| byte == quote || byte == b'\\')?;
        let end = position + 1 + length;
        let is_whole = self.byte(end) == Some(quote) && self.byte(end + 1) != Some(quote);
        is_whole.then_some(end + 1)
    }

    /// Whether a text without quotes begins here: also one like `--flag` or `-1`.
    fn begins_text(&self, position: usize) -> bool {
        let may_begin = |position| self.byte(position).is_some_and(may_begin_text);
        let is_dash = |position| self.byte(position) == Some(b'-');
        may_begin(position)
            || is_dash(position) && (is_dash(position + 1) || may_begin(position + 1))
    }

    /// A text without quotes in a block collection: the rest of the line without a comment.
    pub fn plain_text(&self, position: usize) -> Option<&'a str> {
        if !self.begins_text(position) {
            return None;
        }
        let rest = self.rest(position)?;
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

    /// A text without quotes in a flow collection, without characters that have another meaning.
    pub fn flow_text(&self, position: usize) -> Option<&'a str> {
        if !self.begins_text(position) {
            return None;
        }
        let rest = self.rest(position)?;
        let is_end = |byte: u8| matches!(byte, b',' | b']' | b'}');
        let text = rest.get(..rest.bytes().position(is_end)?)?;
        let is_text = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./$()+<=~ ".contains(&byte);
        text.bytes().all(is_text).then(|| text.trim_ascii_end())
    }
}

fn may_begin_text(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_./$(+<=~".contains(&byte)
}
