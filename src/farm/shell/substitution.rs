//! Substitutions in words: variables, arithmetic, and the output of commands.

use super::word::{Level, Syntax, UNKNOWN, Unfinished, is_in_name};
use super::{List, Read, Reader, Stop, stop};

fn is_special(byte: u8) -> bool {
    byte.is_ascii_digit() || b"#?$!-*@".contains(&byte)
}

impl Reader<'_> {
    /// Reads what follows a `$`.
    pub(super) fn dollar(&mut self, unfinished: &mut Unfinished) -> Read<()> {
        let before = self.cursor;
        match self.cursor.take_joined() {
            _ if unfinished.is_document_end => {
                self.cursor = before;
                unfinished.word.text.push(b'$');
                return Ok(());
            }
            Some(b'(') if self.cursor.take_if(b'(') => {
                unfinished.enter(Level::new(Syntax::Arithmetic));
            }
            Some(b'(') => self.commands()?,
            Some(b'{') => self.braces(unfinished),
            Some(byte) if byte == b'_' || byte.is_ascii_alphabetic() => {
                self.cursor.take_while(is_in_name);
            }
            Some(byte) if is_special(byte) => {}
            _ => {
                self.cursor = before;
                unfinished.word.text.push(b'$');
                return Ok(());
            }
        }
        unfinished.word.text.push(UNKNOWN);
        Ok(())
    }

    /// `$(…)`, after the parenthesis. Here-documents that have begun before it come after it.
    fn commands(&mut self) -> Read<()> {
        self.go_deeper()?;
        let line = self.cursor.line;
        let outside = std::mem::take(&mut self.documents);
        self.list(List::Any)?;
        self.expect(")", "$(", line)?;
        // Shells do not agree where the text of a here-document is that begins in the last line.
        if !self.documents.is_empty() {
            return Err(Stop::Unclear);
        }
        self.documents = outside;
        self.depth -= 1;
        Ok(())
    }

    /// `` `…` ``, after the first sign.
    pub(super) fn backquotes(&mut self, unfinished: &mut Unfinished) -> Read<()> {
        let line = self.cursor.line;
        let mut text = Vec::new();
        loop {
            match self.cursor.take_joined() {
                None => return stop(line, "`` ` `` has no second one"),
                Some(b'`') => break,
                Some(b'\\') => {
                    let Some(byte) = self.cursor.take() else {
                        continue;
                    };
                    let is_escape = match byte {
                        b'\\' | b'`' | b'$' => true,
                        b'"' => unfinished.level.is_double,
                        _ => false,
                    };
                    if !is_escape {
                        text.push(b'\\');
                    }
                    text.push(byte);
                }
                Some(byte) => text.push(byte),
            }
        }
        unfinished.word.text.push(UNKNOWN);
        let mut inner = Reader::new(&text, line, self.depth);
        inner.go_deeper()?;
        inner.list(List::Any)
    }

    /// `${…}`, after the brace, up to the word in it or to its end. Other errors in it are found only when it runs.
    fn braces(&mut self, unfinished: &mut Unfinished) {
        let mut syntax = unfinished.level.syntax;
        if self.parameter() {
            match self.cursor.take_joined() {
                Some(b'}') => return,
                // Any sign may follow: an error shows only when it runs.
                Some(b':') => drop(self.cursor.take_joined()),
                Some(sign @ (b'%' | b'#')) => {
                    self.cursor.take_if(sign);
                    syntax = Syntax::Plain;
                }
                _ => {}
            }
        }
        if syntax == Syntax::Arithmetic {
            syntax = Syntax::Double;
        }
        if syntax != unfinished.level.syntax || unfinished.level.is_inner {
            unfinished.enter(Level::new(syntax));
        }
        let level = &mut unfinished.level;
        level.variables += 1;
        level.quoted_variables += usize::from(level.is_double);
    }

    /// Reads a parameter's name; true if an operator may follow. It may not after a length, which begins with `#`, nor
    /// if there is no name.
    fn parameter(&mut self) -> bool {
        let before = self.cursor;
        if self.cursor.take_if(b'#') {
            return !self.length();
        }
        match self.cursor.take_joined() {
            Some(byte) if byte.is_ascii_digit() => {
                self.cursor.take_while(|byte| byte.is_ascii_digit());
            }
            Some(byte) if is_in_name(byte) => self.cursor.take_while(is_in_name),
            Some(byte) if is_special(byte) => {}
            Some(b'}') => {
                self.cursor = before;
                return false;
            }
            _ => return false,
        }
        true
    }

    /// Reads the parameter after a `#`, unless that is the parameter itself.
    fn length(&mut self) -> bool {
        let before = self.cursor;
        let next = self.cursor.take_joined();
        if next.is_some_and(is_in_name) {
            self.cursor.take_while(is_in_name);
            return true;
        }
        let mut ahead = self.cursor;
        let is_length = next.is_some_and(is_special) && ahead.take_joined() == Some(b'}');
        if !is_length {
            self.cursor = before;
        }
        is_length
    }
}
