//! Fields of `dnsmasq.conf`.
//!
//! dnsmasq has quotes, but takes a quoted field for text: `"10.0.0.1"` is not an address then. So a field is written
//! as it is, or refused.

use minijinja::Value;

use super::{scalars, shown};

/// The bytes of a line that dnsmasq reads in one piece; it takes the rest for another line (MAXDNAME in dns-protocol.h).
const LONGEST_LINE: usize = 1024;

/// One field, or for a list its fields with commas between.
pub(super) fn fields(value: &Value) -> Result<String, String> {
    let fields = scalars(value)?;
    for field in &fields {
        check(field)?;
    }
    Ok(fields.join(","))
}

fn check(field: &str) -> Result<(), String> {
    let reason = if field.chars().any(char::is_control) {
        "a control character or a line end"
    } else if let Some(special) = field.chars().find(|c| [',', '"', '\\'].contains(c)) {
        return refused(field, &format!("the character {special}"));
    } else if field.starts_with('#') || field.contains(" #") {
        "the start of a comment"
    } else if field.starts_with(' ') || field.ends_with(' ') {
        "a space at its start or end"
    } else {
        return Ok(());
    };
    refused(field, reason)
}

fn refused(field: &str, reason: &str) -> Result<(), String> {
    Err(format!(
        "a field of dnsmasq.conf cannot hold {reason}: {}",
        shown(field)
    ))
}

/// Refuses a line that dnsmasq would read as two.
pub(super) fn check_lines(text: &str) -> Result<(), String> {
    match text.lines().find(|line| line.len() >= LONGEST_LINE) {
        Some(line) => Err(format!(
            "a line of dnsmasq.conf has {} bytes, dnsmasq reads at most {}: {}",
            line.len(),
            LONGEST_LINE - 1,
            shown(line)
        )),
        None => Ok(()),
    }
}
