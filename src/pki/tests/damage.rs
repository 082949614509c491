//! Secrets that somebody damaged: leaves are made anew, authorities never are.

use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair, KeyUsagePurpose};
use zeroize::Zeroizing;

use super::*;

/// A change of a Secret, and what is then said of it.
type Damage = (&'static str, fn(&mut Material), &'static str);

const DAMAGES: [Damage; 10] = [
    (
        "no certificate",
        |it| it.certificate.clear(),
        "tls.crt is missing",
    ),
    (
        "blank certificate",
        |it| it.certificate = " \n".to_owned(),
        "tls.crt is missing",
    ),
    ("no key", |it| it.key.clear(), "tls.key is missing"),
    (
        "truncated certificate",
        |it| it.certificate = truncated(&it.certificate),
        "tls.crt is not a certificate",
    ),
    (
        "truncated key",
        |it| *it.key = truncated(&it.key),
        "tls.key is not a private key that can be used",
    ),
    (
        "text",
        |it| it.certificate = "see the wiki".to_owned(),
        "there is no PEM block CERTIFICATE",
    ),
    (
        "key in place of the certificate",
        |it| it.certificate = it.key.to_string(),
        "there is no PEM block CERTIFICATE",
    ),
    (
        "certificate in place of the key",
        |it| *it.key = it.certificate.clone(),
        "tls.key is not a private key",
    ),
    (
        "another key",
        |it| *it.key = KeyPair::generate().expect("a key").serialize_pem(),
        "tls.key is not the key of tls.crt",
    ),
    (
        "noise in the certificate",
        |it| it.certificate = it.certificate.replacen("MII", "AAA", 1),
        "tls.crt is not a certificate",
    ),
];

#[test]
fn a_damaged_leaf_is_issued_anew_and_the_reason_is_said() {
    let pki = pki("");
    let found = made(&pki);
    for (what, damage, expected) in DAMAGES {
        let damaged = change(&found, "admin-client", damage);
        let completed = completed(&pki, &damaged, 60);
        let (name, reason) = only(&completed);
        assert_eq!(name, "admin-client", "{what}");
        assert!(reason.to_string().contains(expected), "{what}: {reason}");
        assert!(matches!(reason, Reason::Damaged(_)), "{what}: {reason:?}");
        assert!(store(&completed)[&secret("admin-client")].pair().is_ok());
    }
}

#[test]
fn a_damaged_authority_is_refused_and_nothing_is_made() {
    let pki = pki("");
    let found = made(&pki);
    for authority in ["etcd-ca", "ca", "sa", "front-proxy-ca"] {
        for (what, damage, expected) in DAMAGES {
            let damaged = change(&found, authority, damage);
            for intent in [
                Intent::default(),
                renewing(&[authority]),
                stepping(authority, Step::Trust),
            ] {
                let said = refused(&pki, &damaged, 60, &intent);
                let start = format!(
                    "the certificate authority {} cannot be used: ",
                    secret(authority)
                );
                assert!(
                    said.starts_with(&start) && said.contains(expected),
                    "{what}: {said}"
                );
                assert_eq!(said.lines().count(), 1, "{what}: {said}");
            }
        }
    }
}

#[test]
fn what_is_trusted_is_put_right_without_a_new_certificate() {
    let pki = pki("");
    let found = made(&pki);
    for text in [
        "",
        "no certificate",
        found[&secret("etcd-ca")].certificate.as_str(),
    ] {
        for name in ["ca", "admin-client"] {
            let damaged = change(&found, name, |it| it.authorities = text.to_owned());
            let completed = completed(&pki, &damaged, 60);
            assert_eq!(changes(&completed), [(name, Change::Trust)].into());
            assert_eq!(store(&completed), found);
        }
    }
}

