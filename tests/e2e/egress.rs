//! What a farm's API server may connect to, where the network plugin enforces NetworkPolicies.

use serde_json::{Value, json};

use crate::e2e::Seen;
use crate::e2e::far_side::{self, NAMESPACE};
use crate::e2e::policies::pod;
use crate::e2e::release::{Release, is_ready};

const TARGET: &str = "target";
const PORT: u16 = 8443;
/// The answer of a server that was reached: it knows no TLS.
const REACHED: &str = "server gave HTTP response to HTTPS client";

/// An administrator of the child has its API server call a pod of the admin cluster, by a webhook: it is not reached, but
/// without the policy it is. Logs, exec, a webhook and an aggregated API of the child work all the time.
pub fn enforced(release: &mut Release) -> Seen {
    let address = start(release);
    release.apply_in_child(&[webhook(&address)]);
    let refused = expect(release, false);
    let own = far_side::calls(release);
    far_side::logs(release);
    release.add_values(&["--set", "networkPolicies.apiServerEgress=false"]);
    release.apply();
    expect(release, true);
    release.add_values(&["--set", "networkPolicies.apiServerEgress=null"]);
    release.apply();
    expect(release, false);
    far_side::logs(release);
    let delete = ["delete", "validatingwebhookconfiguration", "outside"];
    release.child(&delete).success();
    let namespace = namespace(release);
    let delete = ["delete", "namespace", &namespace, "--wait=false"];
    release.cluster.kubectl(&delete).success();
    format!("{address}: {refused}, reached without the policy, and again not with it; {own}")
}

/// Waits until the API server reaches the pod or does not; gives why not.
#[track_caller]
fn expect(release: &Release, wanted: bool) -> String {
    let what = if wanted {
        "is reached"
    } else {
        "is not reached"
    };
    let create = [
        "create",
        "secret",
        "generic",
        "called",
        "--dry-run=server",
        "-n",
        NAMESPACE,
    ];
    let mut reason = String::new();
    release
        .cluster
        .wait_until(&format!("the pod outside {what}"), || {
            let said = release.child(&create).stderr;
            let reasons = ["connection refused", "deadline exceeded", "i/o timeout"];
            let failure = reasons.iter().find(|reason| said.contains(**reason));
            reason = failure.map(ToString::to_string).unwrap_or_default();
            // The webhook itself is known a moment after it was made.
            let is_called = said.contains("failed calling webhook");
            let seen = if wanted {
                said.contains(REACHED)
            } else {
                failure.is_some()
            };
            is_called && seen
        });
    reason
}

/// The pod, in a namespace of somebody else's; gives its address.
fn start(release: &Release) -> String {
    let namespace = namespace(release);
    release.make_namespace(&namespace, "restricted");
    let mut target = pod(TARGET, &namespace, &json!({}));
    target["spec"]["containers"][0]["args"] =
        json!(["netexec", format!("--http-port={PORT}"), "--udp-port=-1"]);
    let apply = ["apply", "--server-side", "-f", "-"];
    release
        .cluster
        .kubectl_with_stdin(&apply, &target.to_string())
        .success();
    let get = [
        "get",
        "pod",
        TARGET,
        "--namespace",
        &namespace,
        "-o",
        "json",
    ];
    let mut found = Value::Null;
    release.cluster.wait_until("the pod outside is ready", || {
        let text = release.cluster.kubectl(&get).success();
        found = serde_json::from_str(&text).expect("JSON");
        is_ready(&found)
    });
    found["status"]["podIP"]
        .as_str()
        .expect("an address")
        .to_owned()
}

fn namespace(release: &Release) -> String {
    format!("{}-outside", release.namespace)
}

/// Asks the address whether Secrets may be created.
fn webhook(address: &str) -> Value {
    json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
        "metadata": { "name": "outside" },
        "webhooks": [{
            "name": "outside.example.org",
            "admissionReviewVersions": ["v1"],
            "sideEffects": "None",
            "timeoutSeconds": 3,
            "namespaceSelector": { "matchLabels": { "webhook": "yes" } },
            "rules": [{
                "apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["secrets"],
            }],
            "clientConfig": { "url": format!("https://{address}:{PORT}/") },
        }],
    })
}
