//! Which values are secret.

use super::nearest::is_slip;
use super::tree::{Path, Segment};

/// Keys whose values are secret. Misspelled ones have to be found too.
const SECRETS: [&str; 5] = [
    "rootPasswd",
    "rootPassword",
    "password",
    "passwd",
    "passphrase",
];

/// Parts of such keys in lower case, also of misspelled ones.
const PARTS: [&str; 4] = ["passw", "rootpas", "pasword", "pwd"];

/// Whether a value at this path is secret, or part of a secret one.
pub fn is_in(path: &Path) -> bool {
    path.0.iter().any(|segment| match segment {
        Segment::Key(key) => end_of_key(key).is_some(),
        Segment::Index(_) => false,
    })
}

/// The position after the first key of a line whose value is secret, its closing quote included.
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
