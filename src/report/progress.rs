//! What a person, or a program, sees while a cluster changes.

mod bars;
mod json;
mod lines;
mod quiet;
mod tally;
mod wording;

use std::io::{self, IsTerminal};

use indicatif::ProgressDrawTarget;

use crate::cluster::{Event, Observer};

use bars::Bars;
use json::JsonLines;
use lines::Lines;
use quiet::Quiet;

/// The format of stdout, where one is requested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    Json,
}

/// How progress is shown.
///
/// # The JSON format
///
/// One JSON object a line, on stdout. Readers should ignore events and keys that they do not know: some may be added,
/// none of these changes.
///
/// ```json
/// {"event":"stage","stage":"wave","name":"RBAC","count":9}
/// {"event":"object","action":"created","object":{"group":"apps","kind":"StatefulSet","namespace":"farm","name":"etcd"}}
/// {"event":"warning","object":{…},"text":"spec.x is deprecated"}
/// {"event":"waiting","object":{…},"reason":"2 of 3 pods ready"}
/// {"event":"held","holder":"ci@build-7"}
/// {"event":"taken","object":{…},"conflicts":[{"field":".spec.replicas","manager":"helm"}]}
/// {"event":"note","text":"…"}
/// ```
///
/// - `stage`: `check`, `wave`, `prune`, `delete` or `wait`; only a wave has a `name`. `count`: objects it is about.
/// - `action`: `checked`, `created`, `changed`, `unchanged`, `replaced`, `deleted`, `kept` (with a `reason`) or `ready`.
/// - `group` is `""` for the core group, `namespace` is `""` for objects that live in none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProgressFormat {
    /// On stderr: a bar for the stage, a line for each slow object, and a line for each stage that is over.
    Bars,
    /// On stderr: a plain line for each object that was done.
    Lines,
    /// On stdout: a JSON object a line.
    Json,
    /// On stderr: warnings, and nothing else.
    Quiet,
}

impl ProgressFormat {
    /// What was asked for. Otherwise bars where stderr is a terminal whose cursor moves (`TERM` is set and not `dumb`),
    /// and lines elsewhere. JSON is the product, so `quiet` does not take it away.
    pub fn choose(output: Option<Output>, quiet: bool) -> ProgressFormat {
        let term = std::env::var("TERM").unwrap_or_default();
        let cursor_moves = io::stderr().is_terminal() && !matches!(term.as_str(), "" | "dumb");
        ProgressFormat::for_terminal(output, quiet, cursor_moves)
    }

    fn for_terminal(output: Option<Output>, quiet: bool, cursor_moves: bool) -> ProgressFormat {
        match output {
            Some(Output::Json) => ProgressFormat::Json,
            None if quiet => ProgressFormat::Quiet,
            None if cursor_moves => ProgressFormat::Bars,
            None => ProgressFormat::Lines,
        }
    }
}

/// Shows every event in a [`ProgressFormat`]. If nobody reads any more (a closed pipe), it continues in silence.
///
/// Bars stay on the terminal until this is dropped, or [`Progress::finish`]ed: do so before anything else is printed.
pub struct Progress {
    observer: Box<dyn Observer>,
}

impl Progress {
    /// Progress on the process's stderr, or on stdout for [`ProgressFormat::Json`].
    pub fn new(format: ProgressFormat) -> Progress {
        let observer: Box<dyn Observer> = match format {
            ProgressFormat::Bars => Box::new(Bars::new(ProgressDrawTarget::stderr(), io::stderr())),
            ProgressFormat::Lines => Box::new(Lines::new(io::stderr())),
            ProgressFormat::Json => Box::new(JsonLines::new(io::stdout())),
            ProgressFormat::Quiet => Box::new(Quiet::new(io::stderr())),
        };
        Progress { observer }
    }

    /// Takes the bars from the terminal. The stage that was under way leaves its line; it is marked as failed where some
    /// of its objects were not done.
    pub fn finish(self) {}
}

impl Observer for Progress {
    fn observe(&self, event: &Event<'_>) {
        self.observer.observe(event);
    }
}

#[cfg(test)]
mod tests;
