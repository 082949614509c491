//! Certificate requests (PKCS #10, RFC 2986), in PEM.

use std::net::IpAddr;

use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::oid_registry::{
    OID_EC_P256, OID_KEY_TYPE_EC_PUBLIC_KEY, OID_X509_COMMON_NAME, OID_X509_ORGANIZATION_NAME,
};
use x509_parser::pem::{Pem, parse_x509_pem};
use x509_parser::prelude::FromDer as _;
use x509_parser::x509::{SubjectPublicKeyInfo, X509Name};

/// A request that its key has signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CertificateRequest {
    /// `O=system:nodes, CN=…`, exactly: what stands behind `CN=`. `None` for any other subject.
    user: Option<String>,
    pub is_p256: bool,
    /// Whether it asks for more than the subject.
    pub has_attributes: bool,
    pub dns_names: Vec<String>,
    pub addresses: Vec<IpAddr>,
    /// Whether it asks for names of other kinds, or for extensions other than names.
    pub has_others: bool,
}

impl CertificateRequest {
    /// Reads one request in PEM, and nothing beside it.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(pem: &str) -> Result<CertificateRequest, String> {
        let (rest, block) = parse_x509_pem(pem.as_bytes()).map_err(|_| "the body is not PEM")?;
        if block.label != "CERTIFICATE REQUEST" || !rest.trim_ascii().is_empty() {
            return Err("the body is not one certificate request".to_owned());
        }
        read_block(&block)
    }

    /// Whether its subject is that of a Node with this name.
    ///
    /// # Errors
    /// What it would have to be.
    pub fn is_of(&self, name: &str) -> Result<(), String> {
        let user = format!("system:node:{name}");
        if self.user.as_ref() == Some(&user) {
            return Ok(());
        }
        Err(format!(
            "the subject is not exactly O=system:nodes, CN={user}"
        ))
    }
}

fn read_block(block: &Pem) -> Result<CertificateRequest, String> {
    let (rest, request) = X509CertificationRequest::from_der(&block.contents)
        .map_err(|_| "the certificate request cannot be read")?;
    if !rest.is_empty() {
        return Err("there is something behind the certificate request".to_owned());
    }
    let signature = request.verify_signature();
    signature.map_err(|_| "the certificate request is not signed with its key")?;
    let info = &request.certification_request_info;
    let mut read = CertificateRequest {
        user: user(&info.subject),
        is_p256: is_p256(&info.subject_pki),
        has_attributes: !info.attributes().is_empty(),
        dns_names: Vec::new(),
        addresses: Vec::new(),
        has_others: false,
    };
    for extension in request.requested_extensions().into_iter().flatten() {
        match extension {
            ParsedExtension::SubjectAlternativeName(names) => {
                names.general_names.iter().for_each(|name| read.add(name));
            }
            _ => read.has_others = true,
        }
    }
    Ok(read)
}

impl CertificateRequest {
    fn add(&mut self, name: &GeneralName<'_>) {
        match name {
            GeneralName::DNSName(name) => self.dns_names.push((*name).to_owned()),
            GeneralName::IPAddress(octets) => match address(octets) {
                Some(address) => self.addresses.push(address),
                None => self.has_others = true,
            },
            _ => self.has_others = true,
        }
    }
}

fn address(octets: &[u8]) -> Option<IpAddr> {
    if let Ok(octets) = <[u8; 4]>::try_from(octets) {
        return Some(octets.into());
    }
    let octets = <[u8; 16]>::try_from(octets).ok()?;
    Some(IpAddr::from(octets).to_canonical())
}

fn user(subject: &X509Name<'_>) -> Option<String> {
    let parts: Vec<_> = subject.iter_attributes().collect();
    let value = |oid: &x509_parser::der_parser::Oid<'_>| {
        let mut values = parts.iter().filter(|part| part.attr_type() == oid);
        values.next()?.as_str().ok()
    };
    let is_node = value(&OID_X509_ORGANIZATION_NAME) == Some("system:nodes");
    let user = value(&OID_X509_COMMON_NAME).filter(|_| is_node && parts.len() == 2);
    user.map(str::to_owned)
}

fn is_p256(key: &SubjectPublicKeyInfo<'_>) -> bool {
    let parameters = key.algorithm.parameters.as_ref();
    let curve = parameters.and_then(|parameters| parameters.as_oid().ok());
    key.algorithm.algorithm == OID_KEY_TYPE_EC_PUBLIC_KEY && curve == Some(OID_EC_P256)
}

#[cfg(test)]
pub(super) mod tests {
    use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, SanType};

    use super::*;

    /// A request of r1n01 for names and addresses.
    pub fn pem(names: &[&str]) -> String {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        signed(CertificateParams::new(names).unwrap())
    }

    fn signed(mut params: CertificateParams) -> String {
        params.distinguished_name = DistinguishedName::new();
        for (kind, name) in [
            (DnType::OrganizationName, "system:nodes"),
            (DnType::CommonName, "system:node:r1n01"),
        ] {
            params.distinguished_name.push(kind, name);
        }
        let key = KeyPair::generate().unwrap();
        params.serialize_request(&key).unwrap().pem().unwrap()
    }

    #[test]
    fn names_and_addresses_are_read() {
        let request = CertificateRequest::read(&pem(&["r1n01", "10.64.1.11", "fd00::1"])).unwrap();
        request.is_of("r1n01").unwrap();
        assert_eq!(request.dns_names, ["r1n01"]);
        let addresses: Vec<IpAddr> = ["10.64.1.11", "fd00::1"]
            .map(|address| address.parse().unwrap())
            .to_vec();
        assert_eq!(request.addresses, addresses);
        assert!(request.is_p256 && request.has_attributes && !request.has_others);
        assert!(!CertificateRequest::read(&pem(&[])).unwrap().has_attributes);
        let mut params = CertificateParams::default();
        let address = SanType::URI("https://r1n01".try_into().unwrap());
        params.subject_alt_names.push(address);
        assert!(
            CertificateRequest::read(&signed(params))
                .unwrap()
                .has_others
        );
    }

    #[test]
    fn a_request_that_its_key_did_not_sign_is_refused() {
        let text = pem(&[]);
        let good = parse_x509_pem(text.as_bytes()).unwrap().1;
        let mut forged = good.contents.clone();
        let place = forged.windows(5).position(|found| found == b"r1n01");
        forged[place.unwrap() + 4] = b'2';
        let block = Pem {
            label: good.label.clone(),
            contents: forged,
        };
        let said = read_block(&block).unwrap_err();
        assert_eq!(said, "the certificate request is not signed with its key");
    }
}
