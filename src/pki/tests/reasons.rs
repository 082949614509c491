//! Every reason to issue a certificate, and that nothing else is touched by it.

use super::*;
use crate::farm::spec::KeyKind;
use crate::pki::Flaw;

#[test]
fn nothing_there_makes_everything_once() {
    let pki = pki("");
    let first = completed(&pki, &Store::new(), 0);
    assert_eq!(first.issued.len(), pki.certificates.len());
    let missing = |change: &Change| *change == Change::Issued(Reason::Missing);
    assert!(first.issued.iter().all(|one| missing(&one.change)));

    let found = store(&first);
    let again = completed(&pki, &found, 3600);
    assert!(changes(&again).is_empty());
    assert_eq!(store(&again), found);
}

#[test]
fn one_that_is_missing_is_issued() {
    let pki = pki("");
    let mut found = made(&pki);
    found.remove(&secret("admin-client"));
    let completed = completed(&pki, &found, 60);
    assert_eq!(only(&completed), ("admin-client", Reason::Missing));
}

#[test]
fn one_that_is_damaged_is_issued() {
    let pki = pki("");
    let found = made(&pki);
    let found = change(&found, "etcd-peer", |it| it.key.clear());
    let completed = completed(&pki, &found, 60);
    let reason = Reason::Damaged(Flaw::Missing("tls.key"));
    assert_eq!(only(&completed), ("etcd-peer", reason));
}

#[test]
fn one_whose_subject_changed_is_issued() {
    let before = pki("");
    let mut after = before.clone();
    let wanted = after.certificates.iter_mut();
    let mut wanted = wanted.filter(|one| one.short == "scheduler-client");
    wanted.next().expect("it").common_name = "system:other".to_owned();
    let done = completed(&after, &made(&before), 60);
    assert_eq!(only(&done), ("scheduler-client", Reason::Subject));

    let mut after = before.clone();
    let wanted = after.certificates.iter_mut();
    let mut wanted = wanted.filter(|one| one.short == "admin-client");
    wanted.next().expect("it").organizations = None;
    let done = completed(&after, &made(&before), 60);
    assert_eq!(only(&done), ("admin-client", Reason::Subject));
}

#[test]
fn one_whose_names_or_addresses_changed_is_issued() {
    let found = made(&pki(""));
    for sans in ["dnsNames: [api.example.org]", "ipAddresses: [10.9.8.7]"] {
        let after = pki(&format!(
            "kubernetes: {{apiServer: {{certSANs: {{{sans}}}}}}}"
        ));
        let with = completed(&after, &found, 60);
        assert_eq!(only(&with), ("apiserver-server", Reason::Names), "{sans}");
        let without = completed(&pki(""), &store(&with), 60);
        assert_eq!(
            only(&without),
            ("apiserver-server", Reason::Names),
            "{sans}"
        );
    }
}

#[test]
fn the_order_of_names_means_nothing() {
    let sans = |names: &str| {
        let values = format!("kubernetes: {{apiServer: {{certSANs: {{dnsNames: [{names}]}}}}}}");
        pki(&values)
    };
    let found = made(&sans("a.example, b.example"));
    let completed = completed(&sans("b.example, a.example"), &found, 60);
    assert!(changes(&completed).is_empty());
}

#[test]
fn one_whose_usages_changed_is_issued() {
    let before = pki("");
    let mut after = before.clone();
    let wanted = after.certificates.iter_mut();
    let mut wanted = wanted.filter(|one| one.short == "etcd-server");
    wanted
        .next()
        .expect("it")
        .usages
        .retain(|usage| *usage != "client auth");
    let completed = completed(&after, &made(&before), 60);
    assert_eq!(only(&completed), ("etcd-server", Reason::Usages));
}

