//! Writes the manifest of an image, and its signature, beside the image.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use ring::digest::{Context, SHA256};

use crate::arguments::Sign;
use crate::failure::{Failure, Kind};
use crate::key;
use crate::manifest::{CHUNK, Manifest, Sum};
use crate::say::say;

pub fn sign(wanted: &Sign) -> Result<(), Failure> {
    let key = key::read_private(&wanted.key)?;
    let (size, sums) = sums(&wanted.image).map_err(|error| {
        Failure::usage(format!("cannot read {}: {error}", wanted.image.display()))
    })?;
    let manifest = Manifest {
        version: wanted.version,
        kernel: wanted.kernel.clone(),
        size,
        chunk: CHUNK,
        sums,
    };
    let text = manifest.to_string();
    // What no machine would accept must not leave the build.
    Manifest::parse(text.as_bytes()).map_err(|error| {
        Failure::usage(format!(
            "{} cannot be signed: {error}",
            wanted.image.display()
        ))
    })?;
    let signature = key.sign(text.as_bytes());
    write(&beside(&wanted.image, ".manifest"), text.as_bytes())?;
    write(&beside(&wanted.image, ".manifest.sig"), signature.as_ref())?;
    let count = manifest.sums.len();
    say(format_args!(
        "signed {}: version {}, {size} bytes, {count} chunks",
        wanted.image.display(),
        wanted.version
    ));
    Ok(())
}

/// The image's size, and the SHA-256 of each chunk of it.
fn sums(image: &Path) -> io::Result<(u64, Vec<Sum>)> {
    let mut file = File::open(image)?;
    let mut chunk = Vec::new();
    let (mut size, mut sums) = (0, Vec::new());
    loop {
        chunk.clear();
        (&mut file).take(CHUNK).read_to_end(&mut chunk)?;
        if chunk.is_empty() {
            return Ok((size, sums));
        }
        size += chunk.len() as u64;
        sums.push(sum(&chunk));
    }
}

/// The SHA-256 of bytes.
pub fn sum(bytes: &[u8]) -> Sum {
    let mut hash = Context::new(&SHA256);
    hash.update(bytes);
    finished(hash)
}

/// SHA-256 as an array; ring gives a slice that is always 32 bytes long.
pub fn finished(hash: Context) -> Sum {
    let mut sum = Sum::default();
    for (to, from) in sum.iter_mut().zip(hash.finish().as_ref()) {
        *to = *from;
    }
    sum
}

fn beside(image: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(image);
    name.push(ending);
    name.into()
}

pub fn write(file: &Path, bytes: &[u8]) -> Result<(), Failure> {
    fs::write(file, bytes).map_err(|error| {
        Failure::new(
            Kind::Output,
            format!("cannot write {}: {error}", file.display()),
        )
    })
}
