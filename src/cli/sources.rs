//! The texts that values come from: embedded ones by their names, and stdin, which gives its text only once.

use std::io::{self, Read};
use std::sync::{Mutex, PoisonError};

use crate::chart::embedded;

/// A source's text, to show a line of it: an embedded file's, or a file's as it is now.
pub fn source_text(source: &str) -> Option<String> {
    if let Some(name) = source.strip_prefix("builtin:") {
        return builtin(name).map(str::to_owned);
    }
    if let Some(text) = embedded::chart_file(source) {
        return Some(text.to_owned());
    }
    if source == "-" {
        return stdin_text();
    }
    // Pipes and terminals give their text once, and would keep us waiting for another.
    let is_regular = std::fs::metadata(source).is_ok_and(|found| found.is_file());
    if is_regular {
        std::fs::read_to_string(source).ok()
    } else {
        None
    }
}

/// The text behind `builtin:NAME`.
pub fn builtin(name: &str) -> Option<&'static str> {
    let layer = embedded::layers()
        .into_iter()
        .find(|layer| layer.name == name);
    let example = embedded::examples()
        .into_iter()
        .find(|example| example.name == name);
    layer
        .map(|layer| layer.text)
        .or(example.map(|example| example.values))
}

pub fn builtin_names() -> impl Iterator<Item = &'static str> {
    let layers = embedded::layers().into_iter().map(|layer| layer.name);
    layers.chain(embedded::examples().into_iter().map(|example| example.name))
}

/// What was read from stdin, whose text is given only once: messages show lines of it.
static STDIN: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// Stdin, kept while it is read.
pub struct KeptStdin;

impl Read for KeptStdin {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = io::stdin().lock().read(buffer)?;
        let mut kept = STDIN.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend_from_slice(buffer.get(..count).unwrap_or_default());
        Ok(count)
    }
}

/// The text that values were read from on stdin.
fn stdin_text() -> Option<String> {
    let kept = STDIN.lock().unwrap_or_else(PoisonError::into_inner);
    String::from_utf8(kept.clone()).ok()
}
