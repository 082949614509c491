//! A position in a script.

/// A position to which parsing can return.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'a> {
    text: &'a [u8],
    at: usize,
    /// Counted from 1.
    pub line: usize,
}

impl<'a> Cursor<'a> {
    pub fn new(text: &'a [u8], line: usize) -> Cursor<'a> {
        Cursor { text, at: 0, line }
    }

    /// The next byte.
    pub fn take(&mut self) -> Option<u8> {
        let byte = *self.text.get(self.at)?;
        self.at += 1;
        self.line += usize::from(byte == b'\n');
        Some(byte)
    }

    /// The next byte, with lines that end in a backslash joined to the next.
    pub fn take_joined(&mut self) -> Option<u8> {
        while self.rest().starts_with(b"\\\n") {
            self.at += 2;
            self.line += 1;
        }
        self.take()
    }

    /// Takes the next byte if it is this one.
    pub fn take_if(&mut self, byte: u8) -> bool {
        let mut ahead = *self;
        let is_it = ahead.take_joined() == Some(byte);
        if is_it {
            *self = ahead;
        }
        is_it
    }

    /// Takes the next byte if it is one of these.
    pub fn take_if_any(&mut self, bytes: &[u8]) {
        let _ = bytes.iter().any(|byte| self.take_if(*byte));
    }

    /// Takes all bytes for which `test` holds.
    pub fn take_while(&mut self, test: impl Fn(u8) -> bool) {
        let mut ahead = *self;
        while ahead.take_joined().is_some_and(&test) {
            *self = ahead;
        }
    }

    /// Takes the rest of the line, but not its end.
    pub fn skip_line(&mut self) {
        let rest = self.rest();
        self.at += rest.iter().take_while(|byte| **byte != b'\n').count();
    }

    pub fn is_at_line_start(&self) -> bool {
        let before = self.at.checked_sub(1).and_then(|at| self.text.get(at));
        before.is_none_or(|byte| *byte == b'\n')
    }

    /// Takes the line if it is `end` alone, after tabs where those are stripped.
    pub fn take_line_if(&mut self, end: &[u8], strips_tabs: bool) -> bool {
        let rest = self.rest();
        let tabs = if strips_tabs {
            rest.iter().take_while(|byte| **byte == b'\t').count()
        } else {
            0
        };
        let Some(after) = rest.get(tabs..).and_then(|line| line.strip_prefix(end)) else {
            return false;
        };
        match after.first() {
            None => self.at += rest.len(),
            Some(b'\n') => {
                self.at += tabs + end.len() + 1;
                self.line += 1;
            }
            Some(_) => return false,
        }
        true
    }

    fn rest(&self) -> &'a [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }
}
