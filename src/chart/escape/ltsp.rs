//! Values of `ltsp.conf`.
//!
//! LTSP reads the file with awk, line by line (`ini2sh`), into functions that a POSIX shell then evaluates. A line
//! that starts with `[` opens a section, also inside a shell's quotes: a value has to stay on its line.

use super::{shell, shown};

/// A newline: the last of the three characters that a shell's IFS starts with.
///
/// A command substitution drops the newlines at its end, so these are written in this way.
const NEWLINE: &str = "${IFS#??}";

/// The text as one shell word on one line.
pub(super) fn word(text: &str) -> Result<String, String> {
    if !text.contains('\n') {
        return shell::word(text);
    }
    let body = text.trim_end_matches('\n');
    let newlines = NEWLINE.repeat(text.len() - body.len());
    if !body.contains('\n') {
        return Ok(format!("{}\"{newlines}\"", shell::word(body)?));
    }
    let encoded = body.replace('\\', r"\\").replace('\n', r"\n");
    Ok(format!(
        "\"$(printf %b {}){newlines}\"",
        shell::word(&encoded)?
    ))
}

/// The line that opens a section: `[tag_compute]`.
///
/// # Errors
/// A character that LTSP's `ini2sh` would drop from the name, or an empty name.
pub(in crate::chart) fn section(name: &str) -> Result<String, String> {
    let kept = |byte: u8| byte.is_ascii_alphanumeric() || b"-*./:?@_|".contains(&byte);
    if name.is_empty() || !name.bytes().all(kept) {
        return Err(format!(
            "{} cannot name a section of ltsp.conf: letters, digits and -*./:?@_| can",
            shown(name)
        ));
    }
    Ok(format!("[{name}]"))
}
