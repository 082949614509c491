//! Reads a backup as a whole, and says what is wrong with it.

use std::io::{self, Read};

use sha2::{Digest as _, Sha256};

use super::error::Flaw;
use super::manifest::{FORMAT, Listed, MANIFEST, MANIFEST_SUM, Manifest, SNAPSHOT, manifest_sum};
use super::sealed::{BEGINNING, Keys};
use super::snapshot::SnapshotSum;
use super::tape::{BLOCK, padding, read_header};
use crate::hexadecimal::hexadecimal;

/// How much is read at once.
const CHUNK: usize = 64 * 1024;
/// More than a manifest has.
const LARGEST_MANIFEST: u64 = 1024 * 1024;

/// What a file is that has no flaw.
#[derive(Debug)]
pub enum Contents {
    /// A whole backup.
    Backup {
        manifest: Box<Manifest>,
        encrypted: bool,
    },
    /// A snapshot of etcd alone, of this many bytes, as `etcdctl snapshot save` writes it.
    Snapshot(u64),
    /// Encrypted, and there was no key: only age's first line was read.
    Sealed,
}

/// Reads all of a backup. What is encrypted is decrypted with the keys, if there are any.
///
/// # Errors
/// The first flaw.
pub fn verify(mut file: impl Read, keys: Option<&Keys>) -> Result<Contents, Flaw> {
    let mut head = [0; BLOCK];
    let read = fill(&mut file, &mut head)?;
    let head = head.get(..read).unwrap_or_default();
    if head.is_empty() {
        return Err(Flaw::Empty);
    }
    let whole = head.chain(file);
    if head.starts_with(BEGINNING) {
        let Some(keys) = keys else {
            return Ok(Contents::Sealed);
        };
        let manifest = archive(Tape::of(keys.open(whole)?)).map_err(sealed)?;
        return Ok(Contents::Backup {
            manifest: Box::new(manifest),
            encrypted: true,
        });
    }
    let begins_archive = <&[u8; BLOCK]>::try_from(head)
        .is_ok_and(|block| read_header(block).is_some_and(|(path, _)| path == SNAPSHOT));
    if begins_archive {
        return Ok(Contents::Backup {
            manifest: Box::new(archive(Tape::of(whole))?),
            encrypted: false,
        });
    }
    if SnapshotSum::begins(head) {
        return snapshot(whole);
    }
    Err(Flaw::NotABackup)
}

/// What age says of a flipped or missing byte comes as an error of reading.
fn sealed(flaw: Flaw) -> Flaw {
    match flaw {
        Flaw::Unreadable(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            Flaw::Truncated("in what is encrypted".to_owned())
        }
        Flaw::Unreadable(error) if error.kind() == io::ErrorKind::InvalidData => {
            Flaw::Encryption("a byte was changed, or the end is missing".to_owned())
        }
        flaw => flaw,
    }
}

fn snapshot(mut file: impl Read) -> Result<Contents, Flaw> {
    let mut sum = SnapshotSum::default();
    let mut buffer = vec![0; CHUNK];
    let mut size = 0;
    loop {
        let read = fill(&mut file, &mut buffer)?;
        let bytes = buffer.get(..read).unwrap_or_default();
        if bytes.is_empty() {
            break;
        }
        sum.update(bytes);
        size += bytes.len() as u64;
    }
    sum.check()?;
    Ok(Contents::Snapshot(size))
}

fn archive(mut tape: Tape<impl Read>) -> Result<Manifest, Flaw> {
    let mut files = Vec::new();
    loop {
        let (path, size) = tape.header()?;
        if path == MANIFEST {
            let manifest = tape.manifest(size)?;
            tape.end()?;
            compare(&manifest, &files)?;
            return Ok(manifest);
        }
        if (path == SNAPSHOT) != files.is_empty() {
            return Err(Flaw::Listing(format!("{path} is not where it belongs")));
        }
        let mut hash = Sha256::new();
        let mut sum = (path == SNAPSHOT).then(SnapshotSum::default);
        tape.content(&path, size, |bytes| {
            hash.update(bytes);
            if let Some(sum) = &mut sum {
                sum.update(bytes);
            }
        })?;
        sum.map_or(Ok(()), SnapshotSum::check)?;
        files.push(Listed {
            path,
            size,
            sha256: hexadecimal(hash.finalize()),
        });
    }
}