/// A certificate that signed itself, and says this of what it is for.
fn self_signed(is_ca: IsCa, usages: &[KeyUsagePurpose]) -> Material {
    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::default();
    params.is_ca = is_ca;
    params.key_usages = usages.to_vec();
    let certificate = params.self_signed(&key).expect("a certificate").pem();
    Material {
        authorities: certificate.clone(),
        certificate,
        key: Zeroizing::new(key.serialize_pem()),
    }
}

#[test]
fn an_authority_that_may_not_sign_is_refused() {
    let pki = pki("");
    let cases = [
        (
            IsCa::NoCa,
            KeyUsagePurpose::KeyCertSign,
            "its basic constraints say so",
        ),
        (
            IsCa::ExplicitNoCa,
            KeyUsagePurpose::KeyCertSign,
            "its basic constraints say so",
        ),
        (
            IsCa::Ca(BasicConstraints::Unconstrained),
            KeyUsagePurpose::DigitalSignature,
            "its key usages lack cert sign",
        ),
    ];
    for (is_ca, usage, reason) in cases {
        let no_authority = self_signed(is_ca, &[usage]);
        let mut found = made(&pki);
        found.insert(secret("front-proxy-ca"), no_authority);
        let said = refused(&pki, &found, 60, &Intent::default());
        assert!(
            said.contains("front-proxy-ca cannot be used: it is not a certificate authority"),
            "{said}"
        );
        assert!(said.ends_with(reason), "{said}");
    }
}

#[test]
fn every_authority_that_is_no_good_is_said_at_once() {
    let pki = pki("");
    let found = change(&made(&pki), "ca", |it| it.key.clear());
    let found = change(&found, "sa", |it| it.certificate.clear());
    let mut found = found;
    found.remove(&secret("etcd-ca"));
    let said = refused(&pki, &found, 60, &Intent::default());
    assert_eq!(said.lines().count(), 3, "{said}");
    let gone = format!(
        "the certificate authority {} is missing, and it signed {}",
        secret("etcd-ca"),
        secret("etcd-peer")
    );
    assert!(said.contains(&gone), "{said}");
}

#[test]
fn an_authority_is_made_only_while_nothing_depends_on_it() {
    let pki = pki("");
    for authority in pki.certificates.iter().filter(|one| one.is_ca) {
        let mut found = made(&pki);
        found.remove(&authority.secret_name);
        let said = refused(&pki, &found, 60, &Intent::default());
        assert!(said.contains(" is missing, and "), "{said}");
        // As an apply leaves it that was killed before the first leaf.
        let is_authority = |name: &str| {
            pki.certificates
                .iter()
                .any(|one| one.is_ca && one.secret_name == name)
        };
        found.retain(|name, _| is_authority(name));
        let completed = completed(&pki, &found, 60);
        let now = store(&completed);
        assert!(found.iter().all(|(name, material)| now[name] == *material));
        assert_eq!(
            changes(&completed).get(authority.short.as_str()),
            Some(&Change::Issued(Reason::Missing))
        );
    }
}

#[test]
fn bytes_of_what_is_good_are_kept_however_they_are_written() {
    let pki = pki("");
    let found = made(&pki);
    let with_dos_lines = |it: &mut Material| {
        it.certificate = it.certificate.replace("\r\n", "\n").replace('\n', "\r\n");
        it.authorities = format!("\n\n{}", it.authorities);
    };
    let with_notes = |it: &mut Material| {
        it.certificate = format!("subject=admin\n{}\n# end\n", it.certificate);
        it.key = Zeroizing::new(format!("{}\n\n", it.key.as_str()));
    };
    for name in ["ca", "sa", "admin-client"] {
        for edit in [&with_dos_lines as &dyn Fn(&mut Material), &with_notes] {
            let written = change(&found, name, edit);
            let completed = completed(&pki, &written, 60);
            assert_eq!(
                store(&completed)[&secret(name)],
                written[&secret(name)],
                "{name}"
            );
            let others = changes(&completed);
            assert!(!others.contains_key(name), "{others:?}");
            assert!(
                others.values().all(|change| *change == Change::Trust),
                "{others:?}"
            );
        }
    }
}
