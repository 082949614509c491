//! Changes that a living farm may not survive are refused before anything changes, and accepted by their names only.

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Value, json};

use crate::apply::site::Site;
use crate::apply::{GENERIC, assert_failed};

const ETCD: &str = "kubefarm-kubernetes-etcd";

/// What is changed, what a user accepts it by, and words of the refusal.
const REFUSED: [(&str, &str, &[&str]); 16] = [
    (
        "--set kubernetes.etcd.replicaCount=5",
        "etcd-members",
        &[
            "etcd has 3 members, and these values want 5",
            "form an empty cluster",
        ],
    ),
    (
        "--set kubernetes.etcd.replicaCount=1",
        "etcd-members",
        &[
            "these values want 1",
            "leave kubernetes.etcd.replicaCount at 3",
        ],
    ),
    (
        "--set kubernetes.fullnameOverride=other",
        "etcd-name",
        &[
            "etcd would be called other-etcd",
            "from Secret other-pki-",
            "--accept=pki-prefix",
        ],
    ),
    (
        "--set kubernetes.etcd.ports.peer=3380",
        "etcd-address",
        &["--initial-advertise-peer-urls", ":3380 instead of", ":2380"],
    ),
    (
        "--set kubernetes.etcd.ports.client=3379",
        "etcd-address",
        &["--advertise-client-urls"],
    ),
    (
        "--set kubernetes.enabled=false",
        "etcd-removed",
        &[
            "it would be deleted, its volumes would stay",
            "replicaCount: 0",
        ],
    ),
    (
        "--set kubernetes.etcd.image.tag=3.9.0-0",
        "etcd-version",
        &[
            "would become 3.9.0",
            "one minor version at a time",
            ": 3.8, 3.9;",
        ],
    ),
    (
        "--set kubernetes.etcd.image.tag=3.6.16-0",
        "etcd-version",
        &["would become 3.6.16", "etcdctl downgrade"],
    ),
    (
        "--set kubernetes.apiServer.image.tag=v1.39.0",
        "kubernetes-version",
        &["would become 1.39.0", ": 1.38, 1.39;"],
    ),
    (
        "--set kubernetes.version=v1.36.1",
        "kubernetes-version",
        &[
            "Kubernetes 1.37",
            "would become 1.36.1",
            "set kubernetes.version to the version that runs",
        ],
    ),
    (
        "--set kubernetes.scheduler.image.tag=v1.38.0",
        "version-skew",
        &["kube-scheduler 1.38.0 would be newer than the API server, 1.37"],
    ),
    (
        "--set kubernetes.networking.serviceSubnet=10.128.0.0/12",
        "service-subnet",
        &["10.128.0.0/12 instead of 10.96.0.0/12", "ServiceCIDR"],
    ),
    (
        "--set kubernetes.networking.podSubnet=10.160.0.0/12",
        "pod-subnet",
        &["10.160.0.0/12 instead of 10.144.0.0/12"],
    ),
    (
        "--set kubernetes.networking.dnsDomain=other.example",
        "dns-domain",
        &["other.example instead of cluster.local"],
    ),
    (
        "--set kubernetes.apiServer.extraArgs.service-account-issuer=https://second.example",
        "issuer",
        &[
            "instead of https://first.example",
            "service-account-issuer: [https://second.example, https://kubernetes.default.svc.cluster.local, https://first.example]",
        ],
    ),
    (
        "--set kubernetes.apiServer.extraArgs.encryption-provider-config=null",
        "encryption-at-rest",
        &[
            "would lose --encryption-provider-config",
            "`identity: {}` the first provider",
        ],
    ),
];

/// What users ask of every object. Controllers change the rest whenever they like.
fn asked_for(site: &Site) -> BTreeMap<String, [Value; 2]> {
    let live = site.live().into_iter();
    live.map(|(name, object)| (name, [object["spec"].clone(), object["data"].clone()]))
        .collect()
}

