//! Splits a line typed into bash into the words that bash would pass on.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};

/// The word without its quotes, of which the last may be missing. What bash would put in place of `$x` stays.
pub(super) fn unquoted(word: &OsStr) -> OsString {
    let mut text = Vec::new();
    let mut quote = None;
    let mut bytes = word.as_bytes().iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match (quote, byte) {
            (None, b'\'' | b'"') => quote = Some(byte),
            (Some(open), _) if open == byte => quote = None,
            (None, b'\\') => text.extend(bytes.next()),
            // In double quotes a backslash stays, but before these (POSIX, sh, 2.2.3).
            (Some(b'"'), b'\\') => match bytes.next_if(|next| b"$`\"\\".contains(next)) {
                Some(next) => text.push(next),
                None => text.push(byte),
            },
            _ => text.push(byte),
        }
    }
    OsString::from_vec(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_taken_away_as_bash_does() {
        for (typed, meant) in [
            ("plain", "plain"),
            ("my\\ values.yaml", "my values.yaml"),
            ("'my va", "my va"),
            ("\"my \\\"va\\n", "my \"va\\n"),
            ("a'b'\"c\"\\d", "abcd"),
            ("'a\\b'", "a\\b"),
            ("", ""),
            ("\\", ""),
        ] {
            assert_eq!(unquoted(OsStr::new(typed)), meant, "{typed}");
        }
    }
}
