//! Events in words, the same ones in every form.

use crate::cluster::{Action, Event, Stage};
use crate::manifest::Key;
use crate::report::harmless::printable;

/// A line of output: a word for what happened, and its object.
pub struct Line {
    pub word: &'static str,
    /// One line, printable.
    pub text: String,
}

impl Line {
    /// The event as a line; `None` for a stage, which is shown in another way.
    pub fn of(event: &Event<'_>) -> Option<Line> {
        let (word, text) = match event {
            Event::Stage { .. } => return None,
            Event::Object { key, action } => (action_word(action), done(key, action)),
            Event::Warning { key, text } => ("warning", about(key, text)),
            Event::Waiting { key, reason } => ("waiting", about(key, reason)),
            Event::Held { holder } => (
                "waiting",
                format!("{holder} is working on this farm; waiting for it"),
            ),
            Event::Taken { key, conflicts } => {
                let fields = conflicts
                    .iter()
                    .map(|conflict| format!("{} from {}", conflict.field, conflict.manager));
                ("taken", about(key, &fields.collect::<Vec<_>>().join(", ")))
            }
            Event::Note(text) => ("note", (*text).to_owned()),
        };
        let text = printable(&text);
        Some(Line { word, text })
    }

    /// `warning: StatefulSet farm/etcd: it is old`
    pub fn sentence(&self) -> String {
        format!("{}: {}", self.word, self.text)
    }
}

fn done(key: &Key, action: &Action) -> String {
    match action {
        Action::Kept(why) => about(key, why),
        _ => key.to_string(),
    }
}

fn about(key: &Key, text: &str) -> String {
    format!("{key}: {text}")
}

/// What was done, as a participle.
pub fn action_word(action: &Action) -> &'static str {
    match action {
        Action::Checked => "checked",
        Action::Created => "created",
        Action::Changed => "changed",
        Action::Unchanged => "unchanged",
        Action::Replaced => "replaced",
        Action::Deleted => "deleted",
        Action::Kept(_) => "kept",
        Action::Ready => "ready",
    }
}

/// What kind of stage it is: `wave` for all waves.
pub fn stage_kind(stage: Stage) -> &'static str {
    match stage {
        Stage::Check => "check",
        Stage::Wave(_) => "wave",
        Stage::Prune => "prune",
        Stage::Delete => "delete",
        Stage::Wait => "wait",
    }
}

/// The stage as a person reads it: a wave by its own name.
pub fn stage_name(stage: Stage) -> &'static str {
    match stage {
        Stage::Wave(name) => name,
        other => stage_kind(other),
    }
}

/// `1 object`, `2 objects`
pub fn objects(count: usize) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} object{plural}")
}
