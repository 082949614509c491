//! ed25519 keys in the files that OpenSSL 3 writes and reads: PKCS#8 and SubjectPublicKeyInfo (RFC 8410), as PEM.

use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{PrivatePkcs8KeyDer, SubjectPublicKeyInfoDer};

use crate::failure::{Failure, Kind};
use crate::manifest::hex;

/// A PKCS#8 key of version 1, up to its 32 bytes of seed. ring writes version 2, which OpenSSL 3.0 does not read.
const PRIVATE_START: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

/// A SubjectPublicKeyInfo, up to its 32 bytes of key.
const PUBLIC_START: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];

/// Bytes of a signature.
pub const SIGNATURE: usize = 64;

/// Makes a key in `file`, and its public half in `file`.pub. Replaces neither.
pub fn make(file: &Path) -> Result<(), Failure> {
    let mut seed = [0; 32];
    SystemRandom::new()
        .fill(&mut seed)
        .map_err(|_| Failure::new(Kind::Output, "the kernel gives no random numbers"))?;
    let key = Ed25519KeyPair::from_seed_unchecked(&seed)
        .map_err(|error| Failure::new(Kind::Output, format!("no key can be made: {error}")))?;
    let public = public_file(file);
    write_new(&public, 0o644, &public_pem(&key))?;
    let private = pem("PRIVATE KEY", &[&PRIVATE_START[..], &seed].concat());
    write_new(file, 0o600, &private).inspect_err(|_| {
        // Half a pair would only keep the next try from making one.
        let _ = fs::remove_file(&public);
    })
}

fn public_file(file: &Path) -> PathBuf {
    let mut name = OsString::from(file);
    name.push(".pub");
    name.into()
}

fn write_new(file: &Path, mode: u32, text: &str) -> Result<(), Failure> {
    let write = || -> io::Result<()> {
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(file)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    };
    write().map_err(|error| {
        let hint = match error.kind() {
            io::ErrorKind::AlreadyExists => "; a key is never replaced, so move it away first",
            _ => "",
        };
        Failure::new(
            Kind::Output,
            format!("cannot write {}: {error}{hint}", file.display()),
        )
    })
}

/// Reads a private key, made here or by `openssl genpkey -algorithm ed25519`.
pub fn read_private(file: &Path) -> Result<Ed25519KeyPair, Failure> {
    let text = read(file)?;
    let der = PrivatePkcs8KeyDer::from_pem_slice(&text).map_err(|error| {
        Failure::usage(format!("{}: no PEM private key: {error}", file.display()))
    })?;
    Ed25519KeyPair::from_pkcs8_maybe_unchecked(der.secret_pkcs8_der()).map_err(|error| {
        Failure::usage(format!(
            "{}: no ed25519 private key: {error}",
            file.display()
        ))
    })
}

pub fn public_pem(key: &Ed25519KeyPair) -> String {
    pem(
        "PUBLIC KEY",
        &[&PUBLIC_START[..], key.public_key().as_ref()].concat(),
    )
}

/// Both kinds of key fit on one line of PEM, which has 64 characters.
fn pem(label: &str, der: &[u8]) -> String {
    format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
        BASE64_STANDARD.encode(der)
    )
}

fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(file)
        .map_err(|error| Failure::usage(format!("cannot read {}: {error}", file.display())))
}

/// The keys that may have signed: the initrd's own, and the next one while keys are changed.
pub struct PublicKeys(Vec<Vec<u8>>);

impl PublicKeys {
    /// Reads all public keys of all files; each file has to have one, and all have to be ed25519.
    pub fn read(files: &[PathBuf]) -> Result<Self, Failure> {
        let mut keys = Vec::new();
        for file in files {
            let before = keys.len();
            for der in SubjectPublicKeyInfoDer::pem_slice_iter(&read(file)?) {
                let wrong = |why: String| Failure::usage(format!("{}: {why}", file.display()));
                let der = der.map_err(|error| wrong(format!("no PEM public key: {error}")))?;
                let key = der
                    .strip_prefix(&PUBLIC_START)
                    .filter(|key| key.len() == 32);
                keys.push(
                    key.ok_or_else(|| wrong("a key in it is not an ed25519 key".to_owned()))?
                        .to_vec(),
                );
            }
            if keys.len() == before {
                return Err(Failure::usage(format!(
                    "{}: it holds no PEM public key",
                    file.display()
                )));
            }
        }
        Ok(Self(keys))
    }

    pub fn signed(&self, text: &[u8], signature: &[u8]) -> bool {
        self.0.iter().any(|key| {
            UnparsedPublicKey::new(&ED25519, key)
                .verify(text, signature)
                .is_ok()
        })
    }

    /// The first digits of each key, for a person to tell them apart.
    pub fn names(&self) -> String {
        let names: Vec<String> = self
            .0
            .iter()
            .map(|key| hex(key.get(..8).unwrap_or(key)) + "...")
            .collect();
        names.join(" or ")
    }
}
