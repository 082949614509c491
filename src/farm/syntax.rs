//! The syntax of names, addresses and durations: pure predicates, each with the source of its rule.

mod cron;
mod host_address;
mod images;

use std::net::Ipv4Addr;
use std::time::Duration;

pub use cron::Schedule;
pub use host_address::HostAddress;
pub use images::{image_fault, is_image_digest, is_image_tag};

/// A MAC address as dnsmasq and LTSP compare it: six hexadecimal octets joined by colons.
pub fn is_mac(text: &str) -> bool {
    octets(text, is_octet) == Some(6)
}

/// A MAC address as dnsmasq accepts it for a host: octets may be `*`, and a kind of hardware may precede it, as a
/// hexadecimal number and a hyphen (dnsmasq(8), --dhcp-host). Other kinds than Ethernet may have up to 16 octets, the
/// limit of a request (RFC 2131, chaddr).
pub fn is_dnsmasq_mac(text: &str) -> bool {
    let count = |text| octets(text, |octet| octet == "*" || is_octet(octet));
    match text.split_once('-') {
        Some((kind, rest)) if u8::from_str_radix(kind, 16).is_ok() && kind.len() <= 2 => {
            count(rest).is_some_and(|count| (6..=16).contains(&count))
        }
        _ => count(text) == Some(6),
    }
}

/// How many parts with colons between them a text has; `None` where one of them is not what it has to be.
fn octets(text: &str, is_octet: impl Fn(&str) -> bool) -> Option<usize> {
    let mut parts = text.split(':');
    parts.try_fold(0, |count, part| is_octet(part).then_some(count + 1))
}

