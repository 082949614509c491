//! Words of GRUB's script language (GRUB manual, "Writing full configuration files directly", on quoting).

use super::shown;

/// The text in single quotes, in which every character stands for itself.
///
/// # Errors
/// A single quote or a control character: inside single quotes GRUB has no escape.
pub(super) fn word(text: &str) -> Result<String, String> {
    match text.chars().find(|c| *c == '\'' || c.is_control()) {
        Some(character) => Err(format!(
            "a GRUB word cannot hold {character:?}: {}",
            shown(text)
        )),
        None => Ok(format!("'{text}'")),
    }
}
