//! All examples and layers are accepted as they are, and a second apply changes nothing.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::apply::site::Site;
use crate::apply::{GENERIC, events};
use crate::support::cluster::{Cluster, Options};
use crate::support::{Finished, kubefarm, kubefarm_command, run};

/// The object of an event, as `Kind/name`.
fn object_of(event: &Value) -> String {
    let text = |key: &str| event["object"][key].as_str().unwrap_or_default().to_owned();
    format!("{}/{}", text("kind"), text("name"))
}

fn with_action<'a>(events: &'a [Value], action: &str) -> Vec<&'a Value> {
    let found = events.iter().filter(|event| event["action"] == action);
    found.collect()
}

#[track_caller]
fn assert_no_warning(events: &[Value]) {
    let warning = events.iter().find(|event| event["event"] == "warning");
    assert_eq!(warning, None);
}

/// Applies a farm twice: the first time creates each object and only that, the second does nothing.
#[track_caller]
fn applies_twice(arguments: &str) {
    let Some(site) = Site::new("twice") else {
        return;
    };
    let first = site.run(&format!("apply -o json {arguments}"));
    assert_eq!(first.code(), 0, "{arguments}: {}", first.stderr);
    let first = events(&first);
    assert_no_warning(&first);
    let objects = |events: &[Value], action: &str| -> BTreeSet<String> {
        let done = with_action(events, action).into_iter();
        done.map(object_of).collect()
    };
    let created = objects(&first, "created");
    assert!(created.len() > 30, "{arguments}: {created:?}");
    for action in ["changed", "unchanged", "replaced", "deleted"] {
        assert!(with_action(&first, action).is_empty(), "{action}");
    }

    let before = site.settled_versions();
    let second = site.run(&format!("apply -o json {arguments}"));
    assert_eq!(second.code(), 0, "{arguments}: {}", second.stderr);
    let second = events(&second);
    assert_eq!(objects(&second, "unchanged"), created, "{arguments}");
    for action in ["created", "changed", "replaced", "deleted"] {
        assert!(with_action(&second, action).is_empty(), "{action}");
    }
    assert_eq!(site.versions(), before, "{arguments}");
}

#[test]
fn generic_and_its_network_layers() {
    applies_twice(GENERIC);
    applies_twice(&format!(
        "{GENERIC} -f examples/advanced_network/values.yaml"
    ));
    applies_twice(&format!(
        "{GENERIC} -f examples/dualstack_network/values.yaml"
    ));
}

#[test]
fn all_network_layers_at_once_and_catchall() {
    applies_twice(&format!(
        "{GENERIC} -f examples/advanced_network/values.yaml -f examples/dualstack_network/values.yaml"
    ));
    applies_twice("--name catchall -f examples/catchall/values.yaml");
}

#[test]
fn every_layer_over_generic() {
    for layer in std::fs::read_dir(crate::support::project().join("values")).expect("the layers") {
        let layer = layer.expect("an entry").file_name();
        let layer = layer.to_str().expect("UTF-8");
        // One layer wants to know this address, and the others ignore it.
        let agents = "--set kubernetes.konnectivityServer.service.loadBalancerIP=10.64.0.12";
        applies_twice(&format!("{GENERIC} -f values/{layer} {agents}"));
    }
}

#[test]
fn control_planes_run_where_pod_security_is_restricted() {
    let Some(site) = Site::new("restricted") else {
        return;
    };
    let namespace = &site.namespace;
    let labels = ["enforce", "warn"].map(|mode| format!("pod-security.kubernetes.io/{mode}"));
    let [enforce, warn] = labels.map(|label| format!("{label}=restricted"));
    site.cluster
        .kubectl(&["label", "namespace", namespace, &enforce, &warn])
        .success();
    let applied = site.run(&format!(
        "apply -o json {GENERIC} -f values/ha.yaml -f values/konnectivity.yaml"
    ));
    assert_eq!(applied.code(), 0, "{}", applied.stderr);
    let events = events(&applied);
    let warnings = events.iter().filter(|event| event["event"] == "warning");
    let about: BTreeSet<String> = warnings.map(object_of).collect();
    // It serves TFTP, and builds file systems' images: it cannot do without root.
    let boot_server = BTreeSet::from(["Deployment/kubefarm-kubernetes-ltsp".to_owned()]);
    assert_eq!(about, boot_server);
    site.cluster
        .wait_until("pods of the control plane are admitted", || {
            let pods = site.kubectl("get pods -o name").success();
            let components = ["etcd", "apiserver", "controller-manager", "scheduler"];
            components
                .iter()
                .all(|component| pods.contains(&format!("pod/kubefarm-kubernetes-{component}-")))
        });
}

/// Runs `kubefarm` with a cluster; the arguments are separated by spaces.
fn run_in(cluster: &Cluster, arguments: &str) -> Finished {
    let mut command = kubefarm_command();
    command
        .args(arguments.split_whitespace())
        .env("KUBECONFIG", cluster.kubeconfig());
    run(&mut command)
}

