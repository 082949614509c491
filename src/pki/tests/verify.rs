//! Whatever a farm is called and whatever names it is to serve: each certificate is good for them by webpki, as rustls
//! has it, and for nothing else.

use std::net::IpAddr;
use std::time::Duration;

use proptest::prelude::*;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use serde_json::json;
use webpki::{ALL_VERIFICATION_ALGS, EndEntityCert, Error, KeyUsage, anchor_from_trusted_cert};
use x509_parser::pem::Pem;

use super::*;
use crate::farm::certificates::Certificate as Wanted;
use crate::pki::Certificate;

fn der(pem: &str) -> CertificateDer<'static> {
    let block = Pem::iter_from_buffer(pem.as_bytes()).next();
    let block = block.expect("a block").expect("PEM");
    CertificateDer::from(block.contents)
}

/// What a farm has, as its clients and servers see it.
struct Issuance {
    pki: Pki,
    found: Store,
}

impl Issuance {
    fn of(pki: Pki) -> Issuance {
        let found = made(&pki);
        Issuance { pki, found }
    }

    /// Whether a certificate is good for a purpose by an authority, a minute after it was made.
    fn verify(&self, leaf: &Wanted, authority: &Wanted, usage: KeyUsage) -> Result<(), Error> {
        let trusted = der(&self.found[&authority.secret_name].certificate);
        let anchors = [anchor_from_trusted_cert(&trusted)?];
        let certificate = der(&self.found[&leaf.secret_name].certificate);
        let time = UnixTime::since_unix_epoch(Duration::from_secs(START.unsigned_abs() + 60));
        EndEntityCert::try_from(&certificate)?
            .verify_for_usage(
                ALL_VERIFICATION_ALGS,
                &anchors,
                &[],
                time,
                usage,
                None,
                None,
            )
            .map(drop)
    }

    fn serves(&self, leaf: &Wanted, name: &str) -> Result<(), Error> {
        let certificate = der(&self.found[&leaf.secret_name].certificate);
        let server = ServerName::try_from(name.to_owned()).expect("a name");
        let result =
            EndEntityCert::try_from(&certificate)?.verify_is_valid_for_subject_name(&server);
        // Our own reading of the names says the same.
        let text = &self.found[&leaf.secret_name].certificate;
        let own = Certificate::parse(text).expect("a certificate");
        assert_eq!(own.serves(name), result.is_ok(), "{} {name}", leaf.short);
        result
    }

    /// Checks each certificate for what it is for, and what it is not for.
    fn check(&self) -> Result<(), TestCaseError> {
        let authorities = || self.pki.certificates.iter().filter(|one| one.is_ca);
        let leaves = self.pki.certificates.iter();
        for leaf in leaves.filter(|one| !one.is_ca && !one.boots) {
            let own = self.pki.authority_of(leaf).expect("an authority");
            let purposes = [
                ("server auth", KeyUsage::server_auth()),
                ("client auth", KeyUsage::client_auth()),
            ];
            for (purpose, usage) in purposes {
                let result = self.verify(leaf, own, usage);
                let is_for = leaf.usages.contains(&purpose);
                prop_assert_eq!(
                    result.is_ok(),
                    is_for,
                    "{} {}: {:?}",
                    leaf.short,
                    purpose,
                    result
                );
                for other in authorities().filter(|other| other.short != own.short) {
                    let result = self.verify(leaf, other, usage);
                    prop_assert!(result.is_err(), "{} by {}", leaf.short, other.short);
                }
            }
            self.check_names(leaf)?;
        }
        for authority in authorities() {
            let result = self.verify(authority, authority, KeyUsage::client_auth());
            let refused = matches!(result, Err(Error::CaUsedAsEndEntity));
            prop_assert!(refused, "{} {result:?}", authority.short);
        }
        Ok(())
    }

