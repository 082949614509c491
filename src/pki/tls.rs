//! A client's side of TLS with a certificate of the farm.

use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use super::{Flaw, Material};

/// Why a certificate is of no use to a client.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    #[error("the client certificate cannot be used: {0}")]
    Certificate(#[from] Flaw),
    #[error("the client certificate cannot be used: {0}")]
    Tls(#[from] rustls::Error),
    #[error("the client certificate cannot be used: {0}")]
    Pem(#[from] rustls::pki_types::pem::Error),
}

/// The settings of a client that shows the certificate of a Secret, and trusts its authorities and no others.
///
/// # Errors
/// What is missing, unreadable, or does not belong together.
pub fn client_config(material: &Material) -> Result<Arc<ClientConfig>, Unusable> {
    material.pair()?;
    let read =
        |text: &str| CertificateDer::pem_slice_iter(text.as_bytes()).collect::<Result<Vec<_>, _>>();
    let mut authorities = RootCertStore::empty();
    for authority in read(&material.authorities)? {
        authorities.add(authority)?;
    }
    let key = PrivateKeyDer::from_pem_slice(material.key.as_bytes())?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(authorities)
        .with_client_auth_cert(read(&material.certificate)?, key)?;
    Ok(Arc::new(config))
}
