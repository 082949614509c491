//! Parses a flag from left to right, and sets its values.

use serde_json::Number;

use super::super::tree::{Map, Node, Origin, Value};
use super::json::{self, Unique};
use super::walk::{self, Depth};
use super::{Flag, MAX_INDEX, origin};

/// An error in a flag, with its byte position.
pub(super) struct Fault {
    pub message: String,
    pub position: usize,
    pub help: Option<String>,
}

pub(super) struct Parser<'a> {
    text: &'a str,
    position: usize,
    flag: Flag,
    /// The flag with the key that is being set.
    pub origin: Origin,
    read: &'a mut dyn FnMut(&str) -> Result<String, String>,
}

/// Text up to one of the characters that end it.
struct Token {
    text: String,
    start: usize,
    /// The character that ended it, or `None` at the end of the flag.
    end: Option<char>,
}

impl<'a> Parser<'a> {
    pub fn new(
        text: &'a str,
        flag: Flag,
        read: &'a mut dyn FnMut(&str) -> Result<String, String>,
    ) -> Self {
        Parser {
            text,
            position: 0,
            flag,
            origin: origin(flag, ""),
            read,
        }
    }

    pub fn run(&mut self, root: &mut Map) -> Result<(), Fault> {
        while self.position < self.text.len() {
            let start = self.position;
            let rest = self.text.get(start..).unwrap_or_default();
            let (key, has_value) = written_key(rest);
            if has_value || start == 0 {
                self.origin = origin(self.flag, key);
            }
            self.key(root, Depth::default()).map_err(|fault| {
                if has_value || start == 0 {
                    fault
                } else {
                    no_key(start)
                }
            })?;
        }
        Ok(())
    }

    fn fault(&self, position: usize, message: impl Into<String>) -> Fault {
        Fault {
            message: message.into(),
            position,
            help: None,
        }
    }

    fn peek(&self) -> Option<char> {
        self.text.get(self.position..)?.chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let character = self.peek()?;
        self.position += character.len_utf8();
        Some(character)
    }

    fn until(&mut self, ends: &[char]) -> Result<Token, Fault> {
        let start = self.position;
        let mut text = String::new();
        loop {
            let position = self.position;
            let end = match self.next() {
                None => None,
                Some('\\') if !ends.contains(&'\\') => match self.next() {
                    Some(escaped) => {
                        text.push(escaped);
                        continue;
                    }
                    None => {
                        return Err(self.fault(position, "a backslash with nothing after it"));
                    }
                },
                Some(character) if !ends.contains(&character) => {
                    text.push(character);
                    continue;
                }
                end => end,
            };
            return Ok(Token { text, start, end });
        }
    }

    /// One key, from its name to its value.
    fn key(&mut self, map: &mut Map, depth: Depth) -> Result<(), Fault> {
        let token = self.until(&['=', '[', ',', '.'])?;
        let key = token.text;
        if key.is_empty() {
            return Err(self.fault(token.start, "a key is missing"));
        }
        let deeper = |depth: Result<Depth, String>| {
            depth.map_err(|message| Fault {
                message,
                position: token.start,
                help: None,
            })
        };
        match token.end {
            Some('=') => {
                let node = self.value()?;
                walk::set(map, key, node, &self.origin).map_err(|problem| Fault {
                    message: problem.message,
                    position: token.start,
                    help: problem.help,
                })
            }
            Some('.') => {
                let depth = deeper(depth.name())?;
                let inner = walk::map_at(map, &key, &self.origin)
                    .map_err(|message| self.fault(token.start, message))?;
                self.key(inner, depth)
            }
            Some('[') => {
                let depth = deeper(depth.step())?;
                let index = self.index()?;
                let list = walk::list_at(map, &key, &self.origin)
                    .map_err(|message| self.fault(token.start, message))?;
                self.item(list, index, depth)
            }
            _ => Err(self.fault(token.start, format!("the key {key:?} has no value"))),
        }
    }

    /// The number before `]`.
    fn index(&mut self) -> Result<usize, Fault> {
        let token = self.until(&[']'])?;
        if token.end.is_none() {
            return Err(self.fault(token.start, "an index must end with ]"));
        }
        let index: i64 = token.text.parse().map_err(|_| {
            self.fault(token.start, format!("{:?} is not a list index", token.text))
        })?;
        usize::try_from(index)
            .ok()
            .filter(|index| *index <= MAX_INDEX)
            .ok_or_else(|| {
                let message = format!("the list index {index} is not between 0 and {MAX_INDEX}");
                self.fault(token.start, message)
            })
    }

