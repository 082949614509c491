//! Key usages by the names that cert-manager's Certificates use (RFC 5280, sections 4.2.1.3 and 4.2.1.12).

use rcgen::{ExtendedKeyUsagePurpose as Extended, KeyUsagePurpose as Plain};
use x509_parser::prelude::{ExtendedKeyUsage, KeyUsage};

/// The name, what rcgen calls it, and whether a certificate has it.
type PlainUsage = (&'static str, Plain, fn(&KeyUsage) -> bool);
type ExtendedUsage = (&'static str, Extended, fn(&ExtendedKeyUsage<'_>) -> bool);

const PLAIN: [PlainUsage; 9] = [
    ("digital signature", Plain::DigitalSignature, |usage| {
        usage.digital_signature()
    }),
    ("content commitment", Plain::ContentCommitment, |usage| {
        usage.non_repudiation()
    }),
    ("key encipherment", Plain::KeyEncipherment, |usage| {
        usage.key_encipherment()
    }),
    ("data encipherment", Plain::DataEncipherment, |usage| {
        usage.data_encipherment()
    }),
    ("key agreement", Plain::KeyAgreement, |usage| {
        usage.key_agreement()
    }),
    ("cert sign", Plain::KeyCertSign, |usage| {
        usage.key_cert_sign()
    }),
    ("crl sign", Plain::CrlSign, |usage| usage.crl_sign()),
    ("encipher only", Plain::EncipherOnly, |usage| {
        usage.encipher_only()
    }),
    ("decipher only", Plain::DecipherOnly, |usage| {
        usage.decipher_only()
    }),
];

const EXTENDED: [ExtendedUsage; 3] = [
    ("server auth", Extended::ServerAuth, |usage| {
        usage.server_auth
    }),
    ("client auth", Extended::ClientAuth, |usage| {
        usage.client_auth
    }),
    ("any", Extended::Any, |usage| usage.any),
];

/// The plain and the extended usages among `names`.
pub(super) fn purposes(names: &[&str]) -> (Vec<Plain>, Vec<Extended>) {
    let plain = PLAIN.iter().filter(|(name, ..)| names.contains(name));
    let extended = EXTENDED.iter().filter(|(name, ..)| names.contains(name));
    (
        plain.map(|(_, purpose, _)| *purpose).collect(),
        extended.map(|(_, purpose, _)| purpose.clone()).collect(),
    )
}

/// The names of the usages that a certificate has.
pub(super) fn names(
    plain: Option<&KeyUsage>,
    extended: Option<&ExtendedKeyUsage<'_>>,
) -> Vec<&'static str> {
    let plain = plain.into_iter().flat_map(|usage| {
        let had = PLAIN.iter().filter(move |(_, _, has)| has(usage));
        had.map(|(name, ..)| *name)
    });
    let extended = extended.into_iter().flat_map(|usage| {
        let had = EXTENDED.iter().filter(move |(_, _, has)| has(usage));
        had.map(|(name, ..)| *name)
    });
    plain.chain(extended).collect()
}
