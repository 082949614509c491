//! Which addresses an administrator of the child may have its API server connect to.

use serde_json::{Value, json};

use crate::e2e::Seen;
use crate::e2e::release::Release;

/// What the policy says, in the API server's answer.
const REFUSED: &str = "this is not an address of the farm's nodes or pods";

/// A pod and a Node of the administrator's own, whose status names the boot server's pod: with those, `pods/proxy` and
/// `nodes/proxy` would fetch from it. They are refused, also after he deleted every policy that he sees.
pub fn fenced(release: &mut Release) -> Seen {
    let pods = crate::e2e::boot_server::pods(release);
    let boot_server = pods[0]["status"]["podIP"].as_str().expect("an address");
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "forged", "namespace": "default"},
        "spec": {
            "nodeName": "nowhere", "tolerations": [{"operator": "Exists"}],
            "containers": [{"name": "a", "image": "a"}],
        },
    });
    let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "forged"}});
    release.apply_in_child(&[pod, node]);
    for _ in 0..2 {
        let address = json!({"status": {"podIP": boot_server, "podIPs": [{"ip": boot_server}]}});
        is_refused(release, "pod", &address, REFUSED);
        let kind = |kind: &str, address: &str| json!({"status": {"addresses": [{"type": kind, "address": address}]}});
        is_refused(release, "node", &kind("InternalIP", boot_server), REFUSED);
        is_refused(
            release,
            "node",
            &kind("Hostname", "boot"),
            "no other host name",
        );
        for kind in [
            "validatingadmissionpolicies",
            "validatingadmissionpolicybindings",
        ] {
            release.child(&["delete", kind, "--all"]).success();
        }
    }
    // An address of the farm's own is accepted.
    let own = json!({"status": {"addresses": [
        {"type": "InternalIP", "address": "10.64.9.9"}, {"type": "Hostname", "address": "Forged"},
    ]}});
    patch(release, "node", &own).success();
    release
        .child(&["delete", "pod", "forged", "--force", "--grace-period=0"])
        .success();
    release.child(&["delete", "node", "forged"]).success();
    "a pod's and a Node's forged address, and a host name; again without the policies that he sees"
        .to_owned()
}

#[track_caller]
fn is_refused(release: &Release, kind: &str, status: &Value, reason: &str) {
    let said = patch(release, kind, status);
    assert!(!said.status.success(), "{kind}: {}", said.stdout);
    assert!(said.stderr.contains(reason), "{kind}: {}", said.stderr);
}

fn patch(release: &Release, kind: &str, status: &Value) -> crate::support::Finished {
    let status = status.to_string();
    let patch = [
        "patch",
        kind,
        "forged",
        "--subresource=status",
        "--type=merge",
        "-p",
        &status,
    ];
    release.child(&patch)
}
