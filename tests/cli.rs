//! The command line: what each command prints, where, and with which exit code.

mod support;

#[path = "cli/boot_namespace.rs"]
mod boot_namespace;
#[path = "cli/commands.rs"]
mod commands;
#[path = "cli/completions.rs"]
mod completions;
#[path = "cli/credentials.rs"]
mod credentials;
#[path = "cli/directory.rs"]
mod directory;
#[path = "cli/environment.rs"]
mod environment;
#[path = "cli/first_steps.rs"]
mod first_steps;
#[path = "cli/help.rs"]
mod help;
#[path = "cli/images.rs"]
mod images;
#[path = "cli/inputs.rs"]
mod inputs;
#[path = "cli/overlay.rs"]
mod overlay;
#[path = "cli/pki.rs"]
mod pki;
#[path = "cli/selection.rs"]
mod selection;

use support::Finished;

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