fn is_octet(text: &str) -> bool {
    text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// A DNS label in either case: letters, digits and inner hyphens, at most 63 (RFC 1123, section 2.1).
pub fn is_dns_label(text: &str) -> bool {
    let bytes = text.as_bytes();
    (1..=63).contains(&bytes.len())
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
        && bytes.first() != Some(&b'-')
        && bytes.last() != Some(&b'-')
}

/// DNS labels joined by dots, at most 253 characters (RFC 1123).
pub fn is_dns_name(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(is_dns_label)
}

/// A lower-case DNS name (RFC 1123), as Kubernetes accepts it for most objects.
pub fn is_lower_dns_name(text: &str) -> bool {
    is_dns_name(text) && !text.bytes().any(|byte| byte.is_ascii_uppercase())
}

/// A DNS name that cannot be meant for an IPv4 address: its last label is not a number (RFC 1123, section 2.1).
pub fn is_host_name(text: &str) -> bool {
    let last = text.rsplit('.').next().unwrap_or_default();
    is_dns_name(text) && !last.bytes().all(|byte| byte.is_ascii_digit())
}

/// A name that Kubernetes accepts for a namespace: a lower-case DNS label (RFC 1123). The names of releases follow the
/// same rule.
pub fn is_namespace_name(text: &str) -> bool {
    is_dns_label(text) && !text.bytes().any(|byte| byte.is_ascii_uppercase())
}

/// A name that Kubernetes accepts for a Service: a lower-case DNS label that begins with a letter (RFC 1035).
pub fn is_service_name(text: &str) -> bool {
    is_dns_label(text)
        && !text.bytes().any(|byte| byte.is_ascii_uppercase())
        && text.starts_with(|first: char| first.is_ascii_lowercase())
}

/// The middle rule of label keys and values: begins and ends alphanumeric, `-_.` inside, at most 63.
/// Kubernetes: concepts/overview/working-with-objects/labels, "Syntax and character set".
fn is_qualified_part(text: &str) -> bool {
    let bytes = text.as_bytes();
    (1..=63).contains(&bytes.len())
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
        && bytes.first().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.last().is_some_and(u8::is_ascii_alphanumeric)
}

/// A label's value; it may be empty.
pub fn is_label_value(text: &str) -> bool {
    text.is_empty() || is_qualified_part(text)
}

/// A label's key: a name, or a DNS name and a name joined by a slash.
pub fn is_label_key(text: &str) -> bool {
    match text.split_once('/') {
        None => is_qualified_part(text),
        Some((prefix, name)) => {
            is_dns_name(prefix)
                && !prefix.bytes().any(|byte| byte.is_ascii_uppercase())
                && is_qualified_part(name)
        }
    }
}

/// A tag: it becomes a dnsmasq tag, part of an LTSP section's name, and part of a shell variable's name.
pub fn is_tag(text: &str) -> bool {
    text.len() <= 63
        && text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

/// A lease time of dnsmasq: a number with an optional unit, `infinite` or `deprecated` (dnsmasq(8), --dhcp-range).
pub fn is_lease_time(text: &str) -> bool {
    let digits = text.trim_end_matches(['s', 'm', 'h', 'd', 'w', 'S', 'M', 'H', 'D', 'W']);
    matches!(text, "infinite" | "deprecated")
        || (text.len() - digits.len() <= 1
            && !digits.is_empty()
            && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

/// A variable's name, as sh and LTSP's ini2sh accept it.
pub fn is_variable_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// A key of a ConfigMap or Secret (Kubernetes: IsConfigMapKey).
pub fn is_file_key(text: &str) -> bool {
    (1..=253).contains(&text.len())
        && !text.starts_with("..")
        && text != "."
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

/// A Kubernetes quantity: `1Gi`, `500M`, `250m`, `1e9` (apimachinery, resource.Quantity).
pub fn quantity(text: &str) -> Option<f64> {
    const SUFFIXES: [(&str, f64); 16] = [
        ("", 1.0),
        ("n", 1e-9),
        ("u", 1e-6),
        ("m", 1e-3),
        ("k", 1e3),
        ("M", 1e6),
        ("G", 1e9),
        ("T", 1e12),
        ("P", 1e15),
        ("E", 1e18),
        ("Ki", 1024.0),
        ("Mi", 1048576.0),
        ("Gi", 1073741824.0),
        ("Ti", 1099511627776.0),
        ("Pi", 1125899906842624.0),
        ("Ei", 1152921504606846976.0),
    ];
    let number_end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, suffix) = text.split_at(number_end);
    let number = number.parse::<f64>().ok()?;
    let known = SUFFIXES.iter().find(|(known, _)| *known == suffix);
    if let Some((_, factor)) = known {
        return Some(number * factor);
    }
    let exponent = suffix.strip_prefix(['e', 'E'])?.parse::<i8>().ok()?;
    Some(number * 10f64.powi(i32::from(exponent)))
}

/// A duration as Go reads it, without a sign: `24h0m0s`, `1.5h`, `0` (time.ParseDuration).
pub fn go_duration(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let mut rest = text;
    let mut sum = Duration::ZERO;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at(end);
        let (seconds, after) = GO_UNITS
            .iter()
            .find_map(|(unit, seconds)| Some((seconds, after.strip_prefix(unit)?)))?;
        let part = number.parse::<f64>().ok()? * seconds;
        sum = sum.checked_add(Duration::try_from_secs_f64(part).ok()?)?;
        rest = after;
    }
    (!text.is_empty()).then_some(sum)
}

/// Go's units in seconds; a unit that begins like another one comes first.
const GO_UNITS: [(&str, f64); 6] = [
    ("ms", 1e-3),
    ("us", 1e-6),
    ("ns", 1e-9),
    ("h", 3600.0),
    ("m", 60.0),
    ("s", 1.0),
];

/// A Kubernetes version with its leading v: `v1.37.2`, `v1.38.0-rc.1`.
pub fn is_kubernetes_version(text: &str) -> bool {
    let Some(version) = text.strip_prefix('v') else {
        return false;
    };
    let (numbers, suffix) = version.split_once(['-', '+']).unwrap_or((version, "0"));
    let numbers: Vec<&str> = numbers.split('.').collect();
    numbers.len() == 3
        && numbers.iter().all(|number| number.parse::<u32>().is_ok())
        && !suffix.is_empty()
        && suffix
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b".-+_".contains(&byte))
}

/// Splits `host:port`, `[v6]:port` or a lone host.
pub fn split_endpoint(text: &str) -> Option<(&str, Option<u16>)> {
    if let Some(rest) = text.strip_prefix('[') {
        let (host, port) = rest.split_once(']')?;
        return match port.strip_prefix(':') {
            Some(port) => Some((host, Some(port.parse().ok()?))),
            None if port.is_empty() => Some((host, None)),
            None => None,
        };
    }
    match text.split_once(':') {
        Some((host, port)) => Some((host, Some(port.parse().ok()?))),
        None => Some((text, None)),
    }
}

/// A contiguous netmask, as its prefix length.
pub fn netmask_prefix(mask: Ipv4Addr) -> Option<u8> {
    let bits = u32::from(mask);
    let prefix = bits.leading_ones();
    (bits.checked_shl(prefix).unwrap_or(0) == 0)
        .then_some(u8::try_from(prefix).ok())
        .flatten()
}

/// What one field of a dnsmasq line must not contain, or `None` if it is valid.
///
/// A line break ends the line, a comma the field; quotes, backslashes and ` #` are dnsmasq's own syntax.
pub fn dnsmasq_field_fault(text: &str) -> Option<&'static str> {
    if text.chars().any(char::is_control) {
        Some("a line break or control character, which would end the line")
    } else if text.contains(',') {
        Some("a comma, which would end the field")
    } else if text.contains('"') || text.contains('\\') {
        Some("a quote or backslash, which dnsmasq reads as its own syntax")
    } else if text.contains(" #") || text.starts_with('#') {
        Some("a `#`, which would begin a comment")
    } else if text.trim() != text {
        Some("leading or trailing space, which dnsmasq drops")
    } else {
        None
    }
}

/// Why a value does not fit into dnsmasq's line, for any tags.
pub fn dnsmasq_value_fault(value: &str) -> Option<String> {
    // The longest option's name, the release's tag, another tag of 63 characters, and separators.
    const AROUND: usize = 200;
    (value.len() > DNSMASQ_LINE - AROUND).then(|| {
        format!(
            "{} bytes are too many: dnsmasq reads at most {DNSMASQ_LINE} with tags and option, and the rest as another line",
            value.len()
        )
    })
}

/// The limit of a line in bytes; dnsmasq reads the rest as another line (MAXDNAME, dns-protocol.h).
pub const DNSMASQ_LINE: usize = 1023;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn macs() {
        assert!(is_mac("02:00:AC:10:00:0a"));
        for bad in [
            "02:00:ac:10:00",
            "02-00-ac-10-00-0a",
            "02:00:ac:10:00:0g",
            "",
            "0200ac10000a",
        ] {
            assert!(!is_mac(bad), "{bad}");
        }
    }

    #[test]
    fn macs_of_hosts() {
        for good in ["02:00:*:*:*:*", "06-02:00:ac:10:00:0a", "02:00:AC:10:00:0a"] {
            assert!(is_dnsmasq_mac(good), "{good}");
        }
        for bad in [
            "02-00-ac-10-00-0a",
            "x-02:00:ac:10:00:0a",
            "02:00:*",
            "06-",
            "0*:00:ac:10:00:0a",
        ] {
            assert!(!is_dnsmasq_mac(bad), "{bad}");
        }
    }

    #[test]
    fn lease_times() {
        for good in ["1h", "45m", "3600", "infinite", "7d"] {
            assert!(is_lease_time(good), "{good}");
        }
        for bad in ["", "h", "1hh", "1.5h", "forever", "-1"] {
            assert!(!is_lease_time(bad), "{bad}");
        }
    }

    #[test]
    fn labels() {
        for good in ["a", "example.org/a_b.c", "node.kubernetes.io/x"] {
            assert!(is_label_key(good), "{good}");
        }
        for bad in ["", "-a", "a/b/c", "Example.org/a", "/a", "a/"] {
            assert!(!is_label_key(bad), "{bad}");
        }
        assert!(is_label_value("") && !is_label_value("a,b") && !is_label_value("a="));
    }

    #[test]
    fn durations_quantities_versions() {
        let seconds = |text| go_duration(text).map(|duration| duration.as_secs_f64());
        assert_eq!(seconds("24h0m0s"), Some(86_400.0));
        assert_eq!(seconds("1.5h1m2s500ms"), Some(5_462.5));
        assert_eq!(seconds("0"), Some(0.0));
        for text in [
            "",
            "1d",
            "1",
            "h",
            "-1h",
            "1..5h",
            &format!("{}h", "9".repeat(400)),
        ] {
            assert_eq!(seconds(text), None, "{text}");
        }
        assert!(
            ["1Gi", "1e9"].iter().all(|text| quantity(text).is_some())
                && ["1GiB", "big"].iter().all(|text| quantity(text).is_none())
        );
        assert!(is_kubernetes_version("v1.37.2") && !is_kubernetes_version("1.37.2"));
    }

    #[test]
    fn endpoints() {
        assert_eq!(
            split_endpoint("[fd00::1]:6443"),
            Some(("fd00::1", Some(6443)))
        );
        assert_eq!(
            split_endpoint("a.example:6443"),
            Some(("a.example", Some(6443)))
        );
        assert_eq!(split_endpoint("a.example"), Some(("a.example", None)));
        assert_eq!(split_endpoint("a.example:http"), None);
    }

    #[test]
    fn netmasks() {
        assert_eq!(netmask_prefix(Ipv4Addr::new(255, 255, 0, 0)), Some(16));
        assert_eq!(netmask_prefix(Ipv4Addr::new(255, 0, 255, 0)), None);
        assert_eq!(netmask_prefix(Ipv4Addr::new(255, 255, 255, 255)), Some(32));
    }
}
