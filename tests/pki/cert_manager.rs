//! cert-manager's own controllers and kubefarm issue the same, and take over from each other.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::apply::site::Site;
use crate::pki::certificate::{blocks, fields};
use crate::pki::in_cluster::{Data, Farm, decoded};
use crate::support::cluster::Cluster;

/// A namespace, with cert-manager running.
pub fn farm(name: &str) -> Option<Farm> {
    let cluster = Cluster::with_cert_manager()?;
    let site = Site::of(cluster, name);
    Some(Farm { site })
}

/// The parts of a Secret beside its data that programs read.
fn described(secret: &Value) -> BTreeMap<String, String> {
    let of = |what: &str| secret["metadata"][what].as_object().cloned();
    let labels_and_annotations = of("annotations").into_iter().chain(of("labels")).flatten();
    let of_cert_manager =
        labels_and_annotations.filter(|(key, _)| key.contains("cert-manager.io/"));
    let mut described: BTreeMap<String, String> = of_cert_manager
        .map(|(key, value)| (key.clone(), value.to_string()))
        .collect();
    described.insert("type".to_owned(), secret["type"].to_string());
    let keys = secret["data"].as_object().expect("data").keys();
    let keys: BTreeSet<&String> = keys.collect();
    described.insert("keys".to_owned(), format!("{keys:?}"));
    described.insert("immutable".to_owned(), secret["immutable"].to_string());
    described
}

/// Every field of every certificate, by `Secret key number field`.
fn all_fields(secrets: &BTreeMap<String, Value>) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for (name, secret) in secrets {
        let data = decoded(secret);
        for key in ["tls.crt", "ca.crt"] {
            for (number, der) in blocks(&data[key]).iter().enumerate() {
                let of = fields(der).into_iter();
                all.extend(
                    of.map(|(field, value)| (format!("{name} {key} {number} {field}"), value)),
                );
            }
        }
        all.extend(
            described(secret)
                .into_iter()
                .map(|(field, value)| (format!("{name} {field}"), value)),
        );
    }
    all
}

/// Fails with every field that is not the same.
#[track_caller]
fn assert_same(ours: &BTreeMap<String, Value>, theirs: &BTreeMap<String, Value>) {
    assert_eq!(
        ours.keys().collect::<Vec<_>>(),
        theirs.keys().collect::<Vec<_>>()
    );
    let (ours, theirs) = (all_fields(ours), all_fields(theirs));
    let names: BTreeSet<&String> = ours.keys().chain(theirs.keys()).collect();
    let count = names.len();
    let differences: Vec<String> = names
        .into_iter()
        .filter(|name| ours.get(*name) != theirs.get(*name))
        .map(|name| {
            format!(
                "{name}: {:?}, cert-manager: {:?}",
                ours.get(name),
                theirs.get(name)
            )
        })
        .collect();
    assert!(count > 500, "{count}");
    assert!(
        differences.is_empty(),
        "{} of {count}\n{}",
        differences.len(),
        differences.join("\n")
    );
    eprintln!("{count} fields are the same");
}

/// The value of `pki.mode`, and of others: with a boot server, whose pods are not needed, there is the key that it signs
/// with.
fn with_boot_server(mode: &str) -> String {
    format!("{mode},ltsp.enabled=true,ltsp.replicaCount=0,ltsp.service.type=ClusterIP")
}

/// Waits until cert-manager has issued, or taken, everything.
#[track_caller]
pub fn wait_for_cert_manager(farm: &Farm) {
    let cluster = farm.site.cluster;
    cluster.wait_until("cert-manager has issued all certificates", || {
        let wait = "wait --for=condition=Ready --timeout=5s certificates --all";
        farm.site.kubectl(wait).status.success()
    });
}

/// Everything goes, certificate authorities too.
pub fn clear(farm: &Farm) {
    let gone = farm.site.run("delete kubefarm --yes --purge");
    assert_eq!(gone.code(), 0, "{}", gone.stderr);
    farm.site
        .kubectl("delete secrets --field-selector=type=kubernetes.io/tls")
        .success();
    assert!(farm.secrets().is_empty());
}

