//! Who asks the join service, beside machines that boot.

use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use crate::e2e::Seen;
use crate::e2e::faults::{api_servers, signal};
use crate::e2e::nodes::{ALL, PLAIN, public};
use crate::e2e::release::{Release, is_ready};
use crate::support::run;

/// A node of the example `generic` that is switched off: its name is free.
const FREE: [&str; 2] = ["r1n03", "02:00:00:40:03:0a"];

/// A machine of the network that is not the one, a pod of a node and a pod of the admin cluster each ask for a name that
/// is free, and the pod of the node for its node's.
pub fn others(release: &mut Release) -> Seen {
    let folder = release.cluster.scratch().join("asks");
    std::fs::create_dir_all(&folder).expect("a folder");
    let [name, mac] = FREE;
    let ask = request(release, &folder, name);
    let query = format!("name={name}&mac={mac}");
    let mut in_segment = release.cluster.in_network(Path::new("/dev/null"));
    let said = run(in_segment.args(["sh", "-c", &ask(&query)])).success();
    refused(&said, "403", "is not an address of r1n03");

    let in_pod = |address: &str, command: &str| {
        // The networks of pods, as the CNI plugin has made them.
        format!(
            "for pod in /var/run/netns/cni-*; do nsenter --net=\"$pod\" ip -o addr | grep -qF ' {address}' && break; done; \
             nsenter --net=\"$pod\" sh -c '{command}'"
        )
    };
    // Not one of the farm's API servers, which connect to their own child only.
    let dns = "get pods -n kube-system -l k8s-app=kube-dns -o jsonpath={.items[0].status.podIP}";
    let dns: Vec<&str> = dns.split(' ').collect();
    let admin_pod = release.cluster.kubectl(&dns).success() + "/";
    let [node, _, node_mac] = PLAIN;
    let of_node = request(release, &folder, node);
    for (machine, address, command) in [
        ("admin", admin_pod.as_str(), ask(&query)),
        (node, "10.201.", ask(&query)),
        (
            node,
            "10.201.",
            of_node(&format!("name={node}&mac={node_mac}")),
        ),
    ] {
        let said = release
            .cluster
            .enter(machine, &["sh", "-c", &in_pod(address, &command)])
            .success();
        let is_refused = said.ends_with("403") || said.ends_with("409");
        assert!(is_refused, "{machine}: {said}");
    }
    let events = release.get(&[
        "events.events.k8s.io",
        "--field-selector",
        "reason=JoinRefused",
    ]);
    let events = events["items"].as_array().map_or(0, Vec::len);
    assert!(events >= 4, "{events}");
    "403 in the segment and for pods of both clusters; each an Event".to_owned()
}

/// All API servers stand still for a minute. When they go on, the Leases of nodes that live are old, and one of them asks
/// again and again: its own name is not granted to it a second time, nor is it lost.
pub fn outage(release: &mut Release) -> Seen {
    let servers = api_servers(release);
    for server in &servers {
        signal(release, server, "kube-apiserver", "SIGSTOP");
    }
    // The outage itself.
    sleep(Duration::from_secs(60));
    for server in &servers {
        signal(release, server, "kube-apiserver", "SIGCONT");
    }
    let folder = release.cluster.scratch().join("asks");
    let [node, _, mac] = PLAIN;
    let ask = request(release, &folder, node)(&format!("name={node}&mac={mac}"));
    let asks = || release.cluster.enter(node, &["sh", "-c", &ask]).stdout;
    for _ in 0..14 {
        let said = asks();
        assert!(!said.ends_with("200"), "a living node's name was granted");
        // An address may ask five times in ten seconds.
        sleep(Duration::from_secs(5));
    }
    for [name, ..] in ALL {
        release.cluster.wait_until(&format!("{name} is Ready"), || {
            is_ready(&release.child_get(&["node", name]))
        });
    }
    refused(&asks(), "409", "is taken for alive: its Node is Ready");
    format!(
        "{} API servers; 14 requests in the name of a living node: none granted",
        servers.len()
    )
}

/// Makes a key and a request for a name; gives the command that sends it with a query, and prints answer and status.
fn request(release: &Release, folder: &Path, node: &str) -> impl Fn(&str) -> String {
    let make = format!(
        "cd '{0}' && openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out {node}.key && \
         openssl req -new -key {node}.key -subj /O=system:nodes/CN=system:node:{node}",
        folder.display()
    );
    let pem = run(std::process::Command::new("sh").args(["-c", &make])).success();
    let folder = folder.to_owned();
    std::fs::write(folder.join(node), &pem).expect("written");
    let public = public(release);
    let setting = |key: &str| {
        let lines = public["kubeadm-join.conf"].lines();
        let mut values = lines.filter_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        values.next().expect("set").trim_matches('\'').to_owned()
    };
    let (service, address) = (setting("JOIN_SERVICE"), setting("JOIN_ADDRESS"));
    // Machines have files of their own: the request goes along as a word. Base64 of PEM has no quotes.
    let body = pem.trim().replace('\n', "\\n");
    move |query| {
        format!(
            "printf -- \"{body}\\n\" | curl -sSk -m 70 --connect-to {service}:{address}: -w %{{http_code}} \
             --data-binary @- \"https://{service}/v1/join?{query}\""
        )
    }
}

#[track_caller]
fn refused(said: &str, status: &str, reason: &str) {
    assert!(said.contains(reason) && said.ends_with(status), "{said}");
}
