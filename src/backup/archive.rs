//! Writes an archive: entries one after the other, and their digests in the manifest at its end.

use std::io::Write;

use sha2::{Digest as _, Sha256};

use super::error::Flaw;
use super::manifest::{Listed, MANIFEST, MANIFEST_SUM, Manifest, manifest_sum};
use super::tape::{BLOCK, header, padding};
use crate::hexadecimal::hexadecimal;

/// An archive that is being written.
pub struct Archive<W: Write> {
    out: W,
    files: Vec<Listed>,
}

/// An entry that is being written.
pub struct Entry<'a, W: Write> {
    archive: &'a mut Archive<W>,
    path: String,
    size: u64,
    left: u64,
    hash: Sha256,
}

impl<W: Write> Archive<W> {
    pub fn new(out: W) -> Archive<W> {
        Archive {
            out,
            files: Vec::new(),
        }
    }

    /// Begins an entry of a size that is known before.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn begin(&mut self, path: &str, size: u64) -> Result<Entry<'_, W>, Flaw> {
        let header = header(path, size)?;
        write(&mut self.out, header.as_bytes())?;
        Ok(Entry {
            archive: self,
            path: path.to_owned(),
            size,
            left: size,
            hash: Sha256::new(),
        })
    }

    /// A whole entry.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn add(&mut self, path: &str, content: &[u8]) -> Result<(), Flaw> {
        let mut entry = self.begin(path, content.len() as u64)?;
        entry.write(content)?;
        entry.end()
    }

    /// Ends the archive with its manifest, whose list of files is filled in.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn finish(mut self, mut manifest: Manifest) -> Result<W, Flaw> {
        manifest.files = std::mem::take(&mut self.files);
        let text = serde_json::to_vec_pretty(&manifest)
            .map_err(|error| Flaw::Manifest(error.to_string()))?;
        self.add(MANIFEST, &text)?;
        self.add(MANIFEST_SUM, manifest_sum(&text).as_bytes())?;
        write(&mut self.out, &[0; 2 * BLOCK])?;
        Ok(self.out)
    }
}

impl<W: Write> Entry<'_, W> {
    /// # Errors
    /// Where it cannot be written, or is more than was announced.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Flaw> {
        let left = self.left.checked_sub(bytes.len() as u64);
        self.left = left.ok_or_else(|| self.unlike())?;
        self.hash.update(bytes);
        write(&mut self.archive.out, bytes)
    }

    /// # Errors
    /// Where it cannot be written, or is less than was announced.
    pub fn end(self) -> Result<(), Flaw> {
        if self.left > 0 {
            return Err(self.unlike());
        }
        let zeros = [0; BLOCK];
        let zeros = zeros.get(..padding(self.size)).unwrap_or_default();
        write(&mut self.archive.out, zeros)?;
        self.archive.files.push(Listed {
            path: self.path,
            size: self.size,
            sha256: hexadecimal(self.hash.finalize()),
        });
        Ok(())
    }

    fn unlike(&self) -> Flaw {
        let Entry { path, size, .. } = self;
        Flaw::Truncated(format!(
            "{path} does not have the {size} bytes that were announced"
        ))
    }
}

fn write(out: &mut impl Write, bytes: &[u8]) -> Result<(), Flaw> {
    out.write_all(bytes).map_err(Flaw::Unwritable)
}
