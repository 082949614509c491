//! What a corpus file says will be reported, and what the program reported.
//!
//! A file's comments hold its expectations, each below the line that it is about:
//!
//! ```yaml
//! kubernetes:
//!   replicas: 2
//! # ^ error: kubernetes.replicas: unknown key "replicas"
//! #   help: did you mean "replicaCount"?
//! ```
//!
//! The `^` stands in the column of the place. `#<` means the first column, `#at LINE:COLUMN` a place where no comment
//! can follow, and `#at FILE` one in another file. A message is expected by how it begins, with or without the path
//! before it.

use std::fmt;

/// One problem: `error` or `warning`, its place and what is said of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reported {
    pub severity: String,
    /// `FILE:LINE:COLUMN`, a flag, or empty where there is no place.
    pub place: String,
    pub message: String,
    pub help: String,
}

impl Reported {
    /// Whether this expectation is met by what was reported.
    pub fn is_met_by(&self, reported: &Reported) -> bool {
        let path_and_message = reported.message.split_once(": ");
        let message = reported.message.starts_with(&self.message)
            || path_and_message.is_some_and(|(_, rest)| rest.starts_with(&self.message));
        let (place, in_file) = (&self.place, format!("{}:", self.place));
        self.severity == reported.severity
            && (*place == reported.place || reported.place.starts_with(&in_file))
            && message
            && reported.help.contains(&self.help)
    }
}

impl fmt::Display for Reported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.place, self.severity, self.message)?;
        match self.help.as_str() {
            "" => Ok(()),
            help => write!(f, " [{help}]"),
        }
    }
}

/// The expectations in a corpus file's comments, in their order.
pub fn expected(file: &str, text: &str) -> Vec<Reported> {
    let mut expectations: Vec<Reported> = Vec::new();
    let mut about = 0;
    for (index, line) in text.lines().enumerate() {
        let Some(comment) = line.strip_prefix('#') else {
            about = index + 1;
            continue;
        };
        if let Some(help) = comment.trim_start().strip_prefix("help: ") {
            let last = expectations.last_mut().expect("help follows a message");
            last.help = help.to_owned();
        } else if let Some((place, said)) = place_and_message(comment, about) {
            let (severity, message) = said.split_once(": ").expect("SEVERITY: MESSAGE");
            expectations.push(Reported {
                severity: severity.to_owned(),
                place: if place.contains('/') {
                    place
                } else {
                    format!("{file}:{place}")
                },
                message: message.to_owned(),
                help: String::new(),
            });
        }
    }
    expectations
}

/// `LINE:COLUMN` and the rest of an expectation; `None` for a comment that is none.
fn place_and_message(comment: &str, about: usize) -> Option<(String, &str)> {
    if let Some(rest) = comment.strip_prefix("at ") {
        let (place, said) = rest.split_once(' ')?;
        return Some((place.to_owned(), said));
    }
    if let Some(said) = comment.strip_prefix("< ") {
        return Some((format!("{about}:1"), said));
    }
    let said = comment.trim_start().strip_prefix("^ ")?;
    let column = comment.chars().take_while(|letter| *letter == ' ').count() + 2;
    Some((format!("{about}:{column}"), said))
}

/// The problems on stderr, with or without the lines that they are about.
pub fn reported(stderr: &str) -> Vec<Reported> {
    let mut problems: Vec<Reported> = Vec::new();
    for line in stderr.lines() {
        let found = ["error", "warning"].iter().find_map(|severity| {
            let (place, message) = line.split_once(&format!("{severity}: "))?;
            let place = place
                .strip_suffix(": ")
                .or(place.is_empty().then_some(""))?;
            let is_excerpt =
                place.starts_with(|first: char| first.is_ascii_digit() || first == ' ');
            (!is_excerpt).then(|| (severity.to_string(), place.to_owned(), message.to_owned()))
        });
        let help = line.trim_start().strip_prefix("= help: ");
        let place = line.trim_start().strip_prefix("--> ");
        match (found, problems.last_mut()) {
            (Some((severity, place, message)), _) => {
                problems.push(with_help(severity, place, message))
            }
            (None, Some(last)) => {
                last.help.push_str(help.unwrap_or_default());
                last.place.push_str(place.unwrap_or_default());
            }
            (None, None) => {}
        }
    }
    problems
}

/// A problem on one line of its own has its help in brackets.
fn with_help(severity: String, place: String, message: String) -> Reported {
    let bracket = message
        .rfind(" (")
        .filter(|_| !place.is_empty() && message.ends_with(')'));
    let (message, help) = match bracket {
        Some(at) => (
            message[..at].to_owned(),
            message[at + 2..message.len() - 1].to_owned(),
        ),
        None => (message, String::new()),
    };
    Reported {
        severity,
        place,
        message,
        help,
    }
}
