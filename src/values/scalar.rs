//! The meaning of a YAML scalar without quotes.
//!
//! The rules are those of the reader Helm uses (`sigs.k8s.io/yaml` over `go-yaml` v2), so that values files written
//! for Helm keep their meaning: YAML 1.1 booleans, octal by a leading zero, no base-60 numbers, no dates.

use serde_json::Number;

/// The meaning of a scalar that was written without quotes.
#[derive(Debug, Clone, PartialEq)]
pub enum Scalar {
    Null,
    Bool(bool),
    Number(Number),
    /// The text stands for itself.
    Text,
    /// Infinity or not-a-number, which JSON does not have.
    NotFinite,
}

/// Resolves a scalar that was written without quotes and without a tag.
///
/// An integer outside `i64` and `u64` becomes a float, a float outside `f64` stays text, as in `go-yaml` v2.
pub fn resolve(text: &str) -> Scalar {
    let Some(first) = text.bytes().next() else {
        return Scalar::Null;
    };
    match first {
        b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' | b'~' => word(text),
        b'.' => match text {
            ".inf" | ".Inf" | ".INF" | ".nan" | ".NaN" | ".NAN" => Scalar::NotFinite,
            _ => fraction(text).unwrap_or(Scalar::Text),
        },
        b'+' | b'-' | b'0'..=b'9' => number(text),
        _ => Scalar::Text,
    }
}

/// A number as Go's `encoding/json` writes it: `3.0` is `3`, and only numbers from 1e21 on or below 1e-6 have an
/// exponent. How it was spelled in the file is lost by then: `1.10`
/// is `1.1`, as in Helm.
pub fn number_text(number: &Number) -> String {
    let Some(float) = number.as_f64().filter(|_| number.is_f64()) else {
        return number.to_string();
    };
    let size = float.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) {
        let text = format!("{float:e}");
        return match text.split_once("e-") {
            Some(_) => text,
            None => text.replacen('e', "e+", 1),
        };
    }
    float.to_string()
}

fn word(text: &str) -> Scalar {
    match text {
        "~" | "null" | "Null" | "NULL" => Scalar::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Scalar::Bool(true)
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Scalar::Bool(false)
        }
        _ => Scalar::Text,
    }
}

fn number(text: &str) -> Scalar {
    if matches!(
        text,
        "+.inf" | "+.Inf" | "+.INF" | "-.inf" | "-.Inf" | "-.INF"
    ) {
        return Scalar::NotFinite;
    }
    let without_underscores;
    let plain = if text.contains('_') {
        without_underscores = text.replace('_', "");
        &without_underscores
    } else {
        text
    };
    integer(plain)
        .or_else(|| float(plain))
        .unwrap_or(Scalar::Text)
}

fn integer(text: &str) -> Option<Scalar> {
    let mut behind = text.chars();
    let (sign, unsigned) = match behind.next()? {
        '-' => (Some(-1), behind.as_str()),
        '+' => (Some(1), behind.as_str()),
        _ => (None, text),
    };
    let (radix, digits) = radix(unsigned)?;
    if !digits.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    // Only the zero that is the prefix of an octal number: "0".
    let magnitude = if digits.is_empty() {
        0
    } else {
        u64::from_str_radix(digits, radix).ok()?
    };
    let signed = i128::from(magnitude) * sign.unwrap_or(1);
    match i64::try_from(signed) {
        Ok(value) => Some(Scalar::Number(value.into())),
        Err(_) if sign.is_none() => Some(Scalar::Number(magnitude.into())),
        Err(_) => None,
    }
}

/// The base from a number's prefix, and the digits after the prefix.
fn radix(unsigned: &str) -> Option<(u32, &str)> {
    let Some(rest) = unsigned.strip_prefix('0') else {
        return (!unsigned.is_empty()).then_some((10, unsigned));
    };
    let mut behind = rest.chars();
    let radix = match behind.next() {
        Some('x' | 'X') => 16,
        Some('o' | 'O') => 8,
        Some('b' | 'B') => 2,
        _ => return Some((8, rest)),
    };
    let digits = behind.as_str();
    (!digits.is_empty()).then_some((radix, digits))
}

