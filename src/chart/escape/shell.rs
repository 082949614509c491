//! POSIX shell words (POSIX.1-2017, Shell Command Language, 2.2 Quoting).

use minijinja::Value;

use super::{scalars, shown};

/// One word, or for a list its words with spaces between.
pub(super) fn words(value: &Value) -> Result<String, String> {
    let words: Result<Vec<String>, String> =
        scalars(value)?.iter().map(|text| word(text)).collect();
    Ok(words?.join(" "))
}

/// The text as one word in which the shell expands nothing.
///
/// # Errors
/// A NUL, which no shell variable and no argument can hold.
pub(in crate::chart) fn word(text: &str) -> Result<String, String> {
    if text.contains('\0') {
        return Err(format!("a shell word cannot hold NUL: {}", shown(text)));
    }
    if !text.is_empty() && text.bytes().all(is_plain) {
        return Ok(text.to_owned());
    }
    Ok(format!("'{}'", text.replace('\'', r"'\''")))
}

/// Bytes without a special meaning anywhere in a word. `=` and `~` have one in a command's first word.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_@%+:,./-".contains(&byte)
}