/// Holds the manifest against what was read.
fn compare(manifest: &Manifest, files: &[Listed]) -> Result<(), Flaw> {
    if manifest.files.len() != files.len() {
        let (found, listed) = (files.len(), manifest.files.len());
        return Err(Flaw::Listing(format!("{found} files, and {listed} listed")));
    }
    for (found, listed) in files.iter().zip(&manifest.files) {
        if (&found.path, found.size) != (&listed.path, listed.size) {
            return Err(Flaw::Listing(found.path.clone()));
        }
        if found.sha256 != listed.sha256 {
            return Err(Flaw::Digest {
                path: found.path.clone(),
                found: found.sha256.clone(),
                wanted: listed.sha256.clone(),
            });
        }
    }
    Ok(())
}

/// An archive, as it is read.
struct Tape<R> {
    file: R,
    at: u64,
}

impl<R: Read> Tape<R> {
    fn of(file: R) -> Tape<R> {
        Tape { file, at: 0 }
    }

    fn take(&mut self, buffer: &mut [u8], what: &str) -> Result<(), Flaw> {
        let read = fill(&mut self.file, buffer)?;
        self.at += read as u64;
        if read < buffer.len() {
            return Err(Flaw::Truncated(what.to_owned()));
        }
        Ok(())
    }

    fn header(&mut self) -> Result<(String, u64), Flaw> {
        let mut block = [0; BLOCK];
        let at = self.at;
        self.take(&mut block, "a file or its manifest is missing")?;
        read_header(&block).ok_or_else(|| Flaw::Damaged {
            at,
            what: "this is not the header of a file".to_owned(),
        })
    }

    fn content(&mut self, path: &str, size: u64, mut see: impl FnMut(&[u8])) -> Result<(), Flaw> {
        let mut buffer = vec![0; CHUNK];
        let mut left = size;
        while left > 0 {
            // At most a chunk.
            let next = left.min(CHUNK as u64) as usize;
            let bytes = buffer.get_mut(..next).unwrap_or_default();
            self.take(bytes, path)?;
            see(bytes);
            left -= next as u64;
        }
        self.zeros(padding(size), path)
    }

    fn manifest(&mut self, size: u64) -> Result<Manifest, Flaw> {
        let unreadable = |reason: String| Flaw::Manifest(reason);
        if size > LARGEST_MANIFEST {
            return Err(unreadable(format!("{size} bytes are too many")));
        }
        let mut text = Vec::new();
        self.content(MANIFEST, size, |bytes| text.extend_from_slice(bytes))?;
        self.sum_of(&text)?;
        let manifest: serde_json::Value =
            serde_json::from_slice(&text).map_err(|error| unreadable(error.to_string()))?;
        let format = manifest.get("format").and_then(serde_json::Value::as_u64);
        match format {
            Some(FORMAT) => {}
            Some(other) => return Err(Flaw::Format(other)),
            None => return Err(unreadable("it has no format".to_owned())),
        }
        serde_json::from_value(manifest).map_err(|error| unreadable(error.to_string()))
    }

    /// The entry after the manifest, which has its digest.
    fn sum_of(&mut self, text: &[u8]) -> Result<(), Flaw> {
        let wanted = manifest_sum(text);
        let (path, size) = self.header()?;
        if (path.as_str(), size) != (MANIFEST_SUM, wanted.len() as u64) {
            return Err(Flaw::Manifest("its digest is missing".to_owned()));
        }
        let mut found = Vec::new();
        self.content(MANIFEST_SUM, size, |bytes| found.extend_from_slice(bytes))?;
        if found != wanted.as_bytes() {
            return Err(Flaw::Manifest("its digest is another one".to_owned()));
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), Flaw> {
        self.zeros(2 * BLOCK, "the end of the archive")?;
        let mut more = [0];
        let read = fill(&mut self.file, &mut more)?;
        if read > 0 { Err(Flaw::Longer) } else { Ok(()) }
    }

    fn zeros(&mut self, count: usize, what: &str) -> Result<(), Flaw> {
        let mut buffer = vec![0; count];
        let at = self.at;
        self.take(&mut buffer, what)?;
        if buffer.iter().any(|byte| *byte != 0) {
            return Err(Flaw::Damaged {
                at,
                what: format!("not zeros after {what}"),
            });
        }
        Ok(())
    }
}

/// Reads until the buffer is full or the file ends.
fn fill(file: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut read = 0;
    loop {
        let Some(rest) = buffer.get_mut(read..).filter(|rest| !rest.is_empty()) else {
            return Ok(read);
        };
        match file.read(rest) {
            Ok(0) => return Ok(read),
            Ok(more) => read += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
