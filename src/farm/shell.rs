//! Finds syntax errors in scripts for the nodes' shell.
//!
//! This is the grammar of dash, which is /bin/sh of the nodes and LTSP's shell, without the meaning of its commands
//! (POSIX 1003.1, "Shell Grammar"; dash's own `parser.c` where the two differ). A script that this parser cannot follow
//! counts as correct: a wrong warning would be worse than a missing one.

mod cursor;
mod substitution;
mod token;
mod word;

use cursor::Cursor;
use token::{Redirection, Token};

/// A syntax error of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Counted from 1.
    pub line: usize,
    pub message: String,
}

/// The syntax error at which a shell would stop, if any.
pub fn fault(script: &str) -> Option<Fault> {
    match Reader::new(script.as_bytes(), 1, 0).script() {
        Err(Stop::Fault(fault)) => Some(fault),
        Err(Stop::Unclear) | Ok(()) => None,
    }
}

/// Why parsing ended early.
#[derive(Debug)]
enum Stop {
    Fault(Fault),
    Unclear,
}

type Read<T> = Result<T, Stop>;

/// The limit of nested commands, all of which are on the stack.
const DEEPEST: usize = 64;

fn stop<T>(line: usize, message: impl Into<String>) -> Read<T> {
    let message = message.into();
    Err(Stop::Fault(Fault { line, message }))
}

/// The kinds of lists of commands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum List {
    /// Commands up to the end of the line.
    Line,
    /// At least one command, over any number of lines.
    Commands,
    /// Any number of commands.
    Any,
}

/// A here-document whose text has not begun yet.
struct Document {
    end: Vec<u8>,
    is_literal: bool,
    strips_tabs: bool,
}

struct Reader<'a> {
    cursor: Cursor<'a>,
    /// A token that was pushed back.
    pushed: Option<Token>,
    documents: Vec<Document>,
    depth: usize,
}