#[test]
fn both_issue_the_same() {
    let Some(farm) = farm("same") else {
        return;
    };
    let everything = "-f values/konnectivity-http.yaml --set \
                      kubernetes.konnectivityServer.service.type=ClusterIP,\
                      kubernetes.konnectivityServer.replicaCount=0,\
                      kubernetes.konnectivityServer.service.loadBalancerIP=10.64.0.12,\
                      kubernetes.controlPlaneEndpoint=k8s.example.org:6443,\
                      kubernetes.apiServer.certSANs.dnsNames={api.example.org},\
                      kubernetes.networking.serviceSubnet=10.96.0.0/16\\,fd00:10::/108,\
                      kubernetes.networking.podSubnet=10.244.0.0/16\\,fd00:20::/56";
    for kind in ["", "pki.algorithm=RSA,pki.size=2048"] {
        let kind = match kind {
            "" => String::new(),
            kind => format!("--set {kind}"),
        };
        let apply = format!("apply {everything} {kind}");
        farm.run_in(&with_boot_server("certManager"), &apply)
            .success();
        wait_for_cert_manager(&farm);
        let theirs = farm.secrets();
        clear(&farm);
        farm.run_in(&with_boot_server("builtin"), &apply).success();
        let ours = farm.secrets();
        assert_eq!(ours.len(), 24);
        assert_same(&ours, &theirs);
        clear(&farm);
    }
}

/// The Secrets' data, once cert-manager had the time to do something.
pub fn settled(farm: &Farm) -> BTreeMap<String, Data> {
    let mut before = farm.data();
    farm.site
        .cluster
        .wait_until("the Secrets stay as they are", || {
            std::thread::sleep(std::time::Duration::from_secs(3));
            let now = farm.data();
            let same = now == before;
            before = now;
            same
        });
    before
}

/// Fails with what cert-manager says of why it issued something.
#[track_caller]
pub fn assert_kept(farm: &Farm, before: &BTreeMap<String, Data>) {
    let now = settled(farm);
    let changed = now
        .iter()
        .filter(|(name, data)| before.get(*name) != Some(data));
    let changed: Vec<&String> = changed.map(|(name, _)| name).collect();
    let events = farm
        .site
        .kubectl("get events --sort-by=.metadata.creationTimestamp");
    assert!(changed.is_empty(), "{changed:?}\n{}", events.stdout);
    assert_eq!(now.len(), before.len());
}

#[test]
fn from_cert_manager_and_back_everything_is_kept() {
    let Some(farm) = farm("to-builtin") else {
        return;
    };
    let [cert_manager, builtin] = ["certManager", "builtin"].map(with_boot_server);
    farm.run_in(&cert_manager, "apply").success();
    wait_for_cert_manager(&farm);
    let first = settled(&farm);
    assert_eq!(first.len(), 19);

    // Nobody has to say --force-conflicts.
    let said = farm.run_in(&builtin, "apply");
    assert_eq!(said.code(), 0, "{}", said.stderr);
    assert!(!said.stderr.contains("is issued"), "{}", said.stderr);
    assert_kept(&farm, &first);
    assert!(!farm.site.has("certificates"));
    assert_eq!(farm.run_in(&builtin, "diff").code(), 0);

    let said = farm.run_in(&cert_manager, "apply");
    assert_eq!(said.code(), 0, "{}", said.stderr);
    wait_for_cert_manager(&farm);
    assert_kept(&farm, &first);
    assert_eq!(farm.run_in(&cert_manager, "diff").code(), 0);
}

