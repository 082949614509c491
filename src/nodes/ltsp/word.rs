//! A word of the shell that always means the same: the text that an assignment gives its variable.
//!
//! It reads what `chart::escape` writes into `ltsp.conf`, and what people write there: quotes, but no expansions.

/// What `chart::escape` writes for a line feed: see there.
const NEWLINE: &str = "${IFS#??}";
const PRINTF: &str = "$(printf %b ";

/// The value of a word, if it is one and nothing but a comment is behind it, and nothing in it is expanded.
pub fn value(text: &str) -> Option<String> {
    let mut reader = Reader { rest: text };
    let value = reader.word()?;
    let rest = reader.rest.trim_start_matches([' ', '\t']);
    let is_end = rest.is_empty() || (rest.starts_with('#') && rest.len() < reader.rest.len());
    is_end.then_some(value)
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn next(&mut self) -> Option<char> {
        let mut signs = self.rest.chars();
        let sign = signs.next();
        self.rest = signs.as_str();
        sign
    }

    fn takes(&mut self, text: &str) -> bool {
        match self.rest.strip_prefix(text) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// A word, up to a space or a parenthesis.
    fn word(&mut self) -> Option<String> {
        let mut value = String::new();
        while let Some(sign) = self.rest.chars().next() {
            if matches!(sign, ' ' | '\t' | ')') {
                break;
            }
            self.next();
            match sign {
                '\'' => {
                    let (inside, rest) = self.rest.split_once('\'')?;
                    value.push_str(inside);
                    self.rest = rest;
                }
                '"' => self.quoted(&mut value)?,
                '\\' => value.push(self.next()?),
                '$' | '`' | ';' | '&' | '|' | '<' | '>' | '(' | '~' => return None,
                plain => value.push(plain),
            }
        }
        Some(value)
    }

    /// What stands in double quotes (POSIX.1-2017, Shell Command Language, 2.2.3).
    fn quoted(&mut self, value: &mut String) -> Option<()> {
        loop {
            if self.takes(NEWLINE) {
                value.push('\n');
            } else if self.takes(PRINTF) {
                value.push_str(&self.printed()?);
            } else {
                match self.next()? {
                    '"' => return Some(()),
                    '$' | '`' => return None,
                    '\\' => match self.next()? {
                        sign @ ('$' | '`' | '"' | '\\') => value.push(sign),
                        other => value.extend(['\\', other]),
                    },
                    plain => value.push(plain),
                }
            }
        }
    }

    /// What printf(1) prints, by the two escapes that are written for it.
    fn printed(&mut self) -> Option<String> {
        let encoded = self.word()?;
        if self.next() != Some(')') {
            return None;
        }
        let mut text = String::new();
        let mut signs = encoded.chars();
        while let Some(sign) = signs.next() {
            match sign {
                '\\' => text.push(match signs.next()? {
                    '\\' => '\\',
                    'n' => '\n',
                    _ => return None,
                }),
                plain => text.push(plain),
            }
        }
        // A command substitution drops the line feeds at its end.
        Some(text.trim_end_matches('\n').to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_read_as_a_shell_does() {
        for (word, expected) in [
            ("", ""),
            ("a-b:c=d", "a-b:c=d"),
            ("'a  b'c\"d\\\"e\\f\"", "a  bcd\"e\\f"),
            (r"'it'\''s'", "it's"),
            ("\"a b\"  # a comment", "a b"),
            ("a#b", "a#b"),
            ("\"$(printf %b 'a\\\\b\\nc')${IFS#??}\"", "a\\b\nc\n"),
            ("'a'\"${IFS#??}\"", "a\n"),
        ] {
            assert_eq!(value(word).as_deref(), Some(expected), "{word}");
        }
    }

    #[test]
    fn what_a_shell_would_expand_or_run_is_not_known() {
        for word in [
            "$A",
            "\"$A\"",
            "`id`",
            "\"`id`\"",
            "$(id)",
            "~",
            "a b",
            "a;b",
            "a&",
            "'a",
            "\"a",
            "a\\",
            "a)",
            "\"$(printf %b '\\c')\"",
        ] {
            assert_eq!(value(word), None, "{word}");
        }
    }
}
