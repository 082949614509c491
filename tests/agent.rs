//! What the Jobs inside a cluster do: the rendered Job's own command, with the files that its pod has, between two real
//! control planes. One is the admin cluster, the other one the child; what joins is the pinned kubeadm.

mod support;

#[path = "agent/announced.rs"]
mod announced;
#[path = "agent/boot_address.rs"]
mod boot_address;
#[path = "agent/bootstrap.rs"]
mod bootstrap;
#[path = "agent/child.rs"]
mod child;
#[path = "agent/faults.rs"]
mod faults;
#[path = "agent/join.rs"]
mod join;
#[path = "agent/join_token.rs"]
mod join_token;
#[path = "agent/machine.rs"]
mod machine;
#[path = "agent/site.rs"]
mod site;

use support::Finished;

/// A run that failed with `code` and says all `parts` on stderr.
#[track_caller]
fn assert_failed(finished: &Finished, parts: &[&str]) {
    finished.failed(1, parts);
}