impl<'a> Reader<'a> {
    fn new(text: &'a [u8], line: usize, depth: usize) -> Reader<'a> {
        Reader {
            cursor: Cursor::new(text, line),
            pushed: None,
            documents: Vec::new(),
            depth,
        }
    }

    fn go_deeper(&mut self) -> Read<()> {
        self.depth += 1;
        if self.depth > DEEPEST {
            Err(Stop::Unclear)
        } else {
            Ok(())
        }
    }

    fn script(&mut self) -> Read<()> {
        while !matches!(self.pushed, Some(Token::End)) {
            self.list(List::Line)?;
        }
        Ok(())
    }

    fn list(&mut self, kind: List) -> Read<()> {
        let mut may_be_over = kind == List::Any;
        loop {
            let token = match kind {
                List::Line => self.command_word()?,
                _ => self.command_word_on_any_line()?,
            };
            match token {
                Token::Newline => return self.here_documents(),
                Token::End => return self.end_of_list(),
                _ => {}
            }
            let is_end = token.ends_lists();
            self.pushed = Some(token);
            if may_be_over && is_end {
                return Ok(());
            }
            // A line or list needs a first command, but no further ones.
            may_be_over = kind != List::Line;
            self.pipelines()?;
            match self.token()? {
                Token::End => return self.end_of_list(),
                Token::Newline => self.pushed = Some(Token::Newline),
                Token::Background | Token::Semicolon => {}
                other if kind == List::Line => return self.unexpected(&other, None),
                other => {
                    self.pushed = Some(other);
                    return Ok(());
                }
            }
        }
    }

    fn end_of_list(&mut self) -> Read<()> {
        self.here_documents()?;
        self.pushed = Some(Token::End);
        Ok(())
    }

    /// Pipelines joined by `&&` and `||`.
    fn pipelines(&mut self) -> Read<()> {
        self.pipeline()?;
        loop {
            match self.token()? {
                Token::And | Token::Or => {
                    let next = self.command_word_on_any_line()?;
                    self.pushed = Some(next);
                    self.pipeline()?;
                }
                other => {
                    self.pushed = Some(other);
                    return Ok(());
                }
            }
        }
    }

    fn pipeline(&mut self) -> Read<()> {
        let first = match self.token()? {
            Token::Keyword("!") => self.command_word()?,
            other => other,
        };
        self.command(first)?;
        loop {
            match self.token()? {
                Token::Pipe => {
                    let first = self.command_word_on_any_line()?;
                    self.command(first)?;
                }
                other => {
                    self.pushed = Some(other);
                    return Ok(());
                }
            }
        }
    }

    fn command(&mut self, first: Token) -> Read<()> {
        self.go_deeper()?;
        let line = self.cursor.line;
        match first {
            Token::Keyword("if") => self.condition(line)?,
            Token::Keyword(start @ ("while" | "until")) => {
                self.list(List::Commands)?;
                self.expect("do", start, line)?;
                self.list(List::Commands)?;
                self.expect("done", start, line)?;
            }
            Token::Keyword("for") => self.repetition(line)?,
            Token::Keyword("case") => self.choice(line)?,
            Token::Open => {
                self.list(List::Commands)?;
                self.expect(")", "(", line)?;
            }
            Token::Keyword("{") => {
                self.list(List::Commands)?;
                self.expect("}", "{", line)?;
            }
            word @ (Token::Word(_) | Token::Redirection(_)) => {
                self.pushed = Some(word);
                self.simple_command()?;
                self.depth -= 1;
                return Ok(());
            }
            other => return self.unexpected(&other, None),
        }
        self.depth -= 1;
        loop {
            match self.command_word()? {
                Token::Redirection(kind) => self.redirection(kind)?,
                other => {
                    self.pushed = Some(other);
                    return Ok(());
                }
            }
        }
    }

    fn condition(&mut self, line: usize) -> Read<()> {
        loop {
            self.list(List::Commands)?;
            self.expect("then", "if", line)?;
            self.list(List::Commands)?;
            match self.token()? {
                Token::Keyword("elif") => {}
                Token::Keyword("else") => {
                    self.list(List::Commands)?;
                    return self.expect("fi", "if", line);
                }
                other => {
                    self.pushed = Some(other);
                    return self.expect("fi", "if", line);
                }
            }
        }
    }

    fn repetition(&mut self, line: usize) -> Read<()> {
        match self.token()? {
            Token::Word(word) if word.is_name() => {}
            _ => return stop(self.cursor.line, "`for` needs a variable's name"),
        }
        match self.command_word_on_any_line()? {
            Token::Keyword("in") => loop {
                match self.token()? {
                    Token::Word(_) => {}
                    Token::Newline | Token::Semicolon => break,
                    other => return self.unexpected(&other, None),
                }
            },
            Token::Semicolon => {}
            other => self.pushed = Some(other),
        }
        let next = self.command_word_on_any_line()?;
        self.pushed = Some(next);
        self.expect("do", "for", line)?;
        self.list(List::Commands)?;
        self.expect("done", "for", line)
    }

    fn choice(&mut self, line: usize) -> Read<()> {
        match self.token()? {
            Token::Word(_) => {}
            other => return self.unexpected(&other, None),
        }
        let next = self.command_word_on_any_line()?;
        self.pushed = Some(next);
        self.expect("in", "case", line)?;
        loop {
            let pattern = match self.command_word_on_any_line()? {
                Token::Keyword("esac") => return Ok(()),
                Token::Open => self.token()?,
                other => other,
            };
            self.patterns(pattern, line)?;
            self.list(List::Any)?;
            match self.command_word_on_any_line()? {
                Token::Keyword("esac") => return Ok(()),
                Token::EndOfCase => {}
                other => return self.missing(&other, "esac", "case", line),
            }
        }
    }

    fn patterns(&mut self, mut pattern: Token, line: usize) -> Read<()> {
        loop {
            match pattern {
                Token::Word(_) | Token::Keyword(_) => {}
                Token::End => return self.missing(&pattern, "esac", "case", line),
                other => return self.unexpected(&other, None),
            }
            match self.token()? {
                Token::Pipe => pattern = self.token()?,
                Token::Close => return Ok(()),
                other => return self.unexpected(&other, Some(")")),
            }
        }
    }

    /// Words and redirections, or the definition of a function.
    fn simple_command(&mut self) -> Read<()> {
        let mut words = 0;
        let (mut is_name, mut is_plain) = (false, true);
        loop {
            match self.token()? {
                Token::Word(word) => {
                    words += 1;
                    is_name = word.is_name();
                    is_plain &= !word.is_assignment();
                }
                Token::Redirection(kind) => {
                    is_plain = false;
                    self.redirection(kind)?;
                }
                Token::Open if words == 1 && is_plain => {
                    match self.token()? {
                        Token::Close if is_name => {}
                        Token::Close => return stop(self.cursor.line, "bad function name"),
                        other => return self.unexpected(&other, Some(")")),
                    }
                    let body = self.command_word_on_any_line()?;
                    return self.command(body);
                }
                other => {
                    self.pushed = Some(other);
                    return Ok(());
                }
            }
        }
    }

    fn redirection(&mut self, kind: Redirection) -> Read<()> {
        let Redirection::Document { strips_tabs } = kind else {
            return match self.token()? {
                Token::Word(_) => Ok(()),
                other => self.unexpected(&other, None),
            };
        };
        match self.document_end()? {
            Token::Word(word) => {
                self.documents.push(Document {
                    end: word.text,
                    is_literal: word.is_quoted,
                    strips_tabs,
                });
                Ok(())
            }
            other => self.unexpected(&other, None),
        }
    }

    /// Requires the word that ends a part of the command that `start` began in `line`.
    fn expect(&mut self, word: &str, start: &str, line: usize) -> Read<()> {
        let token = self.token()?;
        match &token {
            Token::Keyword(found) if *found == word => Ok(()),
            Token::Close if word == ")" => Ok(()),
            other => self.missing(other, word, start, line),
        }
    }

    fn missing<T>(&self, token: &Token, word: &str, start: &str, line: usize) -> Read<T> {
        match token {
            Token::End => stop(line, format!("`{start}` has no `{word}`")),
            other => self.unexpected(other, Some(word)),
        }
    }

    fn unexpected<T>(&self, token: &Token, expected: Option<&str>) -> Read<T> {
        // The end of a line was read when its token was.
        let line = self.cursor.line - usize::from(matches!(token, Token::Newline));
        let expected = expected.map(|word| format!(", where `{word}` was expected"));
        let expected = expected.unwrap_or_default();
        stop(line, format!("{token} cannot stand here{expected}"))
    }
}

#[cfg(test)]
mod dash;
#[cfg(test)]
mod tests;
