//! What the Service `kubernetes` of the child leads to, and that nothing takes it away.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use serde_json::{Value, json};

use crate::agent::assert_failed;
use crate::agent::bootstrap::{JOB, bootstrapped, ready};
use crate::agent::child::Child;
use crate::agent::process::Agent;
use crate::agent::site::Site;
use crate::support::cluster::{self, Cluster};
use crate::support::{Finished, run};

/// What the example `generic` announces.
const ADDRESS: &str = "10.64.0.10";

/// Leaves the address to the load balancer.
const BALANCED: &str = "--set kubernetes.apiServer.service.loadBalancerIP=null,\
                        kubernetes.apiServer.extraArgs.advertise-address=null";

/// The EndpointSlices of the Service: name, and the one endpoint of each.
fn slices(child: &Child) -> Vec<(String, SocketAddr)> {
    let list = child.get("-n default endpointslices -l kubernetes.io/service-name=kubernetes");
    let slice = |slice: &Value| {
        let endpoints = slice["endpoints"].as_array().expect("endpoints");
        assert_eq!(endpoints.len(), 1, "{slice}");
        assert_eq!(endpoints[0]["conditions"]["ready"], true);
        let address = endpoints[0]["addresses"][0].as_str().expect("an address");
        let address: std::net::IpAddr = address.parse().expect("an address");
        let family = if address.is_ipv4() { "IPv4" } else { "IPv6" };
        assert_eq!(slice["addressType"], family);
        let port = slice["ports"][0]["port"].as_u64().expect("a port");
        let name = slice["metadata"]["name"].as_str().expect("a name");
        let port = u16::try_from(port).expect("a port");
        (name.to_owned(), SocketAddr::new(address, port))
    };
    let items = list["items"].as_array().expect("a list");
    items.iter().map(slice).collect()
}

fn named(slices: &[(&str, &str)]) -> Vec<(String, SocketAddr)> {
    let parsed = slices.iter().map(|(name, endpoint)| {
        let endpoint = endpoint.parse().expect("an endpoint");
        ((*name).to_owned(), endpoint)
    });
    parsed.collect()
}

/// Waits until the controller manager has seen all Endpoints up to now.
fn mirrored(child: &Child) {
    let metadata = json!({ "name": "mirrored", "namespace": "default" });
    let service = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": metadata,
        "spec": { "clusterIP": "None", "ports": [{ "port": 80 }] },
    });
    let endpoints = json!({
        "apiVersion": "v1", "kind": "Endpoints", "metadata": metadata,
        "subsets": [{ "addresses": [{ "ip": "10.64.7.9" }], "ports": [{ "port": 80 }] }],
    });
    let list = json!({ "apiVersion": "v1", "kind": "List", "items": [service, endpoints] });
    let create = ["create", "-f", "-"];
    let created = child.cluster.kubectl_with_stdin(&create, &list.to_string());
    created.success();
    child.cluster.wait_until("Endpoints are mirrored", || {
        let of_it = "-n default endpointslices -l kubernetes.io/service-name=mirrored";
        !child.get(of_it)["items"]
            .as_array()
            .expect("a list")
            .is_empty()
    });
    child
        .kubectl("delete -n default service/mirrored")
        .success();
}

/// The UIDs of what the controller manager made for the Service of the DNS server. It has the label of the farm's set,
/// which is copied from the Service, as the announced endpoints have.
fn copies_for_dns(child: &Child) -> Vec<Value> {
    let found = "-n kube-system endpoints,endpointslices -l k8s-app=kube-dns";
    let found = child.get(&format!("{found},applyset.kubernetes.io/part-of"));
    let items = found["items"].as_array().expect("a list").iter();
    let uids: Vec<Value> = items.map(|item| item["metadata"]["uid"].clone()).collect();
    assert!(!uids.is_empty(), "none has the label");
    uids
}

#[test]
fn pods_are_sent_to_the_announced_address() {
    let Some((child, mut site)) = bootstrapped("announced", "") else {
        return;
    };
    mirrored(&child);
    let one = [("kubernetes-ipv4", "10.64.0.10:6443")];
    assert_eq!(slices(&child), named(&one));
    let endpoints = child.get("-n default endpoints/kubernetes");
    let expected = json!([{
        "addresses": [{ "ip": ADDRESS }],
        "ports": [{ "name": "https", "port": 6443, "protocol": "TCP" }],
    }]);
    assert_eq!(endpoints["subsets"], expected);
    let of_dns = copies_for_dns(&child);

    let mut again = |values: &str, expected: &[(&str, &str)]| {
        site.set(&format!("--set {values}"));
        let pod = site.pod_for(JOB, &child).expect("as before");
        pod.run().success();
        assert_eq!(slices(&child), named(expected), "{values}");
    };
    let both = [one[0], ("kubernetes-ipv6", "[fd00::10]:7443")];
    again("kubernetes.controlPlaneEndpoint=[fd00::10]:7443", &both);
    assert_eq!(copies_for_dns(&child), of_dns, "taken for the farm's own");
    let other = "kubernetes.apiServer.extraArgs.advertise-address=10.64.0.77,\
                 kubernetes.controlPlaneEndpoint=10.64.0.77:8443";
    again(other, &[("kubernetes-ipv4", "10.64.0.77:8443")]);
    let theirs = "kubernetes.apiServer.extraArgs.endpoint-reconciler-type=lease";
    again(theirs, &[]);
    assert!(!child.has("-n default endpoints/kubernetes"));
}

