//! Who reaches a farm's pods, where the network plugin enforces NetworkPolicies: kube-router does.

use serde_json::{Value, json};

use crate::e2e::Seen;
use crate::e2e::boot_server;
use crate::e2e::far_side::IMAGE;
use crate::e2e::release::{Release, is_ready, name};

/// Pods that call: one in a namespace of somebody else's, two beside the farm, the second with the label that lets
/// clients of etcd in.
const ELSEWHERE: &str = "elsewhere";
const BESIDE: &str = "beside";
const CLIENT: &str = "client";

/// Who calls which port of which part of the farm, and whether he is let in by the policies.
const CALLS: [(&str, &str, u16, bool); 15] = [
    (ELSEWHERE, "etcd", 2379, false),
    (ELSEWHERE, "etcd", 2380, false),
    (ELSEWHERE, "etcd", 2381, false),
    (BESIDE, "etcd", 2379, false),
    (BESIDE, "etcd", 2381, false),
    (CLIENT, "etcd", 2379, true),
    (CLIENT, "etcd", 2380, false),
    (ELSEWHERE, "apiserver", 6443, true),
    (BESIDE, "apiserver", 6443, true),
    // Konnectivity's: agents come to the first; the others are for debugging and health.
    (ELSEWHERE, "apiserver", 8132, true),
    (ELSEWHERE, "apiserver", 8133, false),
    (ELSEWHERE, "apiserver", 8134, false),
    (BESIDE, "apiserver", 8133, false),
    (ELSEWHERE, "ltsp", 80, true),
    (BESIDE, "ltsp", 80, true),
];

/// etcd is reached by its clients only, what takes no credentials by nobody, and what is for all by all. Without the
/// policies, everybody reaches everything.
pub fn enforced(release: &mut Release) -> Seen {
    start_callers(release);
    expect(release, |is_let_in| is_let_in);
    release.add_values(&["--set", "networkPolicies.enabled=false"]);
    release.apply();
    expect(release, |_| true);
    release.add_values(&["--set", "networkPolicies.enabled=true"]);
    release.apply();
    expect(release, |is_let_in| is_let_in);
    let namespace = elsewhere(release);
    let delete = ["delete", "namespace", &namespace, "--wait=false"];
    release.cluster.kubectl(&delete).success();
    let delete = ["delete", "pod", BESIDE, CLIENT, "--wait=false"];
    release.kubectl(&delete).success();
    let refused = CALLS.iter().filter(|(.., is_let_in)| !is_let_in).count();
    format!(
        "{refused} of {} calls refused, none of them without the policies, and again with them",
        CALLS.len()
    )
}

/// Waits until each call is answered as it should be. kube-router hears of a policy or a pod a moment later.
#[track_caller]
fn expect(release: &Release, wanted: impl Fn(bool) -> bool) {
    for (caller, part, port, is_let_in) in CALLS {
        let wanted = wanted(is_let_in);
        for address in addresses(release, part) {
            let what = if wanted { "reaches" } else { "does not reach" };
            let what = format!("{caller} {what} {part} at {address}:{port}");
            let holds = || connects(release, caller, &format!("{address}:{port}")) == wanted;
            release.cluster.wait_until(&what, holds);
        }
    }
}

/// Whether a connection is made. A call that is not let in is refused at once, or heard of by nobody.
fn connects(release: &Release, caller: &str, address: &str) -> bool {
    let namespace = match caller {
        ELSEWHERE => elsewhere(release),
        _ => release.namespace.clone(),
    };
    let connect = ["/agnhost", "connect", "--timeout=2s", address];
    let exec = ["exec", "--namespace", &namespace, caller, "--"];
    let finished = release.cluster.kubectl(&[&exec[..], &connect[..]].concat());
    let is_an_answer = ["REFUSED", "TIMEOUT"]
        .iter()
        .any(|word| finished.stderr.contains(word));
    assert!(
        finished.status.success() || is_an_answer,
        "{caller} cannot call {address}: {}",
        finished.stderr
    );
    finished.status.success()
}

/// The addresses of the pods of a part.
fn addresses(release: &Release, part: &str) -> Vec<String> {
    let app = release.object(part);
    let pods = match part {
        "ltsp" => boot_server::pods(release),
        _ => release.pods(),
    };
    let mut pods = pods
        .iter()
        .filter(|pod| pod["metadata"]["labels"]["app"] == *app)
        .peekable();
    assert!(pods.peek().is_some(), "no pods of {app}");
    let addresses = pods.map(|pod| pod["status"]["podIP"].as_str());
    let addresses: Option<Vec<&str>> = addresses.collect();
    let addresses = addresses.unwrap_or_else(|| panic!("a pod of {app} has no address"));
    addresses.into_iter().map(str::to_owned).collect()
}

fn elsewhere(release: &Release) -> String {
    format!("{}-{ELSEWHERE}", release.namespace)
}

fn start_callers(release: &Release) {
    let namespace = elsewhere(release);
    release.make_namespace(&namespace, "restricted");
    let client = json!({ "kubefarm.io/etcd-client": release.object("etcd") });
    let pods = [
        pod(ELSEWHERE, &namespace, &json!({})),
        pod(BESIDE, &release.namespace, &json!({})),
        pod(CLIENT, &release.namespace, &client),
    ];
    let list = json!({ "apiVersion": "v1", "kind": "List", "items": pods }).to_string();
    let apply = ["apply", "--server-side", "-f", "-"];
    release.cluster.kubectl_with_stdin(&apply, &list).success();
    for pod in &pods {
        let namespace = pod["metadata"]["namespace"].as_str().expect("a namespace");
        let name = name(pod);
        let get = ["get", "pod", name, "--namespace", namespace, "-o", "json"];
        release
            .cluster
            .wait_until(&format!("the pod {name} is ready"), || {
                let text = release.cluster.kubectl(&get).success();
                is_ready(&serde_json::from_str(&text).expect("JSON"))
            });
    }
}

/// A pod that the standard `restricted` lets in.
pub fn pod(name: &str, namespace: &str, labels: &Value) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": { "name": name, "namespace": namespace, "labels": labels },
        "spec": {
            "terminationGracePeriodSeconds": 0,
            "securityContext": {
                "runAsNonRoot": true, "runAsUser": 65534, "seccompProfile": { "type": "RuntimeDefault" },
            },
            "containers": [{
                "name": name, "image": IMAGE, "args": ["pause"],
                "securityContext": { "allowPrivilegeEscalation": false, "capabilities": { "drop": ["ALL"] } },
            }],
        },
    })
}