    fn check_names(&self, leaf: &Wanted) -> Result<(), TestCaseError> {
        for name in leaf.dns_names.iter().flatten() {
            // A wildcard below one label means something to Go only, of which etcd and its clients are.
            let is_for_go = name.starts_with("*.") && name.matches('.').count() == 1;
            if is_for_go {
                continue;
            }
            let name = name.replacen('*', "pod-0", 1);
            let result = self.serves(leaf, &name);
            prop_assert!(result.is_ok(), "{} {name}: {result:?}", leaf.short);
            let deeper = format!("other.{name}");
            let strange = [
                format!("x{name}"),
                format!("{name}.example.org"),
                deeper.clone(),
            ];
            let wanted: Vec<&String> = leaf.dns_names.iter().flatten().collect();
            let wildcard = |name: &str| {
                let parent = name
                    .split_once('.')
                    .map(|(_, parent)| format!("*.{parent}"));
                parent.is_some_and(|parent| wanted.contains(&&parent))
            };
            for strange in strange
                .iter()
                .filter(|name| !wanted.contains(name) && !wildcard(name))
            {
                prop_assert!(
                    self.serves(leaf, strange).is_err(),
                    "{} {strange}",
                    leaf.short
                );
            }
        }
        for address in leaf.ip_addresses.iter().flatten() {
            let result = self.serves(leaf, address);
            prop_assert!(result.is_ok(), "{} {address}: {result:?}", leaf.short);
        }
        for strange in ["203.0.113.99", "2001:db8:ffff::99", "strange.example"] {
            prop_assert!(
                self.serves(leaf, strange).is_err(),
                "{} {strange}",
                leaf.short
            );
        }
        Ok(())
    }

    fn names_of(&self, short: &str) -> &Wanted {
        let mut all = self.pki.certificates.iter();
        all.find(|one| one.short == short).expect("a certificate")
    }
}

/// A label of a DNS name.
fn label() -> impl Strategy<Value = String> {
    "[a-z]([-a-z0-9]{0,14}[a-z0-9])?"
}

fn domain() -> impl Strategy<Value = String> {
    proptest::collection::vec(label(), 1..5).prop_map(|labels| labels.join("."))
}

/// A DNS name as people write it into certSANs.
fn san() -> impl Strategy<Value = String> {
    prop_oneof![3 => domain(), 1 => (label(), domain()).prop_map(|(name, rest)| format!("*.{name}.{rest}"))]
}

/// None of the addresses that no certificate here may have.
fn address() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<[u8; 3]>().prop_map(|[a, b, c]| format!("10.{a}.{b}.{c}")),
        any::<u64>().prop_map(|low| format!(
            "fd00::{:x}:{:x}:{:x}",
            low >> 48,
            low >> 16 & 0xffff,
            low & 0xffff
        )),
    ]
}

/// One of those that is in no range of Services or pods here.
fn balancer() -> impl Strategy<Value = String> {
    address().prop_filter("in no range", |address| {
        let second = address.split('.').nth(1).map(|octet| octet.parse());
        !matches!(second, Some(Ok(96u8..=111 | 244)))
    })
}

fn sans() -> impl Strategy<Value = serde_json::Value> {
    let dns = proptest::collection::vec(san(), 0..6);
    let addresses = proptest::collection::vec(address(), 0..6);
    (dns, addresses)
        .prop_map(|(dns, addresses)| json!({ "dnsNames": dns, "ipAddresses": addresses }))
}

