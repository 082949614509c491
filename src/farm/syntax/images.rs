//! Names of container images (distribution, reference.Grammar).

use std::net::Ipv6Addr;

use super::{is_dns_name, split_endpoint};

/// What is wrong with the name of an image without tag and digest.
pub fn image_fault(name: &str) -> Option<&'static str> {
    if name.contains("://") {
        return Some("a scheme does not belong there");
    }
    let (registry, path) = match name.split_once('/') {
        Some((first, rest)) if first.contains(['.', ':']) || first == "localhost" => (first, rest),
        _ => ("", name),
    };
    let part = |text: &str| {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        text.bytes().next().is_some_and(plain)
            && text.bytes().next_back().is_some_and(plain)
            && text
                .bytes()
                .all(|byte| plain(byte) || b"._-".contains(&byte))
    };
    if path.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Some("upper-case letters are not allowed")
    } else if path.contains(':') {
        Some("tag and digest have keys of their own")
    } else if !path.split('/').all(part) {
        Some("lower-case letters, digits, and `.`, `_`, `-` between them")
    } else if !registry.is_empty() && !is_registry(registry) {
        Some("the registry is HOST or HOST:PORT")
    } else {
        None
    }
}

fn is_registry(registry: &str) -> bool {
    split_endpoint(registry).is_some_and(|(host, _)| {
        if registry.starts_with('[') {
            host.parse::<Ipv6Addr>().is_ok()
        } else {
            is_dns_name(host)
        }
    })
}

/// A tag of an image.
pub fn is_image_tag(tag: &str) -> bool {
    tag.len() <= 128
        && !tag.starts_with(['.', '-'])
        && !tag.is_empty()
        && tag
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
}

/// The digest of an image.
pub fn is_image_digest(digest: &str) -> bool {
    let hex = |text: &str, length| {
        text.len() == length && text.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    match digest.split_once(':') {
        Some(("sha256", text)) => hex(text, 64),
        Some(("sha512", text)) => hex(text, 128),
        _ => false,
    }
}
