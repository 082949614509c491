//! Words and the texts of here-documents: quotes, and where they end.

use super::{Document, Read, Reader, stop};

/// A word, without its quotes.
#[derive(Default)]
pub(super) struct Word {
    pub text: Vec<u8>,
    pub is_quoted: bool,
}

/// Replaces the parts of a word's text that are known only when it runs.
pub(super) const UNKNOWN: u8 = 0;

impl Word {
    /// Whether it can name a variable or a function.
    pub fn is_name(&self) -> bool {
        !self.is_quoted && name_length(&self.text) == self.text.len() && !self.text.is_empty()
    }

    pub fn is_assignment(&self) -> bool {
        let length = name_length(&self.text);
        length > 0 && self.text.get(length) == Some(&b'=')
    }
}

fn name_length(text: &[u8]) -> usize {
    match text.first() {
        Some(first) if first.is_ascii_digit() => 0,
        _ => text.iter().take_while(|byte| is_in_name(**byte)).count(),
    }
}

pub(super) fn is_in_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// How bytes are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Syntax {
    Plain,
    Double,
    Single,
    Arithmetic,
}

/// A part of a word in which bytes are read in one way.
pub(super) struct Level {
    pub syntax: Syntax,
    /// How many `${` are open in it.
    pub variables: usize,
    /// How many of those are in double quotes.
    pub quoted_variables: usize,
    pub is_double: bool,
    /// Whether double quotes are open inside of a `${`.
    pub is_inner: bool,
    /// How many parentheses are open in arithmetic.
    pub parentheses: usize,
}

impl Level {
    pub fn new(syntax: Syntax) -> Level {
        Level {
            syntax,
            variables: 0,
            quoted_variables: 0,
            is_double: matches!(syntax, Syntax::Double | Syntax::Arithmetic),
            is_inner: false,
            parentheses: 0,
        }
    }
}

/// A word that is being read.
pub(super) struct Unfinished {
    pub word: Word,
    /// Nested levels, the innermost last.
    pub levels: Vec<Level>,
    pub level: Level,
    pub is_document: bool,
    pub is_document_end: bool,
}

impl Unfinished {
    fn new(syntax: Syntax) -> Unfinished {
        Unfinished {
            word: Word::default(),
            levels: Vec::new(),
            level: Level::new(syntax),
            is_document: false,
            is_document_end: false,
        }
    }

    pub fn enter(&mut self, level: Level) {
        self.levels.push(std::mem::replace(&mut self.level, level));
    }

    pub fn leave(&mut self) {
        if let Some(level) = self.levels.pop() {
            self.level = level;
        }
    }

    /// The error if the word ends here, if any.
    fn fault(&self) -> Option<&'static str> {
        let level = &self.level;
        match level.syntax {
            Syntax::Arithmetic => Some("`$((` has no `))`"),
            Syntax::Single if !self.is_document => Some("`'` has no second one"),
            Syntax::Double if !self.is_document => Some("`\"` has no second one"),
            _ if level.variables > 0 => Some("`${` has no `}`"),
            _ => None,
        }
    }

    fn double_quote(&mut self) {
        let level = &mut self.level;
        match level.syntax {
            Syntax::Plain => {
                level.syntax = Syntax::Double;
                level.is_double = true;
            }
            _ if self.is_document && level.variables == 0 => return self.word.text.push(b'"'),
            _ if level.quoted_variables == 0 => {
                level.syntax = Syntax::Plain;
                level.is_double = false;
            }
            _ => {}
        }
        self.word.is_quoted = true;
        level.is_inner ^= level.variables > 0;
    }

    fn closing_brace(&mut self) {
        let level = &mut self.level;
        if level.is_inner || level.variables == 0 {
            return self.word.text.push(b'}');
        }
        level.variables -= 1;
        // All levels but the first and those of arithmetic were entered for a `${`.
        if level.variables == 0 && level.syntax != Syntax::Arithmetic && !self.levels.is_empty() {
            self.leave();
        } else {
            level.quoted_variables = level.quoted_variables.saturating_sub(1);
        }
    }
}

impl Reader<'_> {
    /// The word that begins here; empty before a byte that cannot be part of one.
    pub fn word(&mut self, is_document_end: bool) -> Read<Word> {
        let start = self.cursor.line;
        let mut unfinished = Unfinished::new(Syntax::Plain);
        unfinished.is_document_end = is_document_end;
        while self.goes_on(&mut unfinished)? {}
        match unfinished.fault() {
            Some(fault) => stop(start, fault),
            None => Ok(unfinished.word),
        }
    }

    /// Reads the texts of here-documents that begin on the next line.
    pub fn here_documents(&mut self) -> Read<()> {
        for document in std::mem::take(&mut self.documents) {
            self.here_document(&document)?;
        }
        Ok(())
    }

    fn here_document(&mut self, document: &Document) -> Read<()> {
        let start = self.cursor.line;
        let syntax = if document.is_literal {
            Syntax::Single
        } else {
            Syntax::Double
        };
        let mut unfinished = Unfinished::new(syntax);
        unfinished.is_document = true;
        loop {
            let (end, strips_tabs) = (&document.end, document.strips_tabs);
            if self.cursor.is_at_line_start() && self.cursor.take_line_if(end, strips_tabs) {
                break;
            }
            if !self.goes_on(&mut unfinished)? {
                break;
            }
        }
        match unfinished.fault() {
            Some(fault) => stop(start, format!("in the here-document, {fault}")),
            None => Ok(()),
        }
    }

    /// Reads one more byte or substitution; false at the end of the word.
    fn goes_on(&mut self, unfinished: &mut Unfinished) -> Read<bool> {
        let before = self.cursor;
        let syntax = unfinished.level.syntax;
        let byte = match syntax {
            Syntax::Single => self.cursor.take(),
            _ => self.cursor.take_joined(),
        };
        let Some(byte) = byte else {
            return Ok(false);
        };
        let text = &mut unfinished.word.text;
        match (byte, syntax) {
            (b'\'', Syntax::Single) if !unfinished.is_document || !unfinished.levels.is_empty() => {
                unfinished.level.syntax = Syntax::Plain;
            }
            (_, Syntax::Single) => text.push(byte),
            (b'\'', Syntax::Plain) => {
                unfinished.level.syntax = Syntax::Single;
                unfinished.word.is_quoted = true;
            }
            (b'\\', _) => {
                unfinished.word.is_quoted = true;
                text.push(self.cursor.take().unwrap_or(byte));
            }
            (b'"', Syntax::Plain | Syntax::Double) => unfinished.double_quote(),
            (b'$', _) => self.dollar(unfinished)?,
            (b'`', _) if !unfinished.is_document_end => self.backquotes(unfinished)?,
            (b'}', _) => unfinished.closing_brace(),
            (b'(', Syntax::Arithmetic) => unfinished.level.parentheses += 1,
            (b')', Syntax::Arithmetic) => match unfinished.level.parentheses {
                0 if self.cursor.take_if(b')') => unfinished.leave(),
                0 => {}
                open => unfinished.level.parentheses = open - 1,
            },
            (
                b'\n' | b' ' | b'\t' | b'<' | b'>' | b'(' | b')' | b';' | b'&' | b'|',
                Syntax::Plain,
            ) if unfinished.level.variables == 0 => {
                self.cursor = before;
                return Ok(false);
            }
            _ => text.push(byte),
        }
        Ok(true)
    }
}
