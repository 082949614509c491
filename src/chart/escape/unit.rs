//! Text in a systemd unit (systemd.syntax(7), systemd.unit(5) on specifiers).

use super::shown;

/// The text on one line, with `%` doubled, as a unit's specifiers start with one.
///
/// # Errors
/// Characters with a special meaning in some settings of a unit: quotes, backslash, `$`, control characters. The escape
/// does not know which setting the text is for.
pub(super) fn text(text: &str) -> Result<String, String> {
    let special = |c: char| c.is_control() || ['"', '\'', '\\', '$'].contains(&c);
    match text.chars().find(|c| special(*c)) {
        Some(character) => Err(format!(
            "a systemd unit cannot hold {character:?} safely: {}",
            shown(text)
        )),
        None => Ok(text.replace('%', "%%")),
    }
}