#[test]
fn from_builtin_and_back_everything_is_kept() {
    let Some(farm) = farm("to-cert-manager") else {
        return;
    };
    farm.run_in("builtin", "apply").success();
    let first = farm.data();
    let said = farm.run_in("certManager", "apply");
    assert_eq!(said.code(), 0, "{}", said.stderr);
    wait_for_cert_manager(&farm);
    assert_kept(&farm, &first);

    // It is cert-manager's now: what is missing is issued by the authority that kubefarm made.
    farm.site
        .kubectl("delete secret kubefarm-kubernetes-pki-admin-client")
        .success();
    wait_until_issued(&farm, "admin-client");
    let second = settled(&farm);
    assert_ne!(second["admin-client"], first["admin-client"]);
    assert_eq!(second["admin-client"]["ca.crt"], first["ca"]["tls.crt"]);

    let said = farm.run_in("builtin", "apply");
    assert_eq!(said.code(), 0, "{}", said.stderr);
    assert_kept(&farm, &second);
}

/// The steps that docs/certificates.md has for a farm of cert-manager.
#[test]
fn kubefarm_replaces_an_authority_of_cert_manager() {
    let Some(farm) = farm("rotated") else {
        return;
    };
    farm.run_in("certManager", "apply").success();
    wait_for_cert_manager(&farm);
    let first = settled(&farm);
    for authority in ["ca", "sa"] {
        for step in ["trust", "reissue", "drop"] {
            let rotate = format!("pki rotate-ca {authority} --step {step}");
            farm.run(&rotate).success();
            if step == "drop" {
                continue;
            }
            // cert-manager would take half of it for all of it.
            let before = farm.data();
            let refused = farm.run_in("certManager", "apply");
            assert_eq!(refused.code(), 1, "{}", refused.stderr);
            let part = format!("pki-{authority}-previous: the rotation");
            assert!(refused.stderr.contains(&part), "{}", refused.stderr);
            assert_eq!(farm.data(), before);
        }
    }
    let rotated = farm.data();
    assert_eq!(rotated.len(), first.len());
    for changed in ["ca", "sa", "admin-client", "apiserver-server"] {
        assert_ne!(rotated[changed], first[changed], "{changed}");
    }
    assert_eq!(rotated["etcd-ca"], first["etcd-ca"]);

    farm.run_in("certManager", "apply").success();
    wait_for_cert_manager(&farm);
    assert_kept(&farm, &rotated);
    // The new authority is the one that it signs with.
    farm.site
        .kubectl("delete secret kubefarm-kubernetes-pki-admin-client")
        .success();
    wait_until_issued(&farm, "admin-client");
    let issued = settled(&farm);
    assert_ne!(issued["admin-client"], rotated["admin-client"]);
    assert_eq!(issued["admin-client"]["ca.crt"], rotated["ca"]["tls.crt"]);
}

#[track_caller]
fn wait_until_issued(farm: &Farm, name: &str) {
    let cluster = farm.site.cluster;
    cluster.wait_until("cert-manager issues it anew", || {
        farm.secrets().contains_key(name)
    });
    wait_for_cert_manager(farm);
}

#[test]
fn secrets_that_would_go_with_their_certificates_are_not_taken() {
    let Some(farm) = farm("tied") else {
        return;
    };
    farm.run_in("certManager", "apply").success();
    wait_for_cert_manager(&farm);
    let name = "kubefarm-kubernetes-pki-ca";
    // As cert-manager's --enable-certificate-owner-ref has it.
    let certificate = farm.site.get(&format!("certificate {name}"));
    let owner = serde_json::json!({ "metadata": { "ownerReferences": [{
        "apiVersion": "cert-manager.io/v1",
        "kind": "Certificate",
        "name": name,
        "uid": certificate["metadata"]["uid"],
        "controller": true,
        "blockOwnerDeletion": true,
    }]}});
    let namespace = &farm.site.namespace;
    let owner = owner.to_string();
    let patch = [
        "patch",
        "secret",
        name,
        "-n",
        namespace,
        "--type=merge",
        "-p",
        &owner,
    ];
    farm.site.cluster.kubectl(&patch).success();
    let before = farm.data();
    let said = farm.run_in("builtin", "apply");
    assert_eq!(said.code(), 1);
    let part = format!("the Secret {name} is owned by its Certificate");
    assert!(said.stderr.contains(&part), "{}", said.stderr);
    assert_eq!(farm.data(), before);
    assert!(farm.site.has("certificates"));
}
