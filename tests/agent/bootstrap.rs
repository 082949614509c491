//! `kubefarm agent bootstrap`, as its Job runs it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::agent::assert_failed;
use crate::agent::child::Child;
use crate::agent::site::{Pod, Site};
use crate::support::Finished;

pub const JOB: &str = "kubefarm-kubernetes-bootstrap";
const EXTRA: &str = "-f tests/agent/extra-manifests.yaml";

/// The kinds that bootstraps apply.
const KINDS: &str = "deployments,daemonsets,services,endpoints,endpointslices,configmaps,serviceaccounts,roles,rolebindings,\
                     clusterroles,clusterrolebindings,customresourcedefinitions,namespaces,leases";

/// A child and the bootstrap pod of a farm with these arguments. `None` where there can be none.
pub fn ready(name: &str, arguments: &str) -> Option<(Child, Site, Pod)> {
    let child = Child::alone()?;
    child.clear();
    let site = Site::new(name, arguments)?;
    let pod = site.pod_for(JOB, &child)?;
    Some((child, site, pod))
}

/// A child that nodes can join, and its farm.
pub fn bootstrapped(name: &str, arguments: &str) -> Option<(Child, Site)> {
    let (child, site, pod) = ready(name, arguments)?;
    pod.run().success();
    Some((child, site))
}

/// The versions of what bootstraps keep in the child, once its controllers have done what they do.
fn versions(child: &Child) -> BTreeMap<String, String> {
    let mut before = BTreeMap::new();
    child.cluster.wait_until("controllers are done", || {
        std::thread::sleep(Duration::from_secs(1));
        let now = versions_now(child);
        let is_settled = now == before;
        before = now;
        is_settled
    });
    before
}

fn versions_now(child: &Child) -> BTreeMap<String, String> {
    let list = child.get(&format!("{KINDS} -A"));
    let items = list["items"].as_array().expect("a list").iter();
    let is_kept = |object: &&Value| {
        let labels = object["metadata"]["labels"].as_object();
        labels.is_some_and(|labels| labels.keys().any(|key| key.starts_with("applyset.")))
    };
    let entry = |object: &Value| {
        let metadata = &object["metadata"];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (kind, name) = (text(&object["kind"]), text(&metadata["name"]));
        let namespace = text(&metadata["namespace"]);
        (
            format!("{kind} {namespace}/{name}"),
            text(&metadata["resourceVersion"]),
        )
    };
    items.filter(is_kept).map(entry).collect()
}

/// The kubeconfig in cluster-info.
fn cluster_info(child: &Child) -> Value {
    let object = child.get("-n kube-public configmap/cluster-info");
    let text = object["data"]["kubeconfig"].as_str().expect("a kubeconfig");
    serde_json::from_str(text).expect("JSON")
}

#[test]
fn nodes_find_what_they_need_and_a_second_run_changes_nothing() {
    let Some((child, _site, pod)) = ready("bootstrap", EXTRA) else {
        return;
    };
    let first = pod.run();
    assert!(first.status.success(), "{}", first.stderr);
    for object in [
        "-n kube-system configmap/kubeadm-config",
        "-n kube-system configmap/kubelet-config",
        "-n kube-system daemonset/kube-proxy",
        "-n kube-system deployment/coredns",
        "clusterrolebinding/kubeadm:kubelet-bootstrap",
        "rack/r7",
        "-n storage configmap/pools",
        "-n default configmap/note",
    ] {
        assert!(child.has(object), "no {object}\n{}", first.stderr);
    }
    let cluster = &cluster_info(&child)["clusters"][0]["cluster"];
    assert_eq!(
        cluster["server"],
        "https://kubefarm-kubernetes-apiserver:6443"
    );
    let authority = &child.admin_files()[0].1;
    let data = cluster["certificate-authority-data"]
        .as_str()
        .expect("data");
    assert_eq!(STANDARD.decode(data).expect("base64"), authority.as_bytes());

    let before = versions(&child);
    assert!(before.len() > 25, "{before:#?}");
    let again = pod.run();
    assert!(again.status.success(), "{}", again.stderr);
    let is_change = |line: &str| line.starts_with("changed ") || line.starts_with("created ");
    assert!(!again.stderr.lines().any(is_change), "{}", again.stderr);
    assert_eq!(versions(&child), before);
}

#[test]
fn what_is_switched_off_goes_and_comes_back() {
    let Some((child, mut site)) = bootstrapped("switches", EXTRA) else {
        return;
    };
    child
        .kubectl("create configmap of-somebody -n kube-system")
        .success();
    let addons = [
        "-n kube-system daemonset/kube-proxy",
        "-n kube-system configmap/kube-proxy",
        "-n kube-system deployment/coredns",
        "-n kube-system service/kube-dns",
        "clusterrole/system:coredns",
        "-n default configmap/note",
        "-n storage configmap/pools",
    ];
    site.set("--set kubernetes.kubeProxy.enabled=false,kubernetes.coredns.enabled=false");
    site.pod_for(JOB, &child)
        .expect("as before")
        .run()
        .success();
    for addon in addons {
        assert!(!child.has(addon), "{addon} is still there");
    }
    for kept in ["kubeadm-config", "kubelet-config", "of-somebody"] {
        assert!(
            child.has(&format!("-n kube-system configmap/{kept}")),
            "{kept} went"
        );
    }
    // What else is in it nobody knows, nor which objects of the kind others made.
    assert!(child.has("namespace/storage") && child.has("crd/racks.example.org"));
    site.set(EXTRA);
    site.pod_for(JOB, &child)
        .expect("as before")
        .run()
        .success();
    for addon in addons {
        assert!(child.has(addon), "{addon} did not come back");
    }
    child
        .kubectl("delete configmap of-somebody -n kube-system")
        .success();
}

