//! Problems of the input, with their place.

use std::fmt;

use super::nearest::nearest;
use super::tree::{Origin, Path};

/// How much a problem matters: an error stops the command, a warning is only reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    Warning,
    Error,
}

/// One problem of the input.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    pub severity: Severity,
    /// Where it was written; `None` only if there is no such place.
    pub origin: Option<Origin>,
    /// The value that it is about, if any.
    pub path: Option<Path>,
    /// What is wrong: one line, no full stop.
    pub message: String,
    /// What was probably meant, or what to do.
    pub help: Option<String>,
    /// Whether these values are good for `render` only: they are not sent to a cluster.
    pub render_only: bool,
}

impl Problem {
    /// An error without a path yet.
    pub fn error(message: impl Into<String>) -> Problem {
        Problem {
            severity: Severity::Error,
            origin: None,
            path: None,
            message: message.into(),
            help: None,
            render_only: false,
        }
    }

    /// A warning without a path yet.
    pub fn warning(message: impl Into<String>) -> Problem {
        Problem {
            severity: Severity::Warning,
            ..Problem::error(message)
        }
    }

    /// The same problem at this origin.
    pub fn at(mut self, origin: Origin) -> Problem {
        self.origin = Some(origin);
        self
    }

    /// The same problem, about the value at this path.
    pub fn about(mut self, path: Path) -> Problem {
        self.path = Some(path);
        self
    }

    /// The same problem with advice.
    pub fn help(mut self, help: impl Into<String>) -> Problem {
        self.help = Some(help.into());
        self
    }

    /// Adds the message of another problem with the same value, which is its cause, to the help.
    pub fn caused_by(&mut self, cause: Problem) {
        self.help = Some(match self.help.take() {
            Some(help) => format!("{help}; {}", cause.message),
            None => cause.message,
        });
    }

    /// The same problem with the name that was probably meant, or else with advice.
    pub fn help_nearest(self, word: &str, names: &[&str], advice: &str) -> Problem {
        match nearest(word, names.iter().copied()) {
            Some(near) => self.help(format!("did you mean `{near}`?")),
            None => self.help(advice),
        }
    }

    /// The same problem; with it, the values are not sent to a cluster.
    pub fn render_only(mut self) -> Problem {
        self.render_only = true;
        self
    }
}

impl Problem {
    /// The order of problems: files and their lines, then flags, then those without a place.
    pub fn position(&self) -> (u8, &str, u32, u32) {
        match &self.origin {
            Some(Origin::Place {
                source,
                line,
                column,
            }) => (0, source, *line, *column),
            Some(Origin::Flag(flag)) => (1, flag, 0, 0),
            None => (2, "", 0, 0),
        }
    }
}

/// `origin: error: path: message (help)`, on one line.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(origin) = &self.origin {
            write!(f, "{origin}: ")?;
        }
        f.write_str(match self.severity {
            Severity::Error => "error: ",
            Severity::Warning => "warning: ",
        })?;
        if let Some(path) = self.path.as_ref().filter(|path| !path.0.is_empty()) {
            write!(f, "{path}: ")?;
        }
        f.write_str(&self.message)?;
        match &self.help {
            Some(help) => write!(f, " ({help})"),
            None => Ok(()),
        }
    }
}
