//! Every way in which a connection to a cluster is found, and in which it fails: with a message that names the server
//! or the file, with exit code 1, and with nothing on stdout.

mod accounts;
mod certificates;
mod kubeconfig;
mod proxy;
mod setup;

use crate::support::Finished;

/// A run that could not connect, and said all of `parts`.
#[track_caller]
fn assert_fails(finished: &Finished, parts: &[&str]) {
    assert_eq!(finished.code(), 1, "{}", finished.stderr);
    assert_eq!(finished.stdout, "");
    for part in parts {
        let found = finished.stderr.contains(part);
        assert!(found, "no {part:?} in\n{}", finished.stderr);
    }
}

/// A run that asked the cluster, and got an answer.
#[track_caller]
fn assert_connects(finished: &Finished) {
    assert!(finished.status.success(), "{}", finished.stderr);
}
