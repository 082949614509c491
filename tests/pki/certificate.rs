//! What a certificate says, but for what is random or a time.

use std::collections::BTreeMap;

use x509_parser::pem::Pem;
use x509_parser::prelude::{FromDer, ParsedExtension, X509Certificate};

/// The certificates of a PEM text, in DER.
pub fn blocks(pem: &str) -> Vec<Vec<u8>> {
    let blocks = Pem::iter_from_buffer(pem.as_bytes());
    blocks.map(|block| block.expect("PEM").contents).collect()
}

/// Every field by its name, in order where the order means something; what is random is left out, and of times the
/// life in hours.
pub fn fields(der: &[u8]) -> BTreeMap<String, String> {
    let (rest, read) = X509Certificate::from_der(der).expect("a certificate");
    assert!(rest.is_empty());
    let key = read.public_key();
    let validity = read.validity();
    let life = validity.not_after.timestamp() - validity.not_before.timestamp();
    let serial = read.raw_serial();
    let mut fields = BTreeMap::from([
        ("version".to_owned(), read.version().to_string()),
        (
            "signature".to_owned(),
            format!("{:?}", read.signature_algorithm),
        ),
        (
            "issuer".to_owned(),
            format!("{:02x?}", read.issuer().as_raw()),
        ),
        (
            "subject".to_owned(),
            format!("{:02x?}", read.subject().as_raw()),
        ),
        (
            "key".to_owned(),
            format!("{:?} {}", key.algorithm, key.subject_public_key.data.len()),
        ),
        // One of them begins five minutes earlier.
        ("hours".to_owned(), (life / 3600).to_string()),
        (
            "serial".to_owned(),
            format!(
                "positive, short: {}",
                serial[0] < 0x80 && serial.len() <= 20
            ),
        ),
        (
            "unique IDs".to_owned(),
            format!("{:?} {:?}", read.issuer_uid, read.subject_uid),
        ),
    ]);
    for extension in read.extensions() {
        let value = match extension.parsed_extension() {
            // A digest of a random key.
            ParsedExtension::SubjectKeyIdentifier(id) => format!("{} bytes", id.0.len()),
            ParsedExtension::AuthorityKeyIdentifier(id) => {
                let bytes = id.key_identifier.as_ref().map(|id| id.0.len());
                format!(
                    "{bytes:?} {:?} {:?}",
                    id.authority_cert_issuer, id.authority_cert_serial
                )
            }
            _ => format!("{:02x?}", extension.value),
        };
        let known = fields.insert(
            format!("extension {}", extension.oid),
            format!("critical: {}, {value}", extension.critical),
        );
        assert!(known.is_none(), "{} is there twice", extension.oid);
    }
    fields
}