fn subnets() -> impl Strategy<Value = &'static str> {
    let subnets = [
        "10.96.0.0/12",
        "172.16.0.0/16",
        "fd00:10::/112",
        "10.96.0.0/16,fd00:10::/108",
    ];
    proptest::sample::select(subnets.to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_certificate_is_good_for_what_it_serves_and_nothing_else(
        name in "[a-z]([-a-z0-9]{0,15}[a-z0-9])?",
        namespace in label(),
        domain in domain(),
        api in sans(),
        etcd in sans(),
        subnet in subnets(),
        endpoint in prop_oneof![san().prop_filter("a host", |name| !name.starts_with('*')), address()],
        balancer in balancer(),
    ) {
        let host = match endpoint.parse::<IpAddr>() {
            Ok(IpAddr::V6(address)) => format!("[{address}]:6443"),
            _ => format!("{endpoint}:6443"),
        };
        let subnets: Vec<&str> = subnet.split(',').collect();
        let pods = ["10.244.0.0/16", "fd00:20::/56"].map(|pods| (pods.contains(':'), pods));
        let pods: Vec<&str> = subnets.iter().map(|of| pods.iter().find(|(is_six, _)| *is_six == of.contains(':')).expect("one").1).collect();
        let values = json!({ "kubernetes": {
            "controlPlaneEndpoint": host,
            "networking": { "dnsDomain": domain, "serviceSubnet": subnets.join(","), "podSubnet": pods.join(",") },
            // Whatever families these addresses are of.
            "apiServer": {
                "certSANs": api,
                "extraArgs": { "endpoint-reconciler-type": "none" },
                "service": { "type": "LoadBalancer", "loadBalancerIP": balancer },
            },
            "etcd": { "certSANs": etcd },
            "konnectivityServer": { "enabled": true, "mode": "HTTPConnect", "service": { "loadBalancerIP": "10.0.0.9" } },
            "konnectivityAgent": { "enabled": true },
        }});
        let values = values.as_object().expect("a map");
        let values: Vec<String> = values.iter().map(|(key, value)| format!("{key}: {value}")).collect();
        let issuance = Issuance::of(pki_of(&name, &namespace, &values.join("\n")));
        issuance.check()?;

        // What was asked for is among what each has to serve.
        let server = issuance.names_of("apiserver-server");
        let service = format!("{name}-kubernetes-apiserver.{namespace}.svc");
        let inside = format!("kubernetes.default.svc.{domain}");
        let mut expected = vec![service, inside, endpoint, balancer, "localhost".to_owned()];
        let given = api["dnsNames"].as_array().into_iter().chain(api["ipAddresses"].as_array()).flatten();
        expected.extend(given.map(|name| name.as_str().expect("text").to_owned()));
        for one in expected {
            let result = issuance.serves(server, &one.replacen('*', "any", 1));
            prop_assert!(result.is_ok(), "{one}: {result:?}");
        }
    }
}

#[test]
fn somebody_may_be_in_many_groups() {
    let mut pki = pki("");
    // Some as text that ASN.1's oldest alphabet lacks, and so many that lengths take three bytes.
    let groups: Vec<&'static str> = (0..300)
        .map(|number| &*Box::leak(format!("group:{number}@ö").into_boxed_str()))
        .chain(["ops", "a/b c"])
        .collect();
    let wanted = pki.certificates.iter_mut();
    let mut wanted = wanted.filter(|one| one.short == "admin-client");
    wanted.next().expect("it").organizations = Some(groups.clone());
    let issuance = Issuance::of(pki);
    issuance.check().expect("it is good");
    let material = &issuance.found[&secret("admin-client")];
    let mut found = material.pair().expect("a pair").0.organizations;
    let mut groups: Vec<String> = groups.into_iter().map(str::to_owned).collect();
    found.sort();
    groups.sort();
    assert_eq!(found, groups);
    assert!(changes(&completed(&issuance.pki, &issuance.found, 60)).is_empty());
}

#[test]
fn keys_of_every_kind_make_certificates_that_are_good() {
    for kind in ["ECDSA, size: 384", "ECDSA, size: 521", "RSA, size: 2048"] {
        let values = format!("pki: {{algorithm: {kind}}}");
        let issuance = Issuance::of(pki(&values));
        issuance
            .check()
            .unwrap_or_else(|error| panic!("{kind}: {error}"));
    }
}
