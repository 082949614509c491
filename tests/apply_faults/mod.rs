//! `apply` where something goes wrong half-way: it ends well, or says how far it came, and the next one goes on.

mod behind_our_back;
mod credentials;
mod half_way;
mod interrupted;
mod killed;
mod one_at_a_time;
mod outage;
mod permissions;
mod place;
mod refused;
pub mod running;

use crate::support::Finished;
use crate::support::cluster::Cluster;

/// The cluster of all tests that leave it as it is, with the CRDs that farms need.
fn cluster() -> Option<&'static Cluster> {
    Cluster::with_crds()
}

/// A run that failed with exit code 1 and said all of `parts`.
#[track_caller]
fn assert_failed(finished: &Finished, parts: &[&str]) {
    finished.failed(1, parts);
}