    /// What follows an index.
    fn item(&mut self, list: &mut Vec<Node>, index: usize, depth: Depth) -> Result<(), Fault> {
        let token = self.until(&['[', '.', '='])?;
        if !token.text.is_empty() {
            let message = format!("unexpected {:?} after an index", token.text);
            return Err(self.fault(token.start, message));
        }
        let step = depth.step().map_err(|message| Fault {
            message,
            position: token.start,
            help: None,
        });
        match token.end {
            Some('=') => {
                let node = self.value()?;
                *walk::element(list, index, &self.origin) = node;
                Ok(())
            }
            Some('.') => {
                let element = walk::element(list, index, &self.origin);
                let map = walk::map_in(element, &self.origin)
                    .map_err(|message| self.fault(token.start, message))?;
                self.key(map, step?)
            }
            Some('[') => {
                let next = self.index()?;
                let element = walk::element(list, index, &self.origin);
                let inner = walk::list_in(element, &self.origin)
                    .map_err(|message| self.fault(token.start, message))?;
                self.item(inner, next, step?)
            }
            _ => Err(self.fault(token.start, "an index without a value")),
        }
    }

    /// The value after `=`, and the comma after it.
    fn value(&mut self) -> Result<Node, Fault> {
        if self.flag == Flag::SetJson {
            return self.json();
        }
        if self.peek() == Some('{') {
            self.next();
            return self.list();
        }
        let is_at_end = self.peek().is_none();
        let token = self.until(&[','])?;
        if is_at_end {
            // Helm reads no file if nothing follows the last `=`.
            return Ok(self.node(Value::String(String::new())));
        }
        self.scalar(token)
    }

    fn list(&mut self) -> Result<Node, Fault> {
        let start = self.position;
        let mut elements = Vec::new();
        loop {
            let token = self.until(&[',', '}'])?;
            let end = token.end;
            if end.is_none() {
                return Err(self.fault(start, "a list must end with }"));
            }
            elements.push(self.scalar(token)?);
            if end == Some('}') {
                if self.peek() == Some(',') {
                    self.next();
                }
                return Ok(self.node(Value::List(elements)));
            }
        }
    }

    fn scalar(&mut self, token: Token) -> Result<Node, Fault> {
        let value = match self.flag {
            Flag::Set => typed(token.text),
            Flag::SetString | Flag::SetJson => Value::String(token.text),
            Flag::SetFile => {
                let content = (self.read)(&token.text);
                Value::String(content.map_err(|message| self.fault(token.start, message))?)
            }
        };
        Ok(self.node(value))
    }

    fn json(&mut self) -> Result<Node, Fault> {
        if self.skip_blanks_and_comma() {
            return Ok(self.node(Value::Null));
        }
        let rest = self.text.get(self.position..).unwrap_or_default();
        let mut values = serde_json::Deserializer::from_str(rest).into_iter();
        let Unique(value) = match values.next() {
            Some(Ok(value)) => value,
            Some(Err(error)) => return Err(self.fault(self.position, json::message(&error))),
            None => return Err(self.fault(self.position, "a JSON value is missing")),
        };
        self.position += values.byte_offset();
        self.skip_blanks_and_comma();
        Ok(Node::from_json(value, &self.origin))
    }

    /// Whether only blanks come before the next comma or the end; the comma is then skipped.
    fn skip_blanks_and_comma(&mut self) -> bool {
        loop {
            match self.peek() {
                None => return true,
                Some(',') => {
                    self.next();
                    return true;
                }
                Some(blank) if blank.is_whitespace() => {
                    self.next();
                }
                Some(_) => return false,
            }
        }
    }

    fn node(&self, value: Value) -> Node {
        Node::new(value, self.origin.clone())
    }
}

/// The text before the `=` of a key, and whether there is one before a comma or the end.
fn written_key(text: &str) -> (&str, bool) {
    let mut is_escaped = false;
    for (position, character) in text.char_indices() {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '=' | ',' => return (text.get(..position).unwrap_or(text), character == '='),
            _ => {}
        }
    }
    (text, false)
}

/// Text after a comma that is not a key may be the rest of a password: it is not quoted.
fn no_key(position: usize) -> Fault {
    Fault {
        message: "expected KEY=VALUE after the comma".to_owned(),
        position,
        help: Some("write a comma inside of a value as \\,".to_owned()),
    }
}

fn typed(text: String) -> Value {
    if text.eq_ignore_ascii_case("true") {
        return Value::Bool(true);
    }
    if text.eq_ignore_ascii_case("false") {
        return Value::Bool(false);
    }
    if text.eq_ignore_ascii_case("null") {
        return Value::Null;
    }
    let may_be_integer = text == "0" || !text.starts_with('0');
    match text.parse::<i64>() {
        Ok(integer) if may_be_integer => Value::Number(Number::from(integer)),
        _ => Value::String(text),
    }
}
