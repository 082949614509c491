use std::collections::HashSet;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;

use super::authorities::Authorities;
use super::join_token::{JoinToken, Token, file};

fn wanted() -> JoinToken {
    JoinToken {
        authorities: "ca.crt".into(),
        endpoint: "farm-apiserver:6443".to_owned(),
        namespace: "farm".to_owned(),
        secret_namespace: "boot".to_owned(),
        service: "farm-apiserver".to_owned(),
        secret: "farm-join-config".to_owned(),
        ttl: Duration::from_secs(3600),
    }
}

#[test]
fn tokens_are_as_kubernetes_reads_them_and_never_the_same() {
    let mut seen = HashSet::new();
    for _ in 0..100 {
        let token = Token::new().expect("a token");
        let text = format!("{}.{}", token.id, *token.secret);
        assert_eq!((token.id.len(), token.secret.len()), (6, 16));
        let letters = text.replace('.', "");
        let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        assert!(letters.bytes().all(is_letter), "{text}");
        assert!(seen.insert(text));
    }
}

#[test]
fn a_token_ends_by_itself_unless_it_has_no_end() {
    let now: Timestamp = "2026-01-01T00:00:00.5Z".parse().expect("a time");
    let token = Token::new().expect("a token");
    let secret = |ttl| token.secret(now, ttl);
    let hour = secret(Duration::from_secs(3600)).expect("a Secret");
    assert_eq!(hour["stringData"]["expiration"], "2026-01-01T01:00:00Z");
    assert_eq!(hour["type"], "bootstrap.kubernetes.io/token");
    let endless = secret(Duration::ZERO).expect("a Secret");
    assert_eq!(endless["stringData"].get("expiration"), None);
    assert!(secret(Duration::MAX).is_err());
}

#[test]
fn the_nodes_file_has_every_authority_and_the_address_where_it_is_needed() {
    let token = Token {
        id: "abcdef".to_owned(),
        secret: "0123456789abcdef".to_owned().into(),
    };
    let pins = ["sha256:aa".to_owned(), "sha256:bb".to_owned()];
    assert_eq!(
        file(&wanted(), &token, &pins, Some("10.64.0.10 farm-apiserver")),
        "HOSTS_KUBERNETES='10.64.0.10 farm-apiserver'\n\
         JOIN_COMMAND='kubeadm join farm-apiserver:6443 --token abcdef.0123456789abcdef \
         --discovery-token-ca-cert-hash sha256:aa --discovery-token-ca-cert-hash sha256:bb'\n"
    );
    let without = file(&wanted(), &token, &pins[..1], None);
    assert!(
        without.starts_with("JOIN_COMMAND='kubeadm join "),
        "{without}"
    );
}

#[test]
fn only_certificate_authorities_are_made_public() {
    let key = rcgen::KeyPair::generate().expect("a key");
    let mut parameters =
        rcgen::CertificateParams::new(vec!["a.example".to_owned()]).expect("a name");
    let leaf = parameters.self_signed(&key).expect("signed").pem();
    parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority = parameters.self_signed(&key).expect("signed").pem();
    let read = |text: String| Authorities::parse(Path::new("ca.crt"), text);

    let twice = read(format!("{authority}{authority}")).expect("read");
    assert_eq!(twice.pins().len(), 1);
    for (text, reason) in [
        (String::new(), "no certificate in it"),
        (
            "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n".to_owned(),
            "it is not a certificate",
        ),
        (
            format!("{authority}{}", key.serialize_pem()),
            "more than certificates",
        ),
        (
            format!("{authority}{leaf}"),
            "is not a certificate authority",
        ),
    ] {
        let error = read(text).expect_err("refused").to_string();
        assert!(error.starts_with("ca.crt: "), "{error}");
        assert!(error.contains(reason), "{error}");
    }
}
