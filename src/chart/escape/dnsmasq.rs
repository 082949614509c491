//! Fields of `dnsmasq.conf`.
//!
//! dnsmasq has quotes, but reads a quoted field as text: `"10.0.0.1"` is then not an address. So a field is written as
//! it is, or refused.

use minijinja::Value;

use super::{scalars, shown};
use crate::farm::syntax::{DNSMASQ_LINE, dnsmasq_field_fault};

/// One field, or for a list its fields with commas between.
pub(super) fn fields(value: &Value) -> Result<String, String> {
    let fields = scalars(value)?;
    let fault = |field: &String| Some((shown(field), dnsmasq_field_fault(field)?));
    match fields.iter().find_map(fault) {
        Some((field, fault)) => Err(format!(
            "a field of dnsmasq.conf cannot hold {fault}: {field}"
        )),
        None => Ok(fields.join(",")),
    }
}

/// Refuses a line that dnsmasq would read as two.
pub(super) fn check_lines(text: &str) -> Result<(), String> {
    match text.lines().find(|line| line.len() > DNSMASQ_LINE) {
        Some(line) => Err(format!(
            "a line of dnsmasq.conf has {} bytes, dnsmasq reads at most {DNSMASQ_LINE}: {}",
            line.len(),
            shown(line)
        )),
        None => Ok(()),
    }
}
