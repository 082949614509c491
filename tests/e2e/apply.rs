//! The first apply: a control plane that comes up by itself, in a namespace that is strict.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use crate::e2e::Seen;
use crate::e2e::release::{Release, is_ready, name, restarts};

/// `apply --wait` makes everything ready in the time that it may take, and the child cluster answers.
pub fn fresh(release: &mut Release) -> Seen {
    release.make_namespaces();
    let took = release.apply();
    let answer = release.child(&["get", "--raw", "/readyz"]).success();
    assert_eq!(answer, "ok");
    format!(
        "ready after {:.1} s, the child's /readyz: {answer}; {}",
        took.as_secs_f64(),
        where_the_time_goes(&release.pods())
    )
}

/// When the last pod of each part was ready, in seconds since the first pod was made: `etcd 6, apiserver 11`, in the
/// order of time. Kubernetes notes whole seconds.
fn where_the_time_goes(pods: &[Value]) -> String {
    let second = |time: &Value| -> i64 {
        let time = time.as_str().expect("a time");
        time.parse::<Timestamp>().expect("RFC 3339").as_second()
    };
    let made = |pod: &Value| second(&pod["metadata"]["creationTimestamp"]);
    let began = pods.iter().map(made).min().expect("pods");
    let mut parts = BTreeMap::new();
    for pod in pods {
        let part = &pod["metadata"]["labels"]["app.kubernetes.io/name"];
        let conditions = pod["status"]["conditions"].as_array().expect("conditions");
        let ready = conditions
            .iter()
            .find(|condition| condition["type"] == "Ready");
        let at = second(&ready.expect("Ready")["lastTransitionTime"]) - began;
        let last = parts.entry(part.as_str().expect("a name")).or_insert(at);
        *last = at.max(*last);
    }
    let mut parts: Vec<_> = parts.into_iter().collect();
    parts.sort_by_key(|(_, at)| *at);
    let parts = parts.iter().map(|(part, at)| format!("{part} {at}"));
    parts.collect::<Vec<_>>().join(", ")
}

/// Nothing crashed on the way because something else was late.
pub fn pods(release: &mut Release) -> Seen {
    let pods = release.pods();
    for pod in &pods {
        assert!(is_ready(pod), "{} is not ready", name(pod));
    }
    let all = release.get(&["pods"]);
    let all = all["items"].as_array().expect("a List");
    for pod in all {
        assert_eq!(restarts(pod), 0, "{} was restarted", name(pod));
    }
    // etcd, API servers, controller managers, schedulers and the admin pod, as the example has them.
    assert!(pods.len() >= 10, "{} pods", pods.len());
    format!(
        "{} pods, and {} of Jobs",
        pods.len(),
        all.len() - pods.len()
    )
}

/// `kubectl exec` into the admin pod, as people come in.
pub fn admin_pod(release: &mut Release) -> Seen {
    let namespaces = release
        .child(&["get", "namespaces", "-o", "name"])
        .success();
    assert!(namespaces.contains("namespace/kube-system"), "{namespaces}");
    format!("{} namespaces", namespaces.lines().count())
}
