//! MACs in any spelling: what a switch, a server's sticker and a packet dump show differs.

use crate::farm::spec::{Mac, Text as _};
use crate::values::Refusal;

/// A MAC as values have it: `02:00:00:40:07:0a`. It may be written with colons, hyphens or dots between octets, pairs
/// of octets or halves, without anything between them, and in either case.
///
/// # Errors
/// A text that is not a MAC, or a MAC that no network card has.
pub fn mac(text: &str) -> Result<String, Refusal> {
    let plain = canonical_mac(text).unwrap_or_else(|| text.to_owned());
    Mac::parse(plain.clone()).map(|_| plain)
}

/// The spelling that values have, of any spelling; `None` for what is not a MAC.
pub fn canonical_mac(text: &str) -> Option<String> {
    let separator = text.chars().find(|sign| ":-.".contains(*sign));
    let groups: Vec<&str> = match separator {
        Some(separator) => text.split(separator).collect(),
        None => vec![text],
    };
    let width = match groups.len() {
        1 => 12,
        2 => 6,
        3 => 4,
        6 => 2,
        _ => return None,
    };
    // Some systems leave out the leading zero of an octet.
    let shortest = if width == 2 { 1 } else { width };
    let is_group = |group: &&str| {
        (shortest..=width).contains(&group.len()) && group.bytes().all(|b| b.is_ascii_hexdigit())
    };
    if !groups.iter().all(is_group) {
        return None;
    }
    let digits: String = groups
        .iter()
        .map(|group| format!("{group:0>width$}"))
        .collect();
    let digits: Vec<char> = digits.to_ascii_lowercase().chars().collect();
    let octets = digits.chunks(2).map(|octet| octet.iter().collect());
    Some(octets.collect::<Vec<String>>().join(":"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_is_the_same() {
        for text in [
            "02:00:00:40:07:0a",
            "02-00-00-40-07-0A",
            "0200.0040.070A",
            "020000-40070a",
            "02000040070a",
            "2:0:0:40:7:a",
        ] {
            assert_eq!(
                canonical_mac(text).as_deref(),
                Some("02:00:00:40:07:0a"),
                "{text}"
            );
        }
        for text in [
            "",
            "node1",
            "02:00:00:40:07",
            "02:00:00:40:07:0g",
            "02:00:00:40:07:00a",
            "02:00-00:40:07:0a",
            "0200.0040.70a",
            "02::00:40:07:0a",
        ] {
            assert_eq!(canonical_mac(text), None, "{text}");
        }
    }

    #[test]
    fn no_card_has_the_address_of_a_group() {
        assert!(mac("0100.5e00.0001").is_err());
        assert!(mac("r1n01").unwrap_err().message.contains("`r1n01`"));
    }
}
