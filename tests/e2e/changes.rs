//! Values that change: exactly the pods concerned are replaced, one after the other.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::e2e::Seen;
use crate::e2e::release::Release;
use crate::e2e::writer::Writer;
use crate::support::run;

/// A flag of the API server.
pub fn flag(release: &mut Release) -> Seen {
    let flag = "kubernetes.apiServer.extraArgs.max-requests-inflight=500";
    rolls_the_api_server(release, "flag", flag)
}

/// A further name in the API server's certificate.
pub fn certificate_name(release: &mut Release) -> Seen {
    let name = "added.example.org";
    let value = format!("kubernetes.apiServer.certSANs.dnsNames={{{name}}}");
    let seen = rolls_the_api_server(release, "name", &value);
    let show = format!(
        "openssl s_client -connect {}:6443 </dev/null 2>/dev/null | openssl x509 -noout -ext subjectAltName",
        release.address()
    );
    let mut command = release.cluster.in_network(Path::new("/dev/null"));
    let names = run(command.args(["sh", "-c", &show])).success();
    assert!(names.contains(name), "{names}");
    seen
}

/// Applies one more value while a client writes, and compares the pods.
fn rolls_the_api_server(release: &mut Release, prefix: &'static str, value: &str) -> Seen {
    let before = pods(release);
    let writer = Writer::start(release, prefix);
    release.add_values(&["--set", value]);
    let took = release.apply();
    let written = writer.finish(release);
    let after = pods(release);
    assert_eq!(written.failures, Vec::<String>::new());

    let apps: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let changed: Vec<&str> = apps
        .into_iter()
        .filter(|app| before.get(*app) != after.get(*app))
        .map(String::as_str)
        .collect();
    let concerned = release.object("apiserver");
    assert_eq!(changed, [concerned.as_str()]);
    assert!(
        before[&concerned].is_disjoint(&after[&concerned]),
        "one stayed"
    );
    let (count, took) = (written.count(), took.as_secs_f64());
    format!("no other pod; {count} writes, none failed; {took:.0} s")
}

/// The IDs of the pods of every workload, by its name.
pub fn pods(release: &Release) -> BTreeMap<String, BTreeSet<String>> {
    let mut apps = BTreeMap::<String, BTreeSet<String>>::new();
    for pod in release.pods() {
        let metadata = &pod["metadata"];
        let text = |pointer: &str| metadata.pointer(pointer).and_then(|value| value.as_str());
        // Pods of Jobs come and go.
        if text("/labels/batch.kubernetes.io~1job-name").is_none() {
            let app = text("/labels/app").unwrap_or_default().to_owned();
            apps.entry(app)
                .or_default()
                .insert(text("/uid").unwrap_or_default().to_owned());
        }
    }
    apps
}
