//! What a Secret of the type `kubernetes.io/tls` holds, in PEM.

use std::collections::BTreeMap;
use std::fmt;

use zeroize::Zeroizing;

use super::{Certificate, Flaw, Key};

/// A certificate, its key, and the certificate authorities to trust. Empty texts for what is not there.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Material {
    /// `tls.crt`
    pub certificate: String,
    /// `tls.key`
    pub key: Zeroizing<String>,
    /// `ca.crt`: one certificate, and more while an authority is rotated.
    pub authorities: String,
}

/// What there is, by the names of Secrets.
pub type Store = BTreeMap<String, Material>;

/// The keys of a Secret's data.
pub const CERTIFICATE: &str = "tls.crt";
pub const KEY: &str = "tls.key";
pub const AUTHORITIES: &str = "ca.crt";

impl Material {
    /// The certificate and its key, which belong together.
    ///
    /// # Errors
    /// What is missing, unreadable, or belongs to something else.
    pub fn pair(&self) -> Result<(Certificate, Key), Flaw> {
        for (text, name) in [(&self.certificate, CERTIFICATE), (&self.key, KEY)] {
            if text.trim().is_empty() {
                return Err(Flaw::Missing(name));
            }
        }
        let certificate = Certificate::parse(&self.certificate)?;
        let key = Key::parse(&self.key)?;
        if certificate.public_key == key.public() {
            Ok((certificate, key))
        } else {
            Err(Flaw::Mismatch)
        }
    }
}

/// Without the key.
impl fmt::Debug for Material {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Material")
            .field("certificate", &self.certificate)
            .field("authorities", &self.authorities)
            .finish_non_exhaustive()
    }
}
