//! `apply` where something goes wrong half-way: it ends well, or says how far it came, and the next one goes on.

mod support;

#[path = "apply_faults/behind_our_back.rs"]
mod behind_our_back;
#[path = "apply_faults/credentials.rs"]
mod credentials;
#[path = "apply_faults/interrupted.rs"]
mod interrupted;
#[path = "apply_faults/killed.rs"]
mod killed;
#[path = "apply_faults/one_at_a_time.rs"]
mod one_at_a_time;
#[path = "apply_faults/outage.rs"]
mod outage;
#[path = "apply_faults/permissions.rs"]
mod permissions;
#[path = "apply_faults/place.rs"]
mod place;
#[path = "apply_faults/refused.rs"]
mod refused;
#[path = "apply_faults/running.rs"]
mod running;

use std::sync::Once;

use support::Finished;
use support::cluster::Cluster;

/// The cluster of all tests that leave it as it is, with the CRDs that farms need.
fn cluster() -> Option<&'static Cluster> {
    static READY: Once = Once::new();
    let cluster = Cluster::shared()?;
    READY.call_once(|| cluster.install_crds());
    Some(cluster)
}

/// A run that failed with exit code 1 and said all of `parts`.
#[track_caller]
fn assert_failed(finished: &Finished, parts: &[&str]) {
    finished.failed(1, parts);
}
