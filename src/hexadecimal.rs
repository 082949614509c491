//! Bytes in hexadecimal digits, for any room.

use std::fmt::Write as _;

/// Two lower-case digits for each byte, as digests are written.
pub fn hexadecimal(bytes: impl AsRef<[u8]>) -> String {
    let bytes = bytes.as_ref();
    let mut digits = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(digits, "{byte:02x}");
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::hexadecimal;

    #[test]
    fn every_byte_has_two_digits() {
        assert_eq!(hexadecimal([0, 10, 255]), "000aff");
        assert_eq!(hexadecimal([]), "");
    }
}
