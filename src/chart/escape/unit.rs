//! Text in a systemd unit (systemd.syntax(7), systemd.unit(5) on specifiers).

use super::shown;

/// The text on one line, with `%` doubled, as a unit's specifiers start with one.
///
/// # Errors
/// What means something in some of a unit's settings: quotes, backslash, `$`, control characters. Whether they do
/// depends on the setting, which no escape can know.
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
