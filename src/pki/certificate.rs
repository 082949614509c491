//! A certificate, read.

use std::net::IpAddr;

use aws_lc_rs::signature::{ECDSA_P521_SHA512_ASN1, UnparsedPublicKey};
use jiff::Timestamp;
use x509_parser::oid_registry::{OID_SIG_ECDSA_WITH_SHA512, OID_SIG_ED25519};
use x509_parser::pem::Pem;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};
use x509_parser::public_key::PublicKey;

use super::{Flaw, usages};
use crate::farm::spec::{KeyAlgorithm, KeyKind};

/// What a certificate says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    der: Vec<u8>,
    pub common_name: String,
    pub organizations: Vec<String>,
    /// The issuer's common name.
    pub issuer: String,
    pub dns_names: Vec<String>,
    pub ip_addresses: Vec<IpAddr>,
    /// By cert-manager's names.
    pub usages: Vec<&'static str>,
    pub is_ca: bool,
    pub not_before: Timestamp,
    pub not_after: Timestamp,
    /// Hexadecimal.
    pub serial: String,
    /// The SubjectPublicKeyInfo, in DER.
    pub public_key: Vec<u8>,
    /// If kubefarm issues it.
    pub key_kind: Option<KeyKind>,
}

impl Certificate {
    /// The first certificate of a PEM text.
    ///
    /// # Errors
    /// [`Flaw::Certificate`]
    pub fn parse(text: &str) -> Result<Certificate, Flaw> {
        let mut all = Certificate::parse_all(text)?;
        if all.is_empty() {
            Err(unreadable("there is no PEM block CERTIFICATE"))
        } else {
            Ok(all.swap_remove(0))
        }
    }

    /// Every certificate of a PEM text, in order.
    ///
    /// # Errors
    /// [`Flaw::Certificate`]
    pub fn parse_all(text: &str) -> Result<Vec<Certificate>, Flaw> {
        let mut found = Vec::new();
        for block in Pem::iter_from_buffer(text.as_bytes()) {
            let block = block.map_err(unreadable)?;
            if block.label == "CERTIFICATE" {
                found.push(Certificate::from_der(&block.contents)?);
            }
        }
        Ok(found)
    }

    fn from_der(der: &[u8]) -> Result<Certificate, Flaw> {
        let (rest, read) = X509Certificate::from_der(der).map_err(unreadable)?;
        if !rest.is_empty() {
            return Err(unreadable("bytes follow it"));
        }
        let (dns_names, ip_addresses) = alternative_names(&read)?;
        let constraints = read.basic_constraints().map_err(unreadable)?;
        let plain = read.key_usage().map_err(unreadable)?;
        let extended = read.extended_key_usage().map_err(unreadable)?;
        let texts = |found: Vec<&str>| found.into_iter().map(str::to_owned).collect();
        let organizations = read.subject().iter_organization();
        Ok(Certificate {
            common_name: common_name(read.subject()),
            organizations: texts(organizations.filter_map(|o| o.as_str().ok()).collect()),
            issuer: common_name(read.issuer()),
            dns_names,
            ip_addresses,
            usages: usages::names(
                plain.as_ref().map(|found| found.value),
                extended.as_ref().map(|found| found.value),
            ),
            is_ca: constraints.is_some_and(|found| found.value.ca),
            not_before: timestamp(read.validity().not_before.timestamp())?,
            not_after: timestamp(read.validity().not_after.timestamp())?,
            serial: read.raw_serial_as_string(),
            public_key: read.public_key().raw.to_vec(),
            key_kind: key_kind(&read),
            der: der.to_vec(),
        })
    }

    /// Whether `authority` signed it. Says nothing of times and purposes.
    pub fn is_signed_by(&self, authority: &Certificate) -> bool {
        let Ok((_, this)) = X509Certificate::from_der(&self.der) else {
            return false;
        };
        let Ok((_, signer)) = X509Certificate::from_der(&authority.der) else {
            return false;
        };
        this.issuer().as_raw() == signer.subject().as_raw() && has_signature(&this, &signer)
    }

