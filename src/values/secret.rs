//! Which values nobody but their owner may see.

use super::nearest::is_slip;
use super::tree::{Path, Segment};

/// Keys whose values nobody but their owner may see. Misspelled ones are to be met too.
const SECRETS: [&str; 5] = [
    "rootPasswd",
    "rootPassword",
    "password",
    "passwd",
    "passphrase",
];

/// What such a key has in it, in lower case, whatever else is wrong with it.
const PARTS: [&str; 4] = ["passw", "rootpas", "pasword", "pwd"];

/// Whether a value at this path is secret, or a part of what is.
pub fn is_in(path: &Path) -> bool {
    path.0.iter().any(|segment| match segment {
        Segment::Key(key) => end_of_key(key).is_some(),
        Segment::Index(_) => false,
    })
}

/// The byte behind the first key of a line that has a secret, its closing quote included.
pub fn end_of_key(line: &str) -> Option<usize> {
    let is_of_key = |character: char| character.is_alphanumeric() || matches!(character, '_' | '-');
    let mut start = 0;
    while let Some(begin) = line.get(start..)?.find(is_of_key) {
        let word = line.get(start + begin..)?;
        let length = word.find(|character| !is_of_key(character));
        let (word, behind) = word.split_at(length.unwrap_or(word.len()));
        start += begin + word.len();
        if is_secret_word(word) {
            return Some(start + usize::from(behind.starts_with(['"', '\''])));
        }
    }
    None
}

fn is_secret_word(word: &str) -> bool {
    let lower = word.to_ascii_lowercase();
    PARTS.iter().any(|part| lower.contains(part))
        || SECRETS.iter().any(|secret| is_slip(word, secret))
}
