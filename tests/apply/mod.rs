//! The commands that talk to a cluster, against a real API server.

mod adopt;
mod applyset;
mod conflicts;
mod converge;
mod delete;
mod diff;
mod dry_run;
mod guard;
mod immutable;
mod kinds;
mod namespace;
mod output;
mod priority;
mod prune;
mod replicas;
mod same_as_kubectl;
mod services;
pub mod site;
mod status;
mod upgrade;
mod versions;
mod wait;

use crate::support::Finished;
use serde_json::Value;

/// The values of the example `generic`.
const GENERIC: &str = "-f examples/generic/values.yaml -f tests/support/accounts.yaml";

/// Switches off every part, so that what a chart folder adds is nearly all there is.
const NEARLY_NOTHING: &str = "--set kubernetes.enabled=false,tokenGenerator.enabled=false,\
                              ltsp.publishDHCP=false,ltsp.service.enabled=false";

/// A run that failed with `code` and says all `parts` on stderr.
#[track_caller]
fn assert_failed(finished: &Finished, code: i32, parts: &[&str]) {
    finished.failed(code, parts);
}

/// The lines that say what was done with each object, as word and `Kind namespace/name`.
fn done(finished: &Finished) -> Vec<(&str, &str)> {
    const WORDS: [&str; 6] = [
        "created",
        "changed",
        "unchanged",
        "replaced",
        "deleted",
        "kept",
    ];
    let lines = finished.stderr.lines();
    let pairs = lines.filter_map(|line| line.split_once(' '));
    pairs
        .filter(|(word, _)| WORDS.contains(word))
        .map(|(word, rest)| (word, rest.trim_start()))
        .collect()
}

/// The events of `-o json`.
#[track_caller]
fn events(finished: &Finished) -> Vec<Value> {
    let lines = finished.stdout.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect()
}