#[test]
fn the_konnectivity_agent_comes_and_goes() {
    let arguments =
        "-f values/konnectivity.yaml --set kubernetes.apiServer.service.loadBalancerIP=10.64.0.10";
    let Some((child, mut site)) = bootstrapped("konnectivity", arguments) else {
        return;
    };
    let agent = "-n kube-system deployment/konnectivity-agent";
    let rights = "clusterrolebinding/system:konnectivity-server";
    assert!(child.has(agent) && child.has(rights));
    site.set(&format!(
        "{arguments} --set kubernetes.konnectivityAgent.daemonSet=true"
    ));
    site.pod_for(JOB, &child)
        .expect("as before")
        .run()
        .success();
    assert!(!child.has(agent) && child.has("-n kube-system daemonset/konnectivity-agent"));
    site.set("");
    site.pod_for(JOB, &child)
        .expect("as before")
        .run()
        .success();
    assert!(!child.has("-n kube-system daemonset/konnectivity-agent") && !child.has(rights));
}

#[test]
fn two_at_once_do_it_once() {
    let Some((child, site, first)) = ready("at-once", EXTRA) else {
        return;
    };
    let second = site.pod_for(JOB, &child).expect("as before");
    let runs = [first.start(), second.start()];
    let ends = runs.map(|run| Finished::from(run.wait_with_output().expect("an end")));
    for end in &ends {
        assert!(end.status.success(), "{}", end.stderr);
    }
    let created = |end: &Finished| {
        end.stderr
            .lines()
            .filter(|line| line.starts_with("created "))
            .count()
    };
    let counts = ends.each_ref().map(created);
    assert!(
        counts.contains(&0) && counts.iter().sum::<usize>() > 25,
        "{counts:?}"
    );
    assert!(!child.has("-n kube-system leases.coordination.k8s.io/kubefarm-addons-farm"));
}

#[test]
fn killed_half_way_the_next_one_finishes() {
    let Some((child, site, pod)) = ready("killed", EXTRA) else {
        return;
    };
    let mut run = pod.start();
    let log = BufReader::new(run.stderr.take().expect("a pipe"));
    let is_created = |line: &String| line.starts_with("created ");
    let lines = log.lines().map(|line| line.expect("UTF-8"));
    let seen = lines.filter(is_created).take(7).count();
    run.kill().expect("killed");
    run.wait().expect("gone");
    assert_eq!(seen, 7, "it ended before it was killed");
    let left = versions_now(&child).len();

    let next = site.pod_for(JOB, &child).expect("as before").run();
    assert!(next.status.success(), "{}", next.stderr);
    let all = versions(&child).len();
    assert!(left < all, "{left} of {all} were there already");
    assert!(child.has("rack/r7") && child.has("-n kube-public configmap/cluster-info"));
}

#[test]
fn while_an_authority_is_rotated_nodes_trust_both() {
    let Some((child, _site, pod)) = ready("rotation", "") else {
        return;
    };
    let both = format!("{}{}", child.admin_files()[0].1, another_authority());
    pod.machine.write("/pki/admin-client/ca.crt", &both);
    pod.run().success();
    let data = &cluster_info(&child)["clusters"][0]["cluster"]["certificate-authority-data"];
    let data = STANDARD
        .decode(data.as_str().expect("data"))
        .expect("base64");
    assert_eq!(String::from_utf8(data).expect("UTF-8"), both);
}

/// A certificate authority that signed nothing.
pub fn another_authority() -> String {
    let key = rcgen::KeyPair::generate().expect("a key");
    let mut parameters = rcgen::CertificateParams::new(Vec::new()).expect("no names");
    parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    parameters.self_signed(&key).expect("signed").pem()
}

#[test]
fn what_somebody_changed_is_put_right() {
    let Some((child, site)) = bootstrapped("put-right", "") else {
        return;
    };
    child
        .kubectl("patch -n kube-system service kube-dns --type=json -p [{\"op\":\"replace\",\"path\":\"/spec/selector\",\"value\":{\"k8s-app\":\"other\"}}]")
        .success();
    child
        .kubectl("delete -n kube-system configmap kubelet-config")
        .success();
    site.pod_for(JOB, &child)
        .expect("as before")
        .run()
        .success();
    let service = child.get("-n kube-system service/kube-dns");
    assert_eq!(service["spec"]["selector"]["k8s-app"], "kube-dns");
    assert!(child.has("-n kube-system configmap/kubelet-config"));
}

#[test]
fn a_manifest_of_the_users_that_is_refused_keeps_no_node_away() {
    let bad = "--set-json kubernetes.extraManifests={\"bad.yaml\":{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\
               \"metadata\":{\"name\":\"Bad\"}}}";
    let Some((child, _site, pod)) = ready("refused", bad) else {
        return;
    };
    assert_failed(
        &pod.run(),
        &["ConfigMap default/Bad: ", "nothing was changed"],
    );
    assert!(child.has("-n kube-public configmap/cluster-info"));
}
