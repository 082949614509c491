//! Private keys, wiped from memory when they are dropped.

use rcgen::{KeyPair, PublicKeyData, RsaKeySize};
use zeroize::{Zeroize, Zeroizing};

use super::Flaw;
use crate::farm::spec::KeyKind;

/// An Ed25519 key of PKCS #8 (RFC 8410, section 7), up to its 32 bytes of seed. rcgen would write version 2 of it, which
/// OpenSSL 3.0 does not read.
const ED25519: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

/// A private key.
pub struct Key(KeyPair);

impl Drop for Key {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl Key {
    /// A new key.
    ///
    /// # Errors
    /// Where the system gives no random bytes.
    pub fn generate(kind: KeyKind) -> Result<Key, rcgen::Error> {
        let rsa = |size| KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, size);
        let key = match kind {
            KeyKind::Ed25519 => ed25519(),
            KeyKind::Ecdsa256 => KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256),
            KeyKind::Ecdsa384 => KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384),
            KeyKind::Ecdsa521 => KeyPair::generate_for(&rcgen::PKCS_ECDSA_P521_SHA512),
            KeyKind::Rsa2048 => rsa(RsaKeySize::_2048),
            KeyKind::Rsa3072 => rsa(RsaKeySize::_3072),
            KeyKind::Rsa4096 => rsa(RsaKeySize::_4096),
        };
        key.map(Key)
    }

    /// Reads a PEM block of PKCS #8, PKCS #1 or SEC 1.
    ///
    /// # Errors
    /// [`Flaw::Key`], which says nothing of what is there instead.
    pub fn parse(pem: &str) -> Result<Key, Flaw> {
        let der = super::pem::private_key(pem).ok_or(Flaw::Key)?;
        KeyPair::try_from(der.as_slice())
            .map(Key)
            .map_err(|_| Flaw::Key)
    }

    /// PKCS #8, as a PEM block.
    pub fn to_pem(&self) -> Zeroizing<String> {
        super::pem::encode("PRIVATE KEY", self.0.serialized_der())
    }

    /// The SubjectPublicKeyInfo (RFC 5280, 4.1.2.7), in DER.
    pub fn public(&self) -> Vec<u8> {
        self.0.subject_public_key_info()
    }

    /// The same as a PEM block.
    pub fn public_pem(&self) -> String {
        self.0.public_key_pem()
    }

    pub(super) fn pair(&self) -> &KeyPair {
        &self.0
    }
}

fn ed25519() -> Result<KeyPair, rcgen::Error> {
    let mut seed = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *seed).map_err(|_| rcgen::Error::RingUnspecified)?;
    let der = Zeroizing::new([&ED25519[..], &*seed].concat());
    KeyPair::try_from(der.as_slice())
}