#[test]
fn a_farm_brings_its_own_crds() {
    let options = Options {
        without_controllers: true,
        ..Options::default()
    };
    let Some(cluster) = Cluster::start(options) else {
        return;
    };
    let run = |arguments: &str| {
        let values = "-f values/builtin-pki.yaml --set dhcp.installController=true -n farm";
        run_in(&cluster, &format!("{arguments} {GENERIC} {values}"))
    };
    let first = run("apply -o json --create-namespace");
    assert_eq!(first.code(), 0, "{}", first.stderr);
    let first = events(&first);
    assert_no_warning(&first);
    let versions = || {
        let kinds =
            "crd,clusterroles,clusterrolebindings,dhcphosts,dhcpoptions,dnsmasqoptions,daemonsets";
        let get = [
            "get",
            kinds,
            "--namespace=farm",
            "--output=jsonpath={range .items[*]}{.kind}/{.metadata.name} {.metadata.resourceVersion}\n{end}",
        ];
        cluster.kubectl(&get).success()
    };
    let before = versions();
    for part in ["ClusterRole/", "CustomResourceDefinition/", "DhcpHosts/"] {
        assert!(before.contains(part), "no {part} in {before}");
    }
    let second = run("apply -o json");
    assert_eq!(second.code(), 0, "{}", second.stderr);
    let unchanged = with_action(&events(&second), "unchanged").len();
    assert_eq!(unchanged, with_action(&first, "created").len());
    assert_eq!(versions(), before);
}

#[test]
fn a_kind_that_the_cluster_does_not_serve_comes_with_a_hint() {
    let options = Options {
        without_controllers: true,
        ..Options::default()
    };
    let Some(cluster) = Cluster::start(options) else {
        return;
    };
    let config = cluster.kubeconfig().to_str().expect("UTF-8");
    let refused = kubefarm(["apply", "--kubeconfig", config]);
    let parts = [
        "does not serve this kind; install cert-manager, or set pki.mode: builtin",
        "does not serve this kind; install dnsmasq-controller, or set dhcp.mode: standalone",
        "nothing was changed",
    ];
    crate::apply::assert_failed(&refused, 1, &parts);
    let maps = cluster.kubectl(&["get", "configmaps", "--output=name"]);
    assert!(!maps.success().contains("kubefarm"), "something was made");
}

/// They outlive the farm that brought them, and stand in no other one's way.
#[test]
fn crds_belong_to_every_farm() {
    let options = Options {
        without_controllers: true,
        ..Options::default()
    };
    let Some(cluster) = Cluster::start(options) else {
        return;
    };
    let apply = |namespace: &str, installs: bool| {
        let off = "kubernetes.enabled=false,tokenGenerator.enabled=false";
        run_in(
            &cluster,
            &format!(
                "apply -q --create-namespace {GENERIC} -n {namespace} --set {off},dhcp.installController={installs}"
            ),
        )
    };
    let ids = |what: &str| {
        let template = "--output=jsonpath={range .items[*]}{.metadata.name} {.metadata.uid}\n{end}";
        cluster
            .kubectl(&["get", what, "--namespace=second", template])
            .success()
    };
    apply("first", true).success();
    apply("second", false).success();
    let (crds, hosts) = (ids("crd"), ids("dhcphosts"));
    assert!(!hosts.is_empty());
    // Each farm may have a controller of its own.
    apply("second", true).success();
    let roles = ids("clusterroles");
    for namespace in ["first", "second"] {
        let name = format!("dnsmasq-controller-{namespace} ");
        assert!(roles.contains(&name), "{roles}");
    }

    let deleted = run_in(&cluster, "delete kubefarm -n first");
    assert_eq!(deleted.code(), 0, "{}", deleted.stderr);
    let left = run_in(&cluster, "list").success();
    assert!(!left.contains("first"), "{left}");
    assert_eq!(
        (ids("crd"), ids("dhcphosts")),
        (crds.clone(), hosts.clone())
    );
    apply("second", true).success();
    apply("second", false).success();
    assert_eq!((ids("crd"), ids("dhcphosts")), (crds, hosts), "nor pruned");
}

/// What is as it should be costs one dry run.
#[test]
fn nothing_more_is_asked_for_what_is_as_it_should_be() {
    let Some(site) = Site::new("unchanged") else {
        return;
    };
    site.run(&format!("apply -q {GENERIC}")).success();
    site.settled_versions();
    let user = format!("again-{}", site.namespace);
    let kubeconfig = site.cluster.user_kubeconfig(&user, &["system:masters"]);
    let again = site.run_as(&kubeconfig, &format!("apply -q {GENERIC}"));
    assert_eq!(again.code(), 0, "{}", again.stderr);
    let requests = site.cluster.audit();
    let own = requests.iter().filter(|request| request.user == user);
    let mut tried = 0;
    for request in own.filter(|request| !request.name.is_empty()) {
        let is_dry_run = request.verb == "patch" && request.uri.contains("dryRun=All");
        tried += usize::from(is_dry_run);
        let is_records = ["kubefarm-farm", &site.namespace].contains(&request.name.as_str());
        assert!(is_dry_run || is_records, "{request:?}");
    }
    assert!(tried > 40, "{tried}");
}
