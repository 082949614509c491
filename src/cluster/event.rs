//! What happens while a cluster is changed, as it is reported.

use super::client::FieldConflict;
use crate::manifest::Key;

/// Receives every event, as it happens.
pub trait Observer {
    fn observe(&self, event: &Event<'_>);
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event<'a> {
    /// A stage begins: how many objects it is about.
    Stage { stage: Stage, count: usize },
    /// An object of the stage is done with.
    Object { key: &'a Key, action: Action },
    /// The API server's warning about an object.
    Warning { key: &'a Key, text: &'a str },
    /// An object is waited for, and why; reported again when the reason changes.
    Waiting { key: &'a Key, reason: &'a str },
    /// Another process works on this farm, and is waited for.
    Held { holder: &'a str },
    /// Fields are taken from other managers.
    Taken {
        key: &'a Key,
        conflicts: &'a [FieldConflict],
    },
    /// Anything else worth a line.
    Note(&'a str),
}

/// What is done at the moment. The waves of an apply are stages of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Every object is tried in a dry run.
    Check,
    /// The objects of a wave are applied: `RBAC`.
    Wave(&'static str),
    /// What is no longer rendered is deleted.
    Prune,
    /// A farm is deleted.
    Delete,
    /// What was applied gets ready.
    Wait,
}

/// What was done with an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    Checked,
    Created,
    Changed,
    Unchanged,
    /// Deleted and recreated, because an immutable part of it changed.
    Replaced,
    Deleted,
    /// Left in the cluster, and why.
    Kept(&'static str),
    Ready,
}
