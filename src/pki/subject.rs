//! Subjects with several organizations, of which rcgen's names hold one.

use rcgen::SigningKey as _;
use rcgen::string::PrintableString;
use x509_parser::asn1_rs::{Any, FromDer as _};
use x509_parser::pem::Pem;

use super::{Key, pem};

/// ASN.1 tags (X.690).
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const BIT_STRING: u8 = 0x03;
const UTF8_STRING: u8 = 0x0c;
const PRINTABLE_STRING: u8 = 0x13;

/// Object identifiers (RFC 5280, appendix A.1), in DER.
const ORGANIZATION: [u8; 5] = [0x06, 3, 0x55, 4, 10];
const COMMON_NAME: [u8; 5] = [0x06, 3, 0x55, 4, 3];

/// The places in a TBSCertificate that has a version (RFC 5280, 4.1).
const ALGORITHM: usize = 2;
const SUBJECT: usize = 5;

/// The same certificate with these organizations in its subject, signed anew. In PEM.
///
/// # Errors
/// Where it is not a certificate; where the key cannot sign.
pub(super) fn with_organizations(
    certificate: &str,
    organizations: &[&str],
    common_name: &str,
    key: &Key,
) -> Result<String, rcgen::Error> {
    let unreadable = || rcgen::Error::CouldNotParseCertificate;
    let block = Pem::iter_from_buffer(certificate.as_bytes()).next();
    let block = block.and_then(Result::ok).ok_or_else(unreadable)?;
    let outer = elements(&block.contents).ok_or_else(unreadable)?;
    let tbs = outer.first().ok_or_else(unreadable)?;
    let mut parts = elements(tbs).ok_or_else(unreadable)?;
    let algorithm = parts.get(ALGORITHM).copied().ok_or_else(unreadable)?;
    let name = subject(organizations, common_name);
    *parts.get_mut(SUBJECT).ok_or_else(unreadable)? = &name;

    let tbs = element(SEQUENCE, &parts.concat());
    let mut signature = vec![0];
    signature.extend(key.pair().sign(&tbs)?);
    let signature = element(BIT_STRING, &signature);
    let der = element(SEQUENCE, &[&tbs, algorithm, &signature].concat());
    Ok(pem::encode("CERTIFICATE", &der).to_string())
}

/// The organizations are one set, as Go's crypto/x509 writes them.
fn subject(organizations: &[&str], common_name: &str) -> Vec<u8> {
    let attribute = |kind: &[u8], value: &str| {
        let tag = match PrintableString::try_from(value) {
            Ok(_) => PRINTABLE_STRING,
            Err(_) => UTF8_STRING,
        };
        let value = element(tag, value.as_bytes());
        element(SEQUENCE, &[kind, &value].concat())
    };
    let organizations = organizations.iter();
    let mut set: Vec<Vec<u8>> = organizations
        .map(|organization| attribute(&ORGANIZATION, organization))
        .collect();
    // X.690, 11.6
    set.sort();
    set.dedup();
    let organizations = element(SET, &set.concat());
    let common_name = element(SET, &attribute(&COMMON_NAME, common_name));
    element(SEQUENCE, &[organizations, common_name].concat())
}

/// What a sequence holds, each element whole.
fn elements(sequence: &[u8]) -> Option<Vec<&[u8]>> {
    let (_, sequence) = Any::from_der(sequence).ok()?;
    let mut rest = sequence.data;
    let mut found = Vec::new();
    while !rest.is_empty() {
        let (after, _) = Any::from_der(rest).ok()?;
        let (whole, _) = rest.split_at(rest.len() - after.len());
        found.push(whole);
        rest = after;
    }
    Some(found)
}

/// An element of a tag and content (X.690, 8.1.3).
fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut der = vec![tag];
    match u8::try_from(length) {
        Ok(short) if short < 0x80 => der.push(short),
        _ => {
            let bytes = length.to_be_bytes();
            let leading = bytes.iter().take_while(|byte| **byte == 0).count();
            let (_, significant) = bytes.split_at(leading);
            // At most eight.
            der.push(0x80 | significant.len() as u8);
            der.extend_from_slice(significant);
        }
    }
    der.extend_from_slice(content);
    der
}
