//! Pods that read what is new roll, and no others.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::pki::in_cluster::Farm;

/// The generation of every workload: it grows with each change of its pods.
fn generations(farm: &Farm) -> BTreeMap<String, i64> {
    let list = farm.site.get("deployments,statefulsets");
    let items = list["items"].as_array().expect("a list").iter();
    let pair = |item: &Value| {
        let name = item["metadata"]["name"].as_str().expect("a name");
        let name = name.trim_start_matches("kubefarm-kubernetes-").to_owned();
        (
            name,
            item["metadata"]["generation"].as_i64().expect("a number"),
        )
    };
    items.map(pair).collect()
}

/// The workloads that a command rolls.
#[track_caller]
fn rolled(farm: &Farm, words: &str) -> Vec<String> {
    let before = generations(farm);
    let said = farm.run(words);
    assert_eq!(said.code(), 0, "{}", said.stderr);
    let after = generations(farm).into_iter();
    let changed = after.filter(|(name, generation)| before.get(name) != Some(generation));
    changed.map(|(name, _)| name).collect()
}

#[test]
fn only_pods_that_read_it_roll() {
    let Some(farm) = Farm::applied("rolling") else {
        return;
    };
    assert_eq!(generations(&farm).len(), 6);
    assert!(rolled(&farm, "apply").is_empty());
    assert_eq!(rolled(&farm, "pki renew scheduler-client"), ["scheduler"]);
    assert_eq!(rolled(&farm, "pki renew front-proxy-client"), ["apiserver"]);
    assert_eq!(rolled(&farm, "pki renew admin-client"), ["admin"]);
    assert!(rolled(&farm, "pki renew etcd-healthcheck-client").is_empty());
    let san = "apply --set kubernetes.apiServer.certSANs.dnsNames={api.example.org}";
    assert_eq!(rolled(&farm, san), ["apiserver"]);
    // The step that swaps nothing rolls those that have to trust both.
    let trust = "pki rotate-ca front-proxy-ca --step trust --set \
                 kubernetes.apiServer.certSANs.dnsNames={api.example.org}";
    let readers = ["apiserver", "controller-manager", "scheduler"];
    assert_eq!(rolled(&farm, trust), readers);
}

#[test]
fn monitoring_sees_what_the_cluster_has() {
    let Some(farm) = Farm::applied("monitored") else {
        return;
    };
    let inspect = |more: &str| farm.site.run(&format!("pki inspect kubefarm {more}"));
    let list: Value = serde_json::from_str(&inspect("-o json").success()).expect("JSON");
    let list = list.as_array().expect("a list");
    assert_eq!(list.len(), 18);
    let server = list.iter().find(|one| one["name"] == "apiserver-server");
    let server = server.expect("a certificate");
    let names = server["dnsNames"].to_string();
    assert!(
        names.contains("kubernetes.default.svc.cluster.local"),
        "{names}"
    );
    assert_eq!(server["issuer"], "kubefarm-kubernetes-ca");
    assert_eq!(inspect("--check-expiry 30d").code(), 0);
    assert_eq!(inspect("--check-expiry 366d").code(), 1);
    farm.site
        .kubectl("patch secret kubefarm-kubernetes-pki-etcd-peer --type=merge -p {\"data\":{\"tls.crt\":\"AAAA\"}}")
        .success();
    let damaged = inspect("--check-expiry 30d");
    assert_eq!(damaged.code(), 1);
    assert!(damaged.stdout.contains("tls.crt is"), "{}", damaged.stdout);
}