/// A float that starts with its point. Here go-yaml leaves underscores to Go, which accepts them only between digits.
fn fraction(text: &str) -> Option<Scalar> {
    if !text.contains('_') {
        return float(text);
    }
    let between_digits = text.as_bytes().windows(3).all(|window| match window {
        [before, b'_', after] => before.is_ascii_digit() && after.is_ascii_digit(),
        _ => true,
    });
    if !between_digits || text.ends_with('_') {
        return None;
    }
    float(&text.replace('_', ""))
}

fn float(text: &str) -> Option<Scalar> {
    if !is_float(text.as_bytes()) {
        return None;
    }
    let value: f64 = text.parse().ok()?;
    Number::from_f64(value).map(Scalar::Number)
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
fn is_float(text: &[u8]) -> bool {
    let (whole, rest) = digits(without_sign(text));
    let rest = match rest.split_first() {
        Some((b'.', fraction)) => {
            let (decimals, rest) = digits(fraction);
            if whole == 0 && decimals == 0 {
                return false;
            }
            rest
        }
        _ if whole == 0 => return false,
        _ => rest,
    };
    match rest.split_first() {
        None => true,
        Some((b'e' | b'E', exponent)) => {
            let (count, rest) = digits(without_sign(exponent));
            count > 0 && rest.is_empty()
        }
        Some(_) => false,
    }
}

fn without_sign(text: &[u8]) -> &[u8] {
    match text.split_first() {
        Some((b'+' | b'-', rest)) => rest,
        _ => text,
    }
}

/// The number of decimal digits at the start of a text, and the rest.
fn digits(text: &[u8]) -> (usize, &[u8]) {
    let count = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    (count, text.get(count..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::{Scalar, resolve};

    /// What `sigs.k8s.io/yaml` 1.6 makes of each scalar, as JSON; `!error` where JSON has no word for it.
    const HELM: &str = include_str!("scalar/helm.tsv");

    #[test]
    fn reads_scalars_as_helm_does() {
        let mut read = 0;
        for line in HELM.lines() {
            let (text, meant) = line.split_once('\t').expect("two columns");
            let expected = match meant {
                "!error" => Scalar::NotFinite,
                json => match serde_json::from_str::<serde_json::Value>(json).expect("JSON") {
                    serde_json::Value::Null => Scalar::Null,
                    serde_json::Value::Bool(value) => Scalar::Bool(value),
                    // serde_json may be off by one in the last place; the standard library never is.
                    serde_json::Value::Number(value) if value.is_f64() => {
                        let value: f64 = json.parse().expect("a float");
                        Scalar::Number(serde_json::Number::from_f64(value).expect("finite"))
                    }
                    serde_json::Value::Number(value) => Scalar::Number(value),
                    serde_json::Value::String(value) => {
                        assert_eq!(value, text);
                        Scalar::Text
                    }
                    other => panic!("{other}"),
                },
            };
            let found = resolve(text);
            let same = match (&found, &expected) {
                // Go writes 3.0 as 3.
                (Scalar::Number(left), Scalar::Number(right)) => left.as_f64() == right.as_f64(),
                _ => found == expected,
            };
            assert!(same, "{text:?}: {found:?} instead of {expected:?}");
            read += 1;
        }
        assert!(read > 150, "the table is gone");
    }

    #[test]
    fn keeps_integers_exact() {
        for (text, exact) in [
            ("9223372036854775807", "9223372036854775807"),
            ("18446744073709551615", "18446744073709551615"),
            ("-0x10", "-16"),
            ("0777", "511"),
        ] {
            let Scalar::Number(number) = resolve(text) else {
                panic!("{text} is not a number");
            };
            assert_eq!(number.to_string(), exact);
        }
    }
}
