//! What the rules compare.

use crate::cluster::guard::control_plane::ControlPlane;
use crate::cluster::guard::memory::Memory;

/// What is compared.
#[derive(Debug)]
pub struct Change<'a> {
    pub before: &'a ControlPlane,
    pub after: &'a ControlPlane,
    /// What the farm's record remembers.
    pub memory: &'a Memory,
    /// The volumes that etcd's StatefulSet has claimed, now or before it was deleted.
    pub claims: &'a [Claim],
    /// Whether what is no longer rendered is deleted.
    pub prunes: bool,
    /// The DNS domain that was rendered.
    pub dns_domain: Option<&'a str>,
}

/// A volume claim of etcd.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    pub name: String,
    /// The storage that it requests, as Kubernetes writes quantities.
    pub size: String,
    /// The StatefulSet whose pods it is for.
    pub set: String,
}
