//! How far a stage is.

use indexmap::IndexMap;

use crate::cluster::{Action, Stage};

use super::wording::{action_word, objects};

/// What was done with the objects of a stage.
pub struct Tally {
    stage: Stage,
    count: usize,
    /// How many objects by what was done with them, in the order in which they are reported.
    done: IndexMap<&'static str, usize>,
}

impl Tally {
    /// Nothing was done yet, with `count` objects to go.
    pub fn new(stage: Stage, count: usize) -> Tally {
        let actions = [
            Action::Checked,
            Action::Created,
            Action::Changed,
            Action::Replaced,
            Action::Unchanged,
            Action::Deleted,
            Action::Kept(""),
            Action::Ready,
        ];
        let done = actions.iter().map(|action| (action_word(action), 0));
        Tally {
            stage,
            count,
            done: done.collect(),
        }
    }

    /// Counts an object, where what was done is what the stage is for: a check checks, a wait waits until objects are
    /// ready, the others change the cluster. Says whether it is.
    pub fn add(&mut self, action: &Action) -> bool {
        let counts = match self.stage {
            Stage::Check => *action == Action::Checked,
            Stage::Wait => *action == Action::Ready,
            _ => !matches!(action, Action::Checked | Action::Ready),
        };
        if counts {
            *self.done.entry(action_word(action)).or_default() += 1;
        }
        counts
    }

    /// How many objects are done with.
    pub fn total(&self) -> usize {
        self.done.values().sum()
    }

    /// Whether the stage is about nothing, and nothing happened in it.
    pub fn is_empty(&self) -> bool {
        self.count == 0 && self.total() == 0
    }

    /// Whether objects are left to do.
    pub fn is_incomplete(&self) -> bool {
        self.total() < self.count
    }

    /// `9 objects: 3 created, 6 unchanged`, or `4 of 9 objects: 4 created`.
    pub fn summary(&self) -> String {
        let mut text = if self.is_incomplete() {
            format!("{} of {}", self.total(), objects(self.count))
        } else {
            objects(self.total())
        };
        let parts = self.done.iter().filter(|(_, count)| **count > 0);
        let parts: Vec<String> = parts
            .map(|(word, count)| format!("{count} {word}"))
            .collect();
        if !parts.is_empty() {
            text.push_str(": ");
            text.push_str(&parts.join(", "));
        }
        text
    }
}
