//! Ways from the child's API server to nodes that it has no route to.

use serde_json::Value;

use crate::e2e::Seen;
use crate::e2e::far_side;
use crate::e2e::nodes::{self, STORAGE};
use crate::e2e::release::Release;
use crate::e2e::routed;
use crate::support::run;

/// A pod on the tainted node: its logs are read and a command is run in it, with the server beside the API server.
pub fn logs_over_grpc(release: &mut Release) -> Seen {
    routed::close(release);
    release.add_values(&["-f", "builtin:konnectivity"]);
    release.apply();
    nodes::wait_for_system_pods(release);
    let node = STORAGE[1];
    let direct = release.child(&[
        "--request-timeout=5s",
        "--insecure-skip-tls-verify",
        &format!("--server=https://{node}:10250"),
        "get",
        "--raw",
        "/healthz",
    ]);
    let is_unreachable = !direct.status.success() && !direct.stderr.contains("Unauthorized");
    assert!(
        is_unreachable,
        "there is a route to {node}: {}{}",
        direct.stdout, direct.stderr
    );
    logs(release)
}

/// The same with servers of their own, which the API server reaches by HTTP CONNECT.
pub fn logs_over_http(release: &mut Release) -> Seen {
    release.add_values(&[
        "-f",
        "builtin:konnectivity-http",
        "--set",
        "kubernetes.konnectivityServer.service.loadBalancerIP=10.64.0.12",
    ]);
    release.apply();
    let server = release.get(&["deployment", &release.object("konnectivity-server")]);
    assert_ne!(server["status"]["readyReplicas"], Value::Null);
    let rolled = [
        "rollout",
        "status",
        "-n",
        "kube-system",
        "deploy/konnectivity-agent",
        "--timeout=60s",
    ];
    release.child(&rolled).success();
    logs(release)
}

/// What is seen over routes, seen once the servers have agents.
fn logs(release: &Release) -> Seen {
    release
        .cluster
        .wait_until("every server has an agent", || have_agents(release));
    far_side::logs(release)
}

/// Whether all servers have one: an agent finds one after the other, and a request may meet one that has none yet.
fn have_agents(release: &Release) -> bool {
    let pods = release.pods();
    let servers: Vec<String> = pods.iter().filter_map(readiness_of_server).collect();
    let has_agent = |url: &String| {
        let mut curl = release.cluster.in_network(&release.cluster.kubeconfig());
        curl.args(["curl", "-sf", "-m", "5", "-o", "/dev/null", url]);
        run(&mut curl).status.success()
    };
    !servers.is_empty() && servers.iter().all(has_agent)
}

/// Where Konnectivity's server in a pod says whether it has an agent.
fn readiness_of_server(pod: &Value) -> Option<String> {
    let containers = pod["spec"]["containers"].as_array()?;
    let is_server = |container: &&Value| container["name"] == "konnectivity-server";
    let ports = containers.iter().find(is_server)?["ports"].as_array()?;
    let health = ports.iter().find(|port| port["name"] == "health")?;
    let address = pod["status"]["podIP"].as_str()?;
    Some(format!(
        "http://{address}:{}/readyz",
        health["containerPort"]
    ))
}
