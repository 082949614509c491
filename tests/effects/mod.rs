//! Every key does something: each default, changed, changes what is rendered, or is one of the exceptions below.

mod changes;

mod checksums;

mod consequences;

mod policies;

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use crate::support::{Finished, kubefarm};

/// Farms that between them render every part. A key has to have an effect in one of them.
const FARMS: [&[&str]; 4] = [
    &["-f", "tests/golden/everything.values.yaml"],
    &[
        "-f",
        "tests/golden/everything.values.yaml",
        "--set-json",
        r#"{"dhcp": {"mode": "standalone"}, "ltsp": {"service": {"loadBalancerIP": null}}}"#,
        "--set-json",
        r#"kubernetes.konnectivityAgent.daemonSet=false,kubernetes.konnectivityServer.mode="GRPC""#,
        "--set-json",
        r#"kubernetes.apiServer.service.loadBalancerIP="10.64.0.10""#,
    ],
    &["-f", "builtin:generic", "--set", "join.mode=token"],
    // What replaces a whole name hides the part that is in it; nothing is set here.
    &[],
];

/// Keys without an effect of their own, and why.
const EXCEPTIONS: [(&str, &str); 1] = [(
    "kubernetes.etcd.service.enabled",
    "etcd does not work without: switching it off is refused",
)];

/// A leaf of the defaults: a scalar, a list, or a map without entries.
fn leaves(path: &mut Vec<String>, value: &Value, found: &mut Vec<(Vec<String>, Value)>) {
    match value {
        Value::Object(map) if !map.is_empty() && !changes::is_free_map(path) => {
            for (key, value) in map {
                path.push(key.clone());
                leaves(path, value, found);
                path.pop();
            }
        }
        value => found.push((path.clone(), value.clone())),
    }
}

fn default_leaves() -> Vec<(Vec<String>, Value)> {
    let text = kubefarm(["values", "-o", "json"]).success();
    let mut found = Vec::new();
    leaves(
        &mut Vec::new(),
        &serde_json::from_str(&text).expect("JSON"),
        &mut found,
    );
    found
}

/// The flag that sets the value at a path.
fn setting(path: &[String], value: &Value) -> String {
    let keys: Vec<String> = path.iter().map(|key| key.replace('.', "\\.")).collect();
    format!("{}={value}", keys.join("."))
}

fn render(farm: &[&str], settings: &[String]) -> Finished {
    let mut args = vec!["render".to_owned()];
    args.extend(farm.iter().map(|arg| arg.to_string()));
    args.extend(
        settings
            .iter()
            .flat_map(|setting| ["--set-json".to_owned(), setting.clone()]),
    );
    kubefarm(args)
}

/// Why the key has no effect, or `None` where it has one.
fn complaint(path: &[String], value: &Value, plain: &[String]) -> Option<String> {
    let changed = changes::changed(path, value);
    let needed = changes::needed_with(path);
    let settings = [vec![setting(path, &changed)], needed.clone()].concat();
    let mut refusal = None;
    for (farm, plain) in FARMS.iter().zip(plain) {
        let finished = render(farm, &settings);
        let without = (!needed.is_empty()).then(|| render(farm, &needed).stdout);
        match finished.code() {
            0 if finished.stdout != *without.as_ref().unwrap_or(plain) => return None,
            0 => {}
            _ => refusal = Some(finished.stderr),
        }
    }
    let refusal = refusal.map(|text| format!("\n{text}")).unwrap_or_default();
    Some(format!("{} changes nothing{refusal}", settings[0]))
}

#[test]
fn every_default_has_an_effect() {
    let plain: Vec<String> = FARMS
        .iter()
        .map(|farm| render(farm, &[]).success())
        .collect();
    let leaves = default_leaves();
    assert!(leaves.len() > 400, "{} keys", leaves.len());
    let (next, complaints) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some((path, value)) = leaves.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Some(complaint) = complaint(path, value, &plain) {
                        complaints
                            .lock()
                            .expect("a list")
                            .push((path.join("."), complaint));
                    }
                }
            });
        }
    });
    let complaints = complaints.into_inner().expect("a list");
    let without_effect: BTreeSet<&str> = complaints.iter().map(|(path, _)| path.as_str()).collect();
    let excused: BTreeSet<&str> = EXCEPTIONS.iter().map(|(path, _)| *path).collect();
    let unexcused = complaints
        .iter()
        .filter(|(path, _)| !excused.contains(path.as_str()));
    let unexcused: Vec<&str> = unexcused.map(|(_, complaint)| complaint.as_str()).collect();
    assert!(
        unexcused.is_empty(),
        "{} keys:\n{}",
        unexcused.len(),
        unexcused.join("\n")
    );
    let needless: Vec<_> = excused.difference(&without_effect).collect();
    assert!(needless.is_empty(), "these have an effect: {needless:?}");
}
