//! What the user asks of an apply or a delete.

use std::collections::{BTreeMap, BTreeSet};

use crate::cluster::guard::Risk;
use crate::farm::certificates::Pki;
use crate::pki::Intent;

/// How to apply.
#[derive(Debug, Clone)]
pub struct ApplyOptions {
    pub allowed: Allowed,
    /// Whether objects of the farm that are no longer rendered are deleted.
    pub prune: bool,
    /// Only if the farm has no record, or one with these facts: for who puts back what others changed, and may know less
    /// than who applied last.
    pub only_same: bool,
    /// How many requests at a time.
    pub concurrency: usize,
    /// The certificates to issue into Secrets; `None` where another tool does.
    pub certificates: Option<Certificates>,
    /// Written into the farm's record, for `list` and `status`.
    pub facts: BTreeMap<String, String>,
    /// Dangers that the user accepts.
    pub accepted: BTreeSet<Risk>,
}

/// What the user allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowed {
    /// Taking fields from every other manager.
    pub force: bool,
    /// Taking fields from Helm.
    pub adopt: bool,
    /// Deleting and recreating objects whose immutable parts changed.
    pub replace: bool,
    /// Creating the namespaces of the release.
    pub create_namespace: bool,
}

/// The certificates of a farm, and what is asked for with them.
#[derive(Debug, Clone)]
pub struct Certificates {
    pub pki: Pki,
    pub intent: Intent,
}

/// How to delete.
#[derive(Debug, Clone, Copy)]
pub struct DeleteOptions {
    /// Volumes, backups and certificate authorities as well; not what `kubefarm.io/keep` protects.
    pub purge: bool,
    /// Only report what would be deleted.
    pub dry_run: bool,
    pub concurrency: usize,
}