#[test]
fn other_keys_reissue_the_leaves_and_keep_the_authorities() {
    let found = made(&pki(""));
    let after = pki("pki: {algorithm: ECDSA, size: 384}");
    let completed = completed(&after, &found, 60);
    let changed = changes(&completed);
    for wanted in &after.certificates {
        let follows = !wanted.is_ca && !wanted.boots;
        let reason = follows.then_some(&Change::Issued(Reason::Algorithm));
        let name = wanted.short.as_str();
        assert_eq!(changed.get(name), reason, "{name}");
    }
}

#[test]
fn one_by_another_authority_is_issued() {
    let pki = pki("");
    let other = made(&pki);
    let strange = other[&secret("front-proxy-client")].clone();
    let found = change(&made(&pki), "front-proxy-client", |it| *it = strange);
    let completed = completed(&pki, &found, 60);
    assert_eq!(only(&completed), ("front-proxy-client", Reason::Authority));
}

#[test]
fn one_that_was_asked_for_is_issued_with_another_key() {
    let pki = pki("");
    let found = made(&pki);
    let intent = renewing(&["admin-client"]);
    let completed = complete(&pki, &found, Some(after(60)), &intent).expect("completed");
    assert_eq!(only(&completed), ("admin-client", Reason::Requested));
    let admin = secret("admin-client");
    assert_ne!(store(&completed)[&admin].key, found[&admin].key);
}

#[test]
fn without_a_time_nothing_is_issued_and_all_of_it_is_said() {
    let pki = pki("");
    let found = made(&pki);
    let kept = complete(&pki, &found, None, &Intent::default()).expect("completed");
    assert!(changes(&kept).is_empty());

    let mut found = found;
    found.remove(&secret("admin-client"));
    let found = change(&found, "etcd-peer", |it| it.certificate.clear());
    let errors = complete(&pki, &found, None, &Intent::default()).expect_err("refused");
    let said: Vec<String> = errors.iter().map(PkiError::to_string).collect();
    assert_eq!(
        said,
        [
            "etcd-peer must be issued: tls.crt is missing",
            "admin-client must be issued: it is missing",
        ]
    );
}

#[test]
fn names_that_are_no_certificates_are_refused() {
    let pki = pki("");
    let said = refused(&pki, &made(&pki), 60, &renewing(&["apiserver"]));
    assert!(
        said.contains("there is no certificate apiserver; choose one of etcd-ca,"),
        "{said}"
    );
    let said = refused(
        &pki,
        &made(&pki),
        60,
        &stepping("admin-client", Step::Trust),
    );
    assert!(
        said.ends_with("choose one of etcd-ca, ca, sa, front-proxy-ca"),
        "{said}"
    );
}

/// Machines know the key: it outlives certificates and authorities.
#[test]
fn the_key_of_the_configuration_stays_until_another_is_requested() {
    let pki = pki("");
    let first = made(&pki);
    let of = |found: &Store| found[&secret(CONFIGURATION)].clone();
    let material = of(&first);
    let (certificate, _) = material.pair().expect("a pair");
    assert_eq!(certificate.key_kind, Some(KeyKind::Ed25519));
    assert!(certificate.is_signed_by(&certificate) && !certificate.is_ca);
    assert_eq!(material.authorities, material.certificate);
    // As OpenSSL 3.0 reads it: version 1, which has nothing behind the seed.
    assert_eq!(material.key.lines().nth(1).expect("PEM").len(), 64);

    let mut other = pki.clone();
    let wanted = other.certificates.iter_mut();
    let mut wanted = wanted.filter(|one| one.short == "configuration");
    wanted.next().expect("it").common_name = "other".to_owned();
    let done = completed(&other, &first, 60);
    assert_eq!(only(&done), ("configuration", Reason::Subject));
    let again = of(&store(&done));
    assert_eq!(again.key, material.key);
    assert_ne!(again.certificate, material.certificate);

    let intent = renewing(&["configuration"]);
    let done = complete(&pki, &first, Some(after(60)), &intent).expect("completed");
    assert_eq!(only(&done), ("configuration", Reason::Requested));
    assert_ne!(of(&store(&done)).key, material.key);
}
