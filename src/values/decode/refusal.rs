//! Why a type refuses a value.

use std::fmt;

/// Separates the message from the help in the alternate form. Values files do not contain this character.
const SEPARATOR: char = '\u{1f}';

/// Why a type refuses a value, for [`serde::de::Error::custom`], which accepts only what can be displayed. The
/// alternate form (`{:#}`) has the help, for decoders that read it; others show the message alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What is wrong: one line, no full stop.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
}

impl Refusal {
    /// A refusal without help.
    pub fn new(message: impl Into<String>) -> Refusal {
        Refusal {
            message: message.into(),
            help: None,
        }
    }

    /// The same refusal with help.
    pub fn help(mut self, help: impl Into<String>) -> Refusal {
        self.help = Some(help.into());
        self
    }

    /// The message and the help of a value that was passed to `custom`.
    pub(super) fn read(refusal: &impl fmt::Display) -> (String, Option<String>) {
        let text = format!("{refusal:#}");
        match text.rsplit_once(SEPARATOR) {
            Some((message, help)) => (message.to_owned(), Some(help.to_owned())),
            None => (text, None),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.help {
            Some(help) if f.alternate() => write!(f, "{SEPARATOR}{help}"),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Deserializer, de};

    use super::Refusal;
    use crate::values::{decode, yaml};

    /// A text that is `a`.
    #[derive(Debug)]
    struct Letter;

    impl<'de> Deserialize<'de> for Letter {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            match String::deserialize(deserializer)?.as_str() {
                "a" => Ok(Letter),
                text => {
                    let refusal = Refusal::new(format!("`{text}` is not a letter"));
                    Err(de::Error::custom(refusal.help("write a")))
                }
            }
        }
    }

    fn problems(text: &str) -> Vec<String> {
        let tree = yaml::parse("v.yaml", text).expect("YAML").remove(0);
        let (_, problems) = decode::<Vec<Letter>>(&tree);
        problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn decoding_keeps_message_and_help_apart() {
        assert_eq!(
            problems("- a\n- b\n- c\n"),
            [
                "v.yaml:2:3: error: [1]: `b` is not a letter (write a)",
                "v.yaml:3:3: error: [2]: `c` is not a letter (write a)",
            ]
        );
    }

    #[test]
    fn what_yaml_made_of_a_text_is_a_cause_and_not_a_problem_of_its_own() {
        assert_eq!(
            problems("- 1e3\n"),
            [
                "v.yaml:1:3: error: [0]: `1000` is not a letter (write a; \"1e3\" without quotes is the number 1000)"
            ]
        );
    }

    #[test]
    fn other_decoders_show_the_message() {
        let refused = serde_json::from_str::<Letter>("\"b\"");
        let message = refused.expect_err("no letter").to_string();
        assert!(message.starts_with("`b` is not a letter"), "{message}");
        assert!(!message.contains("write"), "{message}");
    }
}