#[test]
fn what_a_living_farm_may_not_survive_is_refused() {
    let Some(site) = Site::new("guarded") else {
        return;
    };
    let base = format!(
        "{GENERIC} --set kubernetes.networking.podSubnet=10.144.0.0/12 \
         --set kubernetes.apiServer.extraArgs.service-account-issuer=https://first.example \
         --set kubernetes.apiServer.extraArgs.encryption-provider-config=/etc/encryption/keys.yaml"
    );
    let apply = format!("apply -q {base}");
    site.run(&apply).success();
    let before = asked_for(&site);
    for (change, risk, words) in REFUSED {
        eprintln!("with {change}");
        let accept = format!("--accept={risk} does it anyway");
        let mut parts = vec![accept.as_str(), "instead: "];
        parts.extend(words);
        let refused = site.run(&format!("{apply} {change}"));
        parts.push("nothing was changed");
        assert_failed(&refused, 1, &parts);
        assert!(
            !refused.stderr.contains("--replace deletes"),
            "{}",
            refused.stderr
        );
        assert_failed(
            &site.run(&format!("{apply} {change} --dry-run=server")),
            1,
            &parts,
        );
        assert_failed(&site.run(&format!("diff {base} {change}")), 2, &parts);
        // Neither a flag for something else nor --replace goes ahead.
        let another = match risk {
            "issuer" => "pki-prefix",
            _ => "issuer",
        };
        let other = format!("{apply} {change} --replace --accept={another} --dry-run=server");
        assert_failed(&site.run(&other), 1, &[&accept]);
    }
    assert_eq!(asked_for(&site), before);
    // A name that was accepted is all that is needed, and only for this one time.
    let change = "--set kubernetes.etcd.replicaCount=5";
    let accepted = format!("{apply} {change} --accept=etcd-members");
    site.run(&accepted).success();
    assert_failed(
        &site.run(&apply),
        1,
        &["etcd has 5 members, and these values want 3"],
    );
}

#[test]
fn a_farm_that_sleeps_keeps_its_members() {
    let Some(site) = Site::new("asleep") else {
        return;
    };
    let apply = format!("apply -q {GENERIC}");
    site.run(&apply).success();
    let asleep = "--set kubernetes.etcd.replicaCount=0,kubernetes.apiServer.replicaCount=0";
    site.run(&format!("{apply} {asleep}")).success();
    let larger = format!("{apply} --set kubernetes.etcd.replicaCount=5");
    assert_failed(
        &site.run(&larger),
        1,
        &["etcd has 3 members, and these values want 5"],
    );
    site.run(&apply).success();
}

#[test]
fn a_farm_that_was_deleted_comes_back_as_it_was() {
    let Some(site) = Site::new("back") else {
        return;
    };
    let apply = format!("apply -q {GENERIC}");
    site.run(&apply).success();
    let claim = format!("persistentvolumeclaim/etcd-data-{ETCD}-0");
    site.cluster
        .wait_until("etcd has its claims", || site.has(&claim));
    site.run("delete kubefarm").success();
    assert!(site.has(&claim));
    for (change, words) in [
        (
            "kubernetes.etcd.replicaCount=1",
            "etcd has 3 members, and these values want 1",
        ),
        ("kubernetes.etcd.image.tag=3.6.16-0", "would become 3.6.16"),
        (
            "kubernetes.fullnameOverride=other",
            "under another name it begins empty",
        ),
    ] {
        assert_failed(&site.run(&format!("{apply} --set {change}")), 1, &[words]);
    }
    site.run(&apply).success();
}

#[test]
fn a_member_is_its_volume() {
    let Some(site) = Site::new("volume") else {
        return;
    };
    let apply = format!("apply -q {GENERIC} --set kubernetes.etcd.replicaCount=1");
    site.run(&apply).success();
    let without = "kubernetes.persistence.enabled=false";
    let parts = [
        "without its volumes",
        "leave kubernetes.persistence.enabled at true",
        "--accept=etcd-persistence",
    ];
    assert_failed(&site.run(&format!("{apply} --set {without}")), 1, &parts);

    let Some(site) = Site::new("pod") else {
        return;
    };
    site.run(&format!("{apply} --set {without}")).success();
    let parts = [
        "on new volumes",
        "leave kubernetes.persistence.enabled at false",
    ];
    assert_failed(&site.run(&apply), 1, &parts);
    let gone = site.run(&format!("{apply} --set {without},kubernetes.enabled=false"));
    assert_failed(
        &gone,
        1,
        &[
            "its data with it, since it has no volumes",
            "--accept=etcd-removed",
        ],
    );
}

