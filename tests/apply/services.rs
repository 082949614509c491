//! The real API server accepts all keys of Services; it has both families of addresses here.

use std::io::Write as _;
use std::sync::LazyLock;

use serde_json::{Value, json};
use tempfile::NamedTempFile;

use crate::apply::site::Site;
use crate::apply::{GENERIC, done};
use crate::support::cluster::{Cluster, Options};

/// All keys between them; the scheduler's family follows from its address.
const EVERYTHING: &str = "
kubernetes:
  etcd:
    service: {ipFamilyPolicy: PreferDualStack, ipFamilies: [IPv6, IPv4]}
  apiServer:
    service:
      loadBalancerClass: example.org/internal
      loadBalancerSourceRanges: [10.64.0.0/16, 192.0.2.0/24]
      allocateLoadBalancerNodePorts: false
      externalTrafficPolicy: Local
  controllerManager:
    service: {type: NodePort, externalTrafficPolicy: Local, ipFamilyPolicy: RequireDualStack, ipFamilies: [IPv4, IPv6]}
  scheduler:
    service: {type: LoadBalancer, loadBalancerIP: 'fd00:64::12'}
ltsp:
  service: {loadBalancerIP: 10.64.0.11, externalTrafficPolicy: Local, ipFamilyPolicy: SingleStack, ipFamilies: [IPv4]}
";

/// The same later, with the controller manager's Service as it is by default.
const LESS: &str = "kubernetes: {controllerManager: {service: {type: ClusterIP, externalTrafficPolicy: null, \
                    ipFamilyPolicy: null, ipFamilies: []}}}";

fn dual_stack() -> Option<Site> {
    static CLUSTER: LazyLock<Option<Cluster>> = LazyLock::new(|| {
        let cluster = Cluster::start(Options {
            api_server_flags: vec![
                "--service-cluster-ip-range=10.96.0.0/12,fd00:10:96::/112".to_owned(),
            ],
            without_controllers: true,
            ..Options::default()
        })?;
        cluster.install_crds();
        Some(cluster)
    });
    let cluster = CLUSTER.as_ref()?;
    Some(Site {
        cluster,
        namespace: cluster.namespace("services"),
    })
}

fn file(text: &str) -> NamedTempFile {
    let mut file = NamedTempFile::with_suffix(".yaml").expect("a file");
    file.write_all(text.as_bytes()).expect("written");
    file
}

#[test]
fn services_are_what_they_are_told_to_be() {
    let Some(site) = dual_stack() else {
        return;
    };
    let (everything, less) = (file(EVERYTHING), file(LESS));
    let apply = format!("apply {GENERIC} -f {}", everything.path().display());
    site.run(&apply).success();
    let spec = |name: &str| -> Value {
        let service = site.get(&format!("service/kubefarm-kubernetes-{name}"));
        service["spec"].clone()
    };
    let etcd = spec("etcd");
    assert_eq!(etcd["ipFamilies"], json!(["IPv6", "IPv4"]));
    let server = spec("apiserver");
    assert_eq!(server["loadBalancerClass"], "example.org/internal");
    let ranges = json!(["10.64.0.0/16", "192.0.2.0/24"]);
    assert_eq!(server["loadBalancerSourceRanges"], ranges);
    assert_eq!(server["allocateLoadBalancerNodePorts"], false);
    assert_eq!(server["ports"][0]["nodePort"], Value::Null);
    assert_eq!(server["externalTrafficPolicy"], "Local");
    let manager = spec("controller-manager");
    assert_eq!(manager["ipFamilyPolicy"], "RequireDualStack");
    assert_eq!(manager["clusterIPs"].as_array().map(Vec::len), Some(2));
    let scheduler = spec("scheduler");
    assert_eq!(scheduler["ipFamilies"], json!(["IPv6"]));
    let address = scheduler["clusterIP"].as_str().expect("an address");
    assert!(address.contains(':'), "{address}");
    for boot in ["ltsp-http", "ltsp-tftp"] {
        assert_eq!(spec(boot)["externalTrafficPolicy"], "Local");
    }

    let again = site.run(&apply);
    assert_eq!(again.code(), 0, "{}", again.stderr);
    let done = done(&again);
    let changed: Vec<_> = done
        .iter()
        .filter(|(word, _)| *word != "unchanged")
        .collect();
    assert!(changed.is_empty(), "{changed:?}");

    site.run(&format!("{apply} -f {}", less.path().display()))
        .success();
    let manager = spec("controller-manager");
    assert_eq!(manager["externalTrafficPolicy"], Value::Null);
    assert_eq!(manager["type"], "ClusterIP");
}
