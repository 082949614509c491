//! The commands that talk to a cluster, against a real API server.

mod support;

#[path = "apply/adopt.rs"]
mod adopt;
#[path = "apply/applyset.rs"]
mod applyset;
#[path = "apply/conflicts.rs"]
mod conflicts;
#[path = "apply/converge.rs"]
mod converge;
#[path = "apply/delete.rs"]
mod delete;
#[path = "apply/diff.rs"]
mod diff;
#[path = "apply/dry_run.rs"]
mod dry_run;
#[path = "apply/guard.rs"]
mod guard;
#[path = "apply/immutable.rs"]
mod immutable;
#[path = "apply/namespace.rs"]
mod namespace;
#[path = "apply/output.rs"]
mod output;
#[path = "apply/priority.rs"]
mod priority;
#[path = "apply/prune.rs"]
mod prune;
#[path = "apply/replicas.rs"]
mod replicas;
#[path = "apply/same_as_kubectl.rs"]
mod same_as_kubectl;
#[path = "apply/services.rs"]
mod services;
#[path = "apply/site.rs"]
mod site;
#[path = "apply/status.rs"]
mod status;
#[path = "apply/versions.rs"]
mod versions;
#[path = "apply/wait.rs"]
mod wait;

use serde_json::Value;
use support::Finished;

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
