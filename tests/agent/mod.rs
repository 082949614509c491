//! What the Jobs inside a cluster do: the rendered Job's own command, with the files that its pod has, between two real
//! control planes. One is the admin cluster, the other one the child; what joins is the pinned kubeadm.

mod announced;
mod asker;
mod boot_address;
mod boots;
mod bootstrap;
mod child;
mod faults;
mod join;
mod join_service;
mod join_token;
mod machine;
mod nodes;
mod process;
mod put_back;
mod site;

use crate::support::Finished;

/// A run that failed with `code` and says all `parts` on stderr.
#[track_caller]
fn assert_failed(finished: &Finished, parts: &[&str]) {
    finished.failed(1, parts);
}