#[test]
fn a_volume_grows_by_its_claims() {
    let Some(site) = Site::new("grows") else {
        return;
    };
    let apply = format!("apply -q {GENERIC} --set kubernetes.persistence.size=");
    site.run(&format!("{apply}10Gi")).success();
    let claims: Vec<String> = (0..3)
        .map(|member| format!("persistentvolumeclaim/etcd-data-{ETCD}-{member}"))
        .collect();
    site.cluster.wait_until("etcd has its claims", || {
        claims.iter().all(|claim| site.has(claim))
    });
    let parts = [
        "kubernetes.persistence.size is 20Gi now and was 10Gi",
        "patch pvc etcd-data-kubefarm-kubernetes-etcd-0",
        "--accept=volume-size",
    ];
    let refused = site.run(&format!("{apply}20Gi --replace"));
    assert_failed(&refused, 1, &parts);
    let smaller = site.run(&format!("{apply}5Gi"));
    assert_failed(
        &smaller,
        1,
        &["a volume never shrinks: leave kubernetes.persistence.size at 10Gi"],
    );
    assert!(!smaller.stderr.contains("--replace"), "{}", smaller.stderr);

    grow(&site, &claims);
    let fixed = site.run(&format!("{apply}20Gi"));
    assert_failed(&fixed, 1, &["help: --replace"]);
    site.run(&format!("{apply}20Gi --replace")).success();
}

/// As a storage class that allows it lets users do.
fn grow(site: &Site, claims: &[String]) {
    let class = "apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: grows}\n\
                 provisioner: example.org/none\nallowVolumeExpansion: true\n";
    site.cluster
        .kubectl_with_stdin(&["apply", "-f", "-"], class)
        .success();
    for claim in claims {
        let (_, name) = claim.split_once('/').expect("a name");
        // A claim without a class may be bound to any volume and cannot grow: it is given one that can, and a volume.
        let volume = format!(
            "apiVersion: v1\nkind: PersistentVolume\nmetadata: {{name: {name}-{namespace}}}\nspec:\n  \
             capacity: {{storage: 10Gi}}\n  accessModes: [ReadWriteOnce]\n  storageClassName: grows\n  \
             hostPath: {{path: /nowhere}}\n  claimRef: {{namespace: {namespace}, name: {name}}}\n",
            namespace = site.namespace
        );
        site.cluster
            .kubectl_with_stdin(&["apply", "-f", "-"], &volume)
            .success();
        let patch = json!({"spec": {"storageClassName": "grows"}}).to_string();
        site.cluster
            .kubectl(&["patch", "-n", &site.namespace, claim, "-p", &patch])
            .success();
    }
    site.cluster.wait_until("the claims are bound", || {
        claims
            .iter()
            .all(|claim| site.get(claim)["status"]["phase"] == "Bound")
    });
    for claim in claims {
        let patch = json!({"spec": {"resources": {"requests": {"storage": "20Gi"}}}}).to_string();
        site.cluster
            .kubectl(&["patch", "-n", &site.namespace, claim, "-p", &patch])
            .success();
    }
}

#[test]
fn a_name_that_is_no_risk_is_an_error() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("values.yaml");
    fs::write(&file, "name: a\n").expect("written");
    let mut command = crate::support::kubefarm_command();
    command
        .args(["apply", "--accept=etcd-member", "-f"])
        .arg(&file);
    let failed = crate::support::run(&mut command);
    assert_failed(
        &failed,
        2,
        &["etcd-member", "similar value exists: 'etcd-members'"],
    );
}
