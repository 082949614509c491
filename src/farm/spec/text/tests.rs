//! Each type's rule and its pattern take the same texts.

use serde_json::json;

use super::*;
use crate::farm::syntax::HostAddress;

/// What is wrong with a type, if it or its pattern does not take the texts before the bar, or takes one behind it.
fn check<T: Text>(texts: &[&str]) {
    let pattern = format!("^(?:{})$", T::pattern());
    let validator = jsonschema::draft202012::new(&json!({"pattern": pattern})).expect("a schema");
    let bar = texts.iter().position(|text| *text == "|").expect("a bar");
    for (index, text) in texts.iter().enumerate().filter(|(index, _)| *index != bar) {
        let is_fine = index < bar;
        let parsed = T::parse((*text).to_owned());
        assert_eq!(parsed.is_ok(), is_fine, "{pattern} parses {text:?}");
        assert_eq!(
            validator.is_valid(&json!(text)),
            is_fine,
            "{pattern} fits {text:?}"
        );
    }
    let example = T::EXAMPLE.to_owned();
    assert!(example.is_empty() || T::parse(example).is_ok());
}

#[test]
fn rules_and_patterns_agree() {
    check::<LabelKey>(&[
        "a",
        "example.org/a_b.c",
        "|",
        "",
        "-a",
        "a/b/c",
        "Example.org/a",
        "/a",
        "a/",
    ]);
    check::<LabelValue>(&["", "a", "a_b.C", "|", "a=", "a,b", "-", "a "]);
    check::<TaintKey>(&["example.org/dedicated", "|", "dedicated to", ""]);
    check::<TaintValue>(&["", "storage", "|", "a=b"]);
    check::<Address>(&[
        "10.0.0.1",
        "fd00::1",
        "::",
        "|",
        "10.0.0",
        "10.0.0.256",
        "a",
        "[fd00::1]",
        "",
    ]);
    check::<Network>(&[
        "10.0.0.0/16",
        " fd00::/64 ",
        "|",
        "10.0.0.1",
        "10.0.0.0/33",
        "fd00::/129",
    ]);
    check::<Endpoint>(&[
        "a.example",
        "a.example:6443",
        "[fd00::1]:6443",
        "10.0.0.1:1",
        "|",
        "https://a",
        "fd00::1",
        "a:http",
        "",
    ]);
    check::<DnsDomain>(&["cluster.local", "|", "Cluster.local", "a_b", ""]);
    check::<CertificateName>(&[
        "*.a.example",
        "a",
        "10.0.0.1",
        "fd00::1",
        "|",
        "a_b",
        "*a",
        "",
    ]);
    check::<LoadBalancerClass>(&["metallb.io/internal", "a", "|", "not a class"]);
    check::<VolumeSize>(&[
        "10Gi", "1e9", ".5G", "500M", "|", "8GB", "big", "100 Mi", "",
    ]);
    check::<GoDuration>(&["24h0m0s", "1.5h", "0", "|", "1d", "1", "", "-1h"]);
    check::<Schedule>(&[
        "H */6 * * *",
        "@daily",
        "@every 6h",
        "0 0 1 jan sun",
        "|",
        "0 0 * *",
        "99 * * * *",
        "0 H * * *",
    ]);
    check::<DiskLabel>(&[
        "kubefarm",
        "a.b_c-1",
        "1234567890123456",
        "|",
        "",
        "12345678901234567",
        "a b",
        "a/b",
    ]);
    check::<DiskName>(&[
        "by-path/pci-0000:3b:00.0-nvme-1",
        "by-id/nvme-*",
        "by-id/ata-?",
        "|",
        "/dev/sda",
        "sda",
        "by-id/",
        "by-/a",
        "by-id/a b",
        "by-id/$a",
        "by-id/a/b",
        "",
    ]);
    check::<JournalSize>(&["64M", "1048576", "2T", "|", "64Mi", "M", "", "-1", "1.5G"]);
    check::<AccessMode>(&["ReadWriteOnce", "|", "RWO", ""]);
    check::<Mac>(&[
        "02:00:ac:10:00:0A",
        "02:00:*:*:*:*",
        "06-02:00:ac:10:00:0a",
        "|",
        "02-00-ac-10-00-0a",
        "02:00",
        "",
    ]);
    check::<HostName>(&[
        "node1",
        "n.example",
        "|",
        "localhost",
        "ignore",
        "12h",
        "10.0.0.1",
        "a_b",
        "",
    ]);
    check::<HostAddress>(&[
        "10.0.0.1",
        "fd00::11",
        "[fd00::11]",
        "[fd00::50/124]",
        "|",
        "10.0.0.0/24",
        "[fd00::11",
        "",
    ]);
    check::<ClientId>(&["01:02", "abc", "|", "a,b", ""]);
    check::<LeaseTime>(&[
        "12h",
        "3600",
        "infinite",
        "|",
        "deprecated",
        "1.5h",
        "forever",
        "",
    ]);
    check::<DhcpRange>(&[
        "10.0.0.0,static",
        "tag:a,fd00::1,fd00::9,64",
        "|",
        "10.0.0.0",
        "10.0.0.0/16",
    ]);
    check::<ImageName>(&[
        "registry.k8s.io/etcd",
        "localhost/a",
        "[fd00::1]:5000/a",
        "a/b_c-d.e",
        "|",
        "https://registry.k8s.io/etcd",
        "Etcd",
        "a:v1",
        "a/",
        "",
    ]);
    check::<ImageTag>(&["v1.37.2_farm.1", "3.7.1-0", "|", "-a", "1.37 ", "a+b", ""]);
    check::<ImageDigest>(&["|", "sha256:12", ""]);
    check::<PriorityClass>(&["system-cluster-critical", "a.b", "|", "Farm", "a_b", ""]);
    check::<TopologyKey>(&["topology.kubernetes.io/zone", "zone", "|", "a b", ""]);
    check::<Tag>(&["a", "A-b_c.1", "|", "-a", "a b", ""]);
    check::<FileName>(&["a", ".a", "a-b.yaml", "|", ".", "..a", "a/b", ""]);
}

#[test]
fn ltsp_calls_a_machine_by_its_mac_alone() {
    for (written, called) in [
        ("02:00:AC:10:00:0a", "02:00:ac:10:00:0a"),
        ("06-02:00:ac:10:00:0A", "02:00:ac:10:00:0a"),
    ] {
        let mac = Mac::parse(written.to_owned()).ok();
        assert_eq!(mac.map(|mac| mac.ltsp_name()).as_deref(), Some(called));
    }
}
