//! The tokens of a script.

use std::fmt;

use super::word::Word;
use super::{Read, Reader};

pub(super) enum Token {
    End,
    Newline,
    Semicolon,
    Background,
    And,
    Or,
    Pipe,
    Open,
    Close,
    EndOfCase,
    Redirection(Redirection),
    Word(Word),
    Keyword(&'static str),
}

#[derive(Clone, Copy)]
pub(super) enum Redirection {
    Document { strips_tabs: bool },
    File,
}

const KEYWORDS: [&str; 16] = [
    "!", "case", "do", "done", "elif", "else", "esac", "fi", "for", "if", "in", "then", "until",
    "while", "{", "}",
];

impl Token {
    /// Whether a list of commands ends before this token.
    pub fn ends_lists(&self) -> bool {
        match self {
            Token::End | Token::Close | Token::EndOfCase => true,
            Token::Keyword(word) => matches!(
                *word,
                "do" | "done" | "elif" | "else" | "esac" | "fi" | "then" | "}"
            ),
            _ => false,
        }
    }

    fn or_keyword(self) -> Token {
        match &self {
            Token::Word(word) if !word.is_quoted => {
                let is_it = |keyword: &&str| keyword.as_bytes() == word.text;
                KEYWORDS
                    .into_iter()
                    .find(is_it)
                    .map_or(self, Token::Keyword)
            }
            _ => self,
        }
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Token::End => "the end of the script",
            Token::Newline => "the end of the line",
            Token::Semicolon => "`;`",
            Token::Background => "`&`",
            Token::And => "`&&`",
            Token::Or => "`||`",
            Token::Pipe => "`|`",
            Token::Open => "`(`",
            Token::Close => "`)`",
            Token::EndOfCase => "`;;`",
            Token::Redirection(_) => "a redirection",
            Token::Word(_) => "a word",
            Token::Keyword(word) => return write!(f, "`{word}`"),
        })
    }
}

impl Reader<'_> {
    /// The next token.
    pub fn token(&mut self) -> Read<Token> {
        match self.pushed.take() {
            Some(token) => Ok(token),
            None => self.new_token(false),
        }
    }

    /// The next token, where a word may be a keyword.
    pub fn command_word(&mut self) -> Read<Token> {
        Ok(self.token()?.or_keyword())
    }

    /// The same, over any number of line ends.
    pub fn command_word_on_any_line(&mut self) -> Read<Token> {
        let mut token = self.token()?;
        while matches!(token, Token::Newline) {
            self.here_documents()?;
            token = self.token()?;
        }
        Ok(token.or_keyword())
    }

    /// The word that ends a here-document, in which `$` is plain.
    pub fn document_end(&mut self) -> Read<Token> {
        self.new_token(true)
    }

    fn new_token(&mut self, is_document_end: bool) -> Read<Token> {
        loop {
            let start = self.cursor;
            let Some(byte) = self.cursor.take_joined() else {
                return Ok(Token::End);
            };
            return Ok(match byte {
                b' ' | b'\t' => continue,
                b'#' => {
                    self.cursor.skip_line();
                    continue;
                }
                b'\n' => Token::Newline,
                b'&' if self.cursor.take_if(b'&') => Token::And,
                b'&' => Token::Background,
                b'|' if self.cursor.take_if(b'|') => Token::Or,
                b'|' => Token::Pipe,
                b';' if self.cursor.take_if(b';') => Token::EndOfCase,
                b';' => Token::Semicolon,
                b'(' => Token::Open,
                b')' => Token::Close,
                _ => {
                    self.cursor = start;
                    let word = self.word(is_document_end)?;
                    self.redirection_sign(&word)
                        .map_or(Token::Word(word), Token::Redirection)
                }
            });
        }
    }

    /// The operator of a redirection, which may have a digit before it.
    fn redirection_sign(&mut self, word: &Word) -> Option<Redirection> {
        if word.is_quoted || word.text.len() > 1 || !word.text.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let cursor = &mut self.cursor;
        if cursor.take_if(b'>') {
            cursor.take_if_any(b">&|");
            return Some(Redirection::File);
        }
        if !cursor.take_if(b'<') {
            return None;
        }
        if cursor.take_if(b'<') {
            let strips_tabs = cursor.take_if(b'-');
            return Some(Redirection::Document { strips_tabs });
        }
        cursor.take_if_any(b"&>");
        Some(Redirection::File)
    }
}
