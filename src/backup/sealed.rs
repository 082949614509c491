//! Encryption with age: to recipients, whose public keys stand in the values, so that what makes backups cannot read
//! them.

use std::fs;
use std::io::{Read, Write};
use std::path::Path;

use age::{DecryptError, Decryptor, Encryptor, Identity, IdentityFile};

use super::error::{BackupError, Flaw};
use crate::files::failed;

/// The first bytes of an encrypted file.
pub(super) const BEGINNING: &[u8] = b"age-encryption.org/v1\n";

/// Who can read backups; nobody is needed where there are none.
pub struct Recipients(Vec<age::x25519::Recipient>);

impl Recipients {
    /// # Errors
    /// The first one that is wrong.
    pub fn read(texts: &[String]) -> Result<Recipients, BackupError> {
        let read = texts.iter().map(|text| {
            let recipient = text.parse();
            recipient.map_err(|_| BackupError::Recipient(text.clone()))
        });
        Ok(Recipients(read.collect::<Result<_, _>>()?))
    }

    /// Whether backups are encrypted.
    pub fn any(&self) -> bool {
        !self.0.is_empty()
    }

    /// Encrypts what is written into it, if there are any.
    ///
    /// # Errors
    /// Where the header cannot be written.
    pub fn seal<W: Write>(&self, out: W) -> Result<Sealed<W>, Flaw> {
        if !self.any() {
            return Ok(Sealed::Open(out));
        }
        let recipients = self.0.iter().map(|one| one as &dyn age::Recipient);
        let encryptor = Encryptor::with_recipients(recipients)
            .map_err(|error| Flaw::Encryption(error.to_string()))?;
        let stream = encryptor.wrap_output(out).map_err(Flaw::Unwritable)?;
        Ok(Sealed::Age(Box::new(stream)))
    }
}

/// What is written, encrypted or not.
pub enum Sealed<W: Write> {
    Open(W),
    Age(Box<age::stream::StreamWriter<W>>),
}

impl<W: Write> Sealed<W> {
    /// Writes the last of it.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn finish(self) -> Result<W, Flaw> {
        match self {
            Sealed::Open(out) => Ok(out),
            Sealed::Age(stream) => stream.finish().map_err(Flaw::Unwritable),
        }
    }
}

impl<W: Write> Write for Sealed<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match self {
            Sealed::Open(out) => out.write(bytes),
            Sealed::Age(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        match self {
            Sealed::Open(out) => out.flush(),
            Sealed::Age(stream) => stream.flush(),
        }
    }
}

/// Private keys, from a file as `age-keygen` writes it.
pub struct Keys {
    path: String,
    identities: Vec<Box<dyn Identity + Send + Sync>>,
}

impl Keys {
    /// # Errors
    /// Where the file cannot be read, or has none.
    pub fn read(path: &Path) -> Result<Keys, BackupError> {
        let text = fs::read(path).map_err(failed(path))?;
        let name = path.display().to_string();
        let unusable = |reason: String| Flaw::Identity {
            path: name.clone(),
            reason,
        };
        let file = IdentityFile::from_buffer(text.as_slice());
        let file = file.map_err(|error| unusable(error.to_string()))?;
        let identities = file.into_identities();
        let identities = identities.map_err(|error| unusable(error.to_string()))?;
        if identities.is_empty() {
            return Err(unusable("it has no AGE-SECRET-KEY-1...".to_owned()).into());
        }
        Ok(Keys {
            path: name,
            identities,
        })
    }

    /// Decrypts what is read.
    ///
    /// # Errors
    /// For a file that is not for these keys, or whose header is damaged.
    pub(super) fn open<R: Read>(&self, sealed: R) -> Result<impl Read + use<R>, Flaw> {
        let wrong = |error: DecryptError| match error {
            DecryptError::NoMatchingKeys => Flaw::WrongKey(self.path.clone()),
            DecryptError::Io(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                Flaw::Truncated("in the header of age".to_owned())
            }
            error => Flaw::Encryption(error.to_string()),
        };
        let decryptor = Decryptor::new(sealed).map_err(wrong)?;
        let identities = self.identities.iter().map(|one| &**one as &dyn Identity);
        decryptor.decrypt(identities).map_err(wrong)
    }
}
