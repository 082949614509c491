//! The certificate authorities that nodes have to trust: a file, which holds two while one takes the other's place.

use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::error::{AgentError, read, unreadable};
use crate::hexadecimal::hexadecimal;
use crate::pki::Certificate;

/// A file of certificate authorities.
#[derive(Debug, Clone)]
pub(super) struct Authorities {
    /// PEM.
    pub text: String,
    certificates: Vec<Certificate>,
}

impl Authorities {
    /// Reads a file in PEM.
    ///
    /// # Errors
    /// One that cannot be read, or that holds anything but certificate authorities: all of it is made public.
    pub fn read(path: &Path) -> Result<Authorities, AgentError> {
        Authorities::parse(path, read(path)?)
    }

    pub(super) fn parse(path: &Path, text: String) -> Result<Authorities, AgentError> {
        let broken = |reason: &str| unreadable(path, &reason);
        let certificates = Certificate::parse_all(&text)
            .map_err(|flaw| broken(&flaw.to_string().replace("tls.crt", "it")))?;
        if certificates.is_empty() {
            return Err(broken("there is no certificate in it"));
        }
        if text.matches("-----BEGIN ").count() != certificates.len() {
            return Err(broken("it holds more than certificates"));
        }
        if let Some(other) = certificates.iter().find(|found| !found.is_ca) {
            let name = &other.common_name;
            let reason = format!("the certificate of {name} in it is not a certificate authority");
            return Err(broken(&reason));
        }
        Ok(Authorities { text, certificates })
    }

    /// The hashes of their public keys, as kubeadm pins them (RFC 7469, section 2.4): `sha256:` and hexadecimal.
    pub fn pins(&self) -> Vec<String> {
        let mut pins = Vec::new();
        for certificate in &self.certificates {
            let digest = hexadecimal(Sha256::digest(&certificate.public_key));
            let pin = format!("sha256:{digest}");
            if !pins.contains(&pin) {
                pins.push(pin);
            }
        }
        pins
    }
}