#[test]
fn a_load_balancer_says_the_address() {
    let Some((child, site, _)) = ready("balanced", BALANCED) else {
        return;
    };
    let service = crate::agent::child::API_SERVER;
    let pod = || site.pod_for(JOB, &child).expect("as before");
    let hasty = || pod().with("--timeout=3s").run();
    let parts = [service, "given it no address", "gave up waiting"];
    assert_failed(&hasty(), &parts);
    site.balance(service, "\"hostname\":\"lb.example.org\"");
    assert_failed(&hasty(), &["lb.example.org", "advertise-address"]);
    site.balance(service, "\"ip\":\"fd00::7\"");
    let parts = ["10.96.0.1", "none of that family", "advertise-address"];
    assert_failed(&hasty(), &parts);
    assert_eq!(slices(&child), []);

    site.balance(service, "\"ip\":\"10.64.7.7\"},{\"ip\":\"fd00::7\"");
    pod().run().success();
    let both = [
        ("kubernetes-ipv4", "10.64.7.7:6443"),
        ("kubernetes-ipv6", "[fd00::7]:6443"),
    ];
    assert_eq!(slices(&child), named(&both));

    // The admin pod, whose KUBECONFIG is the child's, asks for the address as well.
    let Some(keeper) = Agent::that_puts_back(&site, &child) else {
        return;
    };
    let slice = "-n default endpointslice/kubernetes-ipv4";
    child.kubectl(&format!("delete {slice}")).success();
    child
        .cluster
        .wait_until("the slice is back", || child.has(slice));
    assert_eq!(slices(&child), named(&both));
    keeper.end();
}

const SECOND: &str = "second-apiserver";

#[test]
fn no_rollout_and_no_killed_replica_takes_the_address_away() {
    let Some(child) = Child::that_announces(ADDRESS) else {
        return;
    };
    let Some(site) = Site::new("rollout", "") else {
        return;
    };
    let (cluster, first) = (child.cluster, child.cluster.address());
    let second = cluster::free_address();
    let start = |further: &[String]| cluster.start_replica(SECOND, second, further);
    let poller = || Poller::start(cluster, [first, second]);
    start(&[]);

    // API servers that announce themselves: one that stops takes away what both of them announce, until the next round
    // of the other, 10 s after its last.
    let theirs = "-n default endpointslice/kubernetes";
    let is_back = || {
        let is_there = child.has(theirs);
        is_there && child.get(theirs)["endpoints"][0]["addresses"][0] == ADDRESS
    };
    cluster.pause(SECOND);
    child.kubectl(&format!("delete {theirs}")).success();
    cluster.wait_until("the first had its round", is_back);
    let before = poller();
    cluster.resume(SECOND);
    cluster.stop(SECOND);
    cluster.wait_until("the other one puts it back", is_back);
    assert!(before.finish().empty > 0, "nobody would notice");
    start(&[]);

    // The Job runs while they are replaced by others that do not.
    let poller = poller();
    let pod = site.pod_for(JOB, &child).expect("a pod");
    let job = pod.start();
    let ours = "-n default endpointslice/kubernetes-ipv4";
    cluster.wait_until("the Job has come that far", || child.has(ours));
    let none = ["--endpoint-reconciler-type=none".to_owned()];
    cluster.stop(SECOND);
    start(&none);
    cluster.stop(cluster::API_SERVER);
    cluster.start_replica(cluster::API_SERVER, first, &none);
    let job = Finished::from(job.wait_with_output().expect("an end"));
    assert!(job.status.success(), "{}", job.stderr);
    assert_eq!(
        slices(&child),
        named(&[("kubernetes-ipv4", "10.64.0.10:6443")])
    );
    let endpoints = child.get("-n default endpoints/kubernetes");
    assert_eq!(endpoints["subsets"][0]["addresses"][0]["ip"], ADDRESS);

    // From here on nothing touches it.
    let version = || child.get(ours)["metadata"]["resourceVersion"].clone();
    let settled = version();
    cluster.kill(SECOND);
    start(&none);
    cluster.stop(cluster::API_SERVER);
    cluster.start_replica(cluster::API_SERVER, first, &none);
    assert_eq!(version(), settled);
    let looks = poller.finish();
    eprintln!("{} looks, {} of them empty", looks.count, looks.empty);
    assert!(looks.empty == 0 && looks.count > 20, "{looks:?}");
}

/// A client that looks for the API server as kube-proxy does, whatever happens to that.
struct Poller {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Looks>,
}

#[derive(Debug, Default)]
struct Looks {
    count: usize,
    /// How many of them found no endpoint in any slice.
    empty: usize,
}

impl Poller {
    fn start(cluster: &'static Cluster, servers: [Ipv4Addr; 2]) -> Poller {
        let stop = Arc::new(AtomicBool::new(false));
        let thread = std::thread::spawn({
            let stop = Arc::clone(&stop);
            move || {
                let mut looks = Looks::default();
                while !stop.load(Ordering::Relaxed) {
                    let answers = servers.iter().find_map(|server| look(cluster, *server));
                    if let Some(addresses) = answers {
                        looks.count += 1;
                        looks.empty += usize::from(!addresses.contains(ADDRESS));
                    }
                }
                looks
            }
        });
        Poller { stop, thread }
    }

    fn finish(self) -> Looks {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("the poller panicked")
    }
}

/// The addresses that one API server knows; `None` where it does not answer.
fn look(cluster: &Cluster, server: Ipv4Addr) -> Option<String> {
    let mut kubectl = cluster.command("kubectl", cluster.kubeconfig());
    kubectl
        .arg(format!("--server=https://{server}:6443"))
        .arg(format!("--tls-server-name={}", cluster.address()))
        .args(["--request-timeout=2s", "-n", "default"])
        .args([
            "get",
            "endpointslices",
            "-l",
            "kubernetes.io/service-name=kubernetes",
        ])
        .args(["-o", "jsonpath={.items[*].endpoints[*].addresses}"]);
    let finished = run(&mut kubectl);
    finished.status.success().then_some(finished.stdout)
}
