//! Private keys in PEM (RFC 7468), without copies that nobody wipes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// Bytes a line: 64 characters.
const LINE: usize = 48;

/// A PEM block.
pub(super) fn encode(label: &str, der: &[u8]) -> Zeroizing<String> {
    let lines = der.len() / LINE + 1;
    // Enough for all of it: a text that grows leaves copies behind.
    let mut text = Zeroizing::new(String::with_capacity(lines * 65 + 2 * label.len() + 40));
    text.push_str(&format!("-----BEGIN {label}-----\n"));
    let mut line = Zeroizing::new([0_u8; 64]);
    for chunk in der.chunks(LINE) {
        let written = STANDARD.encode_slice(chunk, line.as_mut_slice());
        let encoded = written.ok().and_then(|count| line.get(..count));
        let encoded = encoded.and_then(|bytes| std::str::from_utf8(bytes).ok());
        text.push_str(encoded.unwrap_or_default());
        text.push('\n');
    }
    text.push_str(&format!("-----END {label}-----\n"));
    text
}

/// The content of the first private key of a text; `None` where there is none, or it is damaged or encrypted.
pub(super) fn private_key(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut lines = text.lines().map(str::trim);
    let label = lines.by_ref().find_map(|line| {
        let label = line.strip_prefix("-----BEGIN ")?.strip_suffix("-----")?;
        label.ends_with("PRIVATE KEY").then_some(label)
    })?;
    let mut encoded = Zeroizing::new(String::with_capacity(text.len()));
    for line in lines {
        let Some(end) = line.strip_prefix("-----END ") else {
            encoded.push_str(line);
            continue;
        };
        return if end.strip_suffix("-----") == Some(label) {
            STANDARD.decode(encoded.as_bytes()).ok().map(Zeroizing::new)
        } else {
            None
        };
    }
    None
}
