//! Patterns in which `*` stands for any text, for any room.

/// The meaning of the signs of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Glob {
    /// As in names of files: `*` for any text without a `/`; no other sign.
    Path,
    /// As in the shell's `case`, without brackets (POSIX 1003.1, "Pattern Matching Notation"): `*` for any text, `?` for
    /// any byte.
    Case,
}

impl Glob {
    /// Whether all of `text` matches. Takes at most time in proportion to the product of both lengths.
    pub fn matches(self, pattern: &str, text: &str) -> bool {
        let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
        let (mut at, mut from) = (0, 0);
        // The positions after the last star in the pattern, and in the text where its match ended.
        let mut star: Option<(usize, usize)> = None;
        loop {
            match (pattern.get(at), text.get(from)) {
                (None, None) => return true,
                (Some(b'*'), _) => {
                    at += 1;
                    star = Some((at, from));
                    continue;
                }
                (Some(sign), Some(byte)) if self.is_for(*sign, *byte) => {
                    at += 1;
                    from += 1;
                    continue;
                }
                _ => {}
            }
            // The last star matches one byte more. An earlier one never has to: the last one can match the same bytes.
            match star {
                Some((after, taken)) if self.star_takes(text.get(taken)) => {
                    star = Some((after, taken + 1));
                    (at, from) = (after, taken + 1);
                }
                _ => return false,
            }
        }
    }

    fn is_for(self, sign: u8, byte: u8) -> bool {
        sign == byte || (self == Glob::Case && sign == b'?')
    }

    fn star_takes(self, byte: Option<&u8>) -> bool {
        byte.is_some_and(|byte| self == Glob::Case || *byte != b'/')
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Glob::{Case, Path};
    use super::*;

    #[test]
    fn a_star_is_for_any_text() {
        for (pattern, text) in [("*", ""), ("a*c*", "abcbc"), ("*b*", "abc"), ("**b", "ab")] {
            assert!(Path.matches(pattern, text), "{pattern}");
            assert!(Case.matches(pattern, text), "{pattern}");
        }
        for (pattern, text) in [
            ("a*d", "abc"),
            ("", "a"),
            ("a*", "ba"),
            ("*b", "bc"),
            ("a", "ab"),
        ] {
            assert!(!Path.matches(pattern, text), "{pattern}");
            assert!(!Case.matches(pattern, text), "{pattern}");
        }
    }

    #[test]
    fn only_a_shell_goes_over_slashes_and_knows_question_marks() {
        assert!(Case.matches("*", "a/b") && !Path.matches("*", "a/b"));
        assert!(Case.matches("a?c*", "abc") && !Path.matches("a?c*", "abc"));
        assert!(Path.matches("a?c", "a?c") && !Case.matches("?", ""));
    }

    /// A matcher that backtracks to every star would not end with these.
    #[test]
    fn many_stars_take_no_time() {
        let (pattern, text) = ("*a".repeat(2000) + "b", "a".repeat(4000));
        assert!(!Case.matches(&pattern, &text) && !Path.matches(&pattern, &text));
    }

    /// The meaning of the signs, however long it takes.
    fn means(glob: Glob, pattern: &[u8], text: &[u8]) -> bool {
        match (pattern.split_first(), text.split_first()) {
            (None, None) => true,
            (Some((b'*', rest)), _) => {
                means(glob, rest, text)
                    || text.split_first().is_some_and(|(byte, after)| {
                        (glob == Case || *byte != b'/') && means(glob, pattern, after)
                    })
            }
            (Some((sign, pattern)), Some((byte, text))) => {
                (sign == byte || (glob == Case && *sign == b'?')) && means(glob, pattern, text)
            }
            _ => false,
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn it_is_as_the_signs_mean(pattern in "[ab/*?]{0,7}", text in "[ab/]{0,9}") {
            for glob in [Path, Case] {
                let meant = means(glob, pattern.as_bytes(), text.as_bytes());
                prop_assert_eq!(glob.matches(&pattern, &text), meant, "{:?}", glob);
            }
        }
    }
}
