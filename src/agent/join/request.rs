//! What a machine asks for: a certificate for the name of its Node.
//!
//! The request has to be exactly what the signer of kubelets' client certificates signs (kubernetes.io/docs/reference/
//! access-authn-authz/certificate-signing-requests, `kubernetes.io/kube-apiserver-client-kubelet`), and nothing beside.

use jiff::Timestamp;

use super::csr::CertificateRequest;
use crate::farm::syntax::is_lower_dns_name;

/// The longest name of a host (Linux, HOST_NAME_MAX), and so of a Node.
const LONGEST_NAME: usize = 64;
/// More cards than this no machine has.
const MOST_MACS: usize = 64;

/// A request that is well-formed. Whether it may be granted is another question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct JoinRequest {
    /// The name of the Node.
    pub name: String,
    /// The MACs that the machine says it has.
    pub macs: Vec<String>,
    /// When the configuration was signed that the machine runs; `None` where the boot server signs none.
    pub signed: Option<Timestamp>,
    /// The certificate request, PEM.
    pub pem: String,
}

impl JoinRequest {
    /// Reads the query and the body of a request.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(query: &str, body: &[u8]) -> Result<JoinRequest, String> {
        let mut name = None;
        let mut macs = Vec::new();
        let mut signed = None;
        for (key, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*key {
                "name" if name.is_none() => name = Some(value.into_owned()),
                "signed" if signed.is_none() => signed = Some(seconds(&value)?),
                "mac" if macs.len() < MOST_MACS => macs.push(value.to_ascii_lowercase()),
                _ => return Err(format!("`{key}` is not expected in the query")),
            }
        }
        let name = name.ok_or("the query has no name")?;
        if name.len() > LONGEST_NAME || !is_lower_dns_name(&name) {
            return Err("the name is not one of a Node".to_owned());
        }
        let pem = std::str::from_utf8(body).map_err(|_| "the body is not text")?;
        check(pem, &name)?;
        Ok(JoinRequest {
            name,
            macs,
            signed,
            pem: pem.to_owned(),
        })
    }
}

/// Reads a time in seconds since 1970.
fn seconds(text: &str) -> Result<Timestamp, String> {
    let seconds = text.parse().ok();
    seconds
        .and_then(|seconds| Timestamp::from_second(seconds).ok())
        .ok_or_else(|| "`signed` is not a time in seconds since 1970".to_owned())
}

/// Checks a certificate request in PEM.
fn check(pem: &str, name: &str) -> Result<(), String> {
    let request = CertificateRequest::read(pem)?;
    request.is_of(name)?;
    if !request.is_p256 {
        return Err("the key is not one of ECDSA with P-256".to_owned());
    }
    if request.has_attributes {
        return Err("the certificate request has attributes, such as further names".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use rcgen::{
        CertificateParams, DistinguishedName, DnType, KeyPair, PKCS_ECDSA_P256_SHA256,
        PKCS_ECDSA_P384_SHA384,
    };

    use super::*;

    fn params(names: &[(DnType, &str)]) -> CertificateParams {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        for (kind, name) in names {
            params.distinguished_name.push(kind.clone(), *name);
        }
        params
    }

    fn pem(params: &CertificateParams) -> String {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        params.serialize_request(&key).unwrap().pem().unwrap()
    }

    const GOOD: [(DnType, &str); 2] = [
        (DnType::OrganizationName, "system:nodes"),
        (DnType::CommonName, "system:node:r1n01"),
    ];

    fn refused(query: &str, body: &str) -> String {
        JoinRequest::read(query, body.as_bytes()).unwrap_err()
    }

    #[test]
    fn exactly_what_a_kubelet_may_have_is_accepted() {
        let good = pem(&params(&GOOD));
        let read = JoinRequest::read("name=r1n01&mac=02%3A00&mac=0A", good.as_bytes()).unwrap();
        assert_eq!((read.name.as_str(), read.pem), ("r1n01", good.clone()));
        assert_eq!(read.macs, ["02:00", "0a"]);
        assert_eq!(read.signed, None);
        let read = JoinRequest::read("name=r1n01&signed=1796076000", good.as_bytes()).unwrap();
        assert_eq!(read.signed.unwrap().as_second(), 1_796_076_000);
        assert_eq!(
            refused("name=r1n02", &good),
            "the subject is not exactly O=system:nodes, CN=system:node:r1n02"
        );
        for query in [
            "",
            "name=r1n01&name=r1n01",
            "name=r1n01&x=y",
            "name=r1n01&signed=now",
            "name=r1n01&signed=99999999999999",
            "name=r1n01&signed=1&signed=1",
            "name=R1",
            "name=a/b",
            "name=",
        ] {
            refused(query, &good);
        }
        for body in [
            "",
            "x",
            &format!("{good}{good}"),
            &good.replace("CERTIFICATE REQUEST", "CERTIFICATE"),
        ] {
            refused("name=r1n01", body);
        }
    }

    #[test]
    fn other_subjects_names_and_keys_are_refused() {
        let (organization, name) = (&GOOD[0], &GOOD[1]);
        for subject in [
            vec![(DnType::OrganizationName, "system:masters"), name.clone()],
            vec![
                organization.clone(),
                (DnType::OrganizationalUnitName, "x"),
                name.clone(),
            ],
            vec![name.clone()],
            vec![
                organization.clone(),
                (DnType::CommonName, "system:node:r1n010"),
            ],
        ] {
            let said = refused("name=r1n01", &pem(&params(&subject)));
            assert!(
                said.starts_with("the subject is not"),
                "{subject:?}: {said}"
            );
        }
        let mut named = params(&GOOD);
        named.subject_alt_names = CertificateParams::new(["r1n01".to_owned()])
            .unwrap()
            .subject_alt_names;
        assert!(refused("name=r1n01", &pem(&named)).contains("has attributes"));
        let key = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap();
        let other = params(&GOOD)
            .serialize_request(&key)
            .unwrap()
            .pem()
            .unwrap();
        assert!(refused("name=r1n01", &other).contains("P-256"));
    }
}