    /// Whether a client that knows the server by this name or address takes its certificate (RFC 6125, 6.4).
    pub fn serves(&self, host: &str) -> bool {
        if let Ok(address) = host.parse::<IpAddr>() {
            return self.ip_addresses.contains(&address);
        }
        self.dns_names.iter().any(|name| {
            let below = name.strip_prefix('*').and_then(|rest| {
                let (_, parent) = host.split_at(host.find('.')?);
                Some(parent.eq_ignore_ascii_case(rest))
            });
            below.unwrap_or_else(|| name.eq_ignore_ascii_case(host))
        })
    }

    /// Whether less than a third of its life is left, which is when it is renewed.
    pub fn is_due(&self, now: Timestamp) -> bool {
        let life = self.not_after.as_second() - self.not_before.as_second();
        let left = self.not_after.as_second() - now.as_second();
        left.saturating_mul(3) < life
    }
}

fn unreadable(reason: impl ToString) -> Flaw {
    Flaw::Certificate(reason.to_string())
}

fn timestamp(seconds: i64) -> Result<Timestamp, Flaw> {
    Timestamp::from_second(seconds).map_err(unreadable)
}

fn common_name(name: &x509_parser::x509::X509Name<'_>) -> String {
    let first = name.iter_common_name().next();
    first
        .and_then(|name| name.as_str().ok())
        .unwrap_or_default()
        .to_owned()
}

fn alternative_names(read: &X509Certificate<'_>) -> Result<(Vec<String>, Vec<IpAddr>), Flaw> {
    let mut dns_names = Vec::new();
    let mut ip_addresses = Vec::new();
    let extension = read.subject_alternative_name().map_err(unreadable)?;
    for name in extension
        .iter()
        .flat_map(|found| &found.value.general_names)
    {
        match name {
            GeneralName::DNSName(name) => dns_names.push((*name).to_owned()),
            GeneralName::IPAddress(bytes) => {
                let four = <[u8; 4]>::try_from(*bytes).map(IpAddr::from);
                let address = four.or_else(|_| <[u8; 16]>::try_from(*bytes).map(IpAddr::from));
                ip_addresses.push(address.map_err(unreadable)?);
            }
            _ => {}
        }
    }
    Ok((dns_names, ip_addresses))
}

/// Whether the signature is one by the key of `signer`. x509-parser knows no P-521.
fn has_signature(this: &X509Certificate<'_>, signer: &X509Certificate<'_>) -> bool {
    if key_kind(signer) != Some(KeyKind::Ecdsa521) {
        return this.verify_signature(Some(signer.public_key())).is_ok();
    }
    let key = &signer.public_key().subject_public_key.data;
    this.signature_algorithm.algorithm == OID_SIG_ECDSA_WITH_SHA512
        && UnparsedPublicKey::new(&ECDSA_P521_SHA512_ASN1, key)
            .verify(this.tbs_certificate.as_ref(), &this.signature_value.data)
            .is_ok()
}

fn key_kind(read: &X509Certificate<'_>) -> Option<KeyKind> {
    if read.public_key().algorithm.algorithm == OID_SIG_ED25519 {
        return Some(KeyKind::Ed25519);
    }
    let (algorithm, bits) = match read.public_key().parsed().ok()? {
        PublicKey::RSA(key) => (KeyAlgorithm::Rsa, key.key_size()),
        // Counted in whole bytes: P-521 is 528.
        PublicKey::EC(point) if point.key_size() == 528 => (KeyAlgorithm::Ecdsa, 521),
        PublicKey::EC(point) => (KeyAlgorithm::Ecdsa, point.key_size()),
        _ => return None,
    };
    KeyKind::new(algorithm, u32::try_from(bits).ok()?)
}
