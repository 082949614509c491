//! The command line: what each command prints, where, and with which exit code.

mod boot_namespace;
mod commands;
mod completions;
mod credentials;
mod directory;
mod environment;
mod first_steps;
mod help;
mod images;
mod inputs;
mod nodes;
mod overlay;
mod pki;
mod pki_import;
mod pki_inspect;
mod selection;

use crate::support::Finished;

/// A run that the input was wrong for: exit code 2, nothing on stdout, and `parts` on stderr.
#[track_caller]
fn assert_refused(finished: &Finished, parts: &[&str]) {
    assert_failed(finished, 2, parts);
}

/// A run that ended with `code`, printed nothing to stdout and all `parts` to stderr.
#[track_caller]
fn assert_failed(finished: &Finished, code: i32, parts: &[&str]) {
    finished.failed(code, parts);
    assert_eq!(finished.stdout, "");
}
