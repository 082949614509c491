//! The configuration of a farm's nodes, signed: one file, so that no machine gets the parts of two.
//!
//! It begins with the signature of the header, 64 bytes. The header is
//!
//! ```text
//! kubefarm-configuration 1
//! name 3f2a9c0d1e4b5a67
//! signed 1796076000
//! size 169472
//! sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
//! image x86_64 60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752
//! ```
//!
//! with a line for each kind of machine and an empty one at the end. `sha256` and `size` are of the archive, which is
//! the rest of the file; `image` has the SHA-256 of the manifest of the image that belongs to the configuration, so that
//! an older one is noticed, signed as it may be; `signed` are seconds since 1970.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::arguments::{Configuration, SignConfiguration};
use crate::failure::{Failure, Kind};
use crate::fault::{Fault, Trouble};
use crate::http::Http;
use crate::image;
use crate::key::{self, PublicKeys, SIGNATURE};
use crate::manifest::{Reader, Sum, decimal, hex, shown, unhex};
use crate::say::say;
use crate::sign::{sum, write};
use crate::signed::in_turns;
use crate::turns::Turns;

/// The first line. Another number is another format, which this program cannot read.
const FORMAT: &str = "kubefarm-configuration 1";

/// Bytes of the file: what the boot server has room for.
const LARGEST: u64 = 64 << 20;

/// Characters of a name and of a kind of machine.
const LONGEST_WORD: usize = 64;

/// What is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Header {
    name: String,
    /// Seconds since 1970.
    signed: u64,
    /// Bytes of the archive.
    size: u64,
    sum: Sum,
    /// Kinds of machines, and the SHA-256 of the manifests of their images.
    images: Vec<(String, Sum)>,
}

impl Header {
    /// Reads a header with its empty line, strictly. The error says what is wrong, and in which line.
    fn parse(bytes: &[u8]) -> Result<Self, String> {
        let bytes = bytes
            .strip_suffix(b"\n")
            .ok_or("its header has no end".to_owned())?;
        let mut lines = Reader::new(bytes, FORMAT)?;
        let name = word(lines.field("name")?)?.to_owned();
        let signed = decimal("time", lines.field("signed")?)?;
        let size = decimal("size", lines.field("size")?)?;
        let sum = lines.sum()?;
        let mut images = Vec::new();
        while !lines.at_end() {
            let line = lines.field("image")?;
            let image = line
                .split_once(' ')
                .and_then(|(machine, sum)| Some((word(machine).ok()?.to_owned(), unhex(sum)?)));
            images.push(image.ok_or_else(|| format!("{} is not an image", shown(line)))?);
        }
        Ok(Self {
            name,
            signed,
            size,
            sum,
            images,
        })
    }
}

impl fmt::Display for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name, signed, size, ..
        } = self;
        writeln!(f, "{FORMAT}\nname {name}\nsigned {signed}\nsize {size}")?;
        writeln!(f, "sha256 {}", hex(&self.sum))?;
        for (machine, sum) in &self.images {
            writeln!(f, "image {machine} {}", hex(sum))?;
        }
        writeln!(f)
    }
}

/// A name, or a kind of machine: of letters, digits and a few signs.
pub fn word(text: &str) -> Result<&str, String> {
    let is_word = !text.is_empty()
        && text.len() <= LONGEST_WORD
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    if is_word {
        Ok(text)
    } else {
        Err(format!("{} is not a name", shown(text)))
    }
}

/// Signs an archive.
pub fn sign(wanted: &SignConfiguration) -> Result<(), Failure> {
    let key = key::read_private(&wanted.key)?;
    let archive = read(&wanted.archive)?;
    let mut images = Vec::new();
    for (machine, manifest) in &wanted.images {
        images.push((machine.clone(), sum(&read(manifest)?)));
    }
    let header = Header {
        name: wanted.name.clone(),
        signed: wanted.time.map_or_else(now, Ok)?,
        size: archive.len() as u64,
        sum: sum(&archive),
        images,
    };
    let text = header.to_string();
    let signature = key.sign(text.as_bytes());
    let file = [signature.as_ref(), text.as_bytes(), &archive].concat();
    // Machines load it meanwhile: the old one as a whole, or the new one.
    let mut part = wanted.output.clone().into_os_string();
    part.push(".part");
    let part = PathBuf::from(part);
    write(&part, &file)?;
    fs::rename(&part, &wanted.output).map_err(|error| {
        Failure::new(
            Kind::Output,
            format!("cannot write {}: {error}", wanted.output.display()),
        )
    })?;
    say(format_args!(
        "signed the configuration {}: {} bytes",
        header.name, header.size
    ));
    Ok(())
}

fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(file)
        .map_err(|error| Failure::usage(format!("cannot read {}: {error}", file.display())))
}

fn now() -> Result<u64, Failure> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map(|time| time.as_secs())
        .map_err(|_| Failure::usage("the clock is before 1970"))
}

/// Loads and checks a configuration; where that fails for good, it tells the server why, if there is one to tell.
pub fn load(wanted: &Configuration) -> Result<(), Failure> {
    let http = Http::new(&wanted.waits);
    fetch(wanted, &http)
        .inspect_err(|failure| image::report(&http, wanted.report.as_deref(), failure))
}

fn fetch(wanted: &Configuration, http: &Http) -> Result<(), Failure> {
    let keys = PublicKeys::read(&wanted.keys)?;
    let checked = |file: &[u8], from: &str| {
        let opened = open(file, &keys);
        opened
            .map(|(header, archive)| (header, archive.to_vec()))
            .map_err(|(what, fault)| trouble(what, from, fault))
    };
    let (header, archive) = if let Some(file) = &wanted.file {
        checked(&read(file)?, &file.display().to_string())?
    } else {
        let mut turns = Turns::new(&wanted.sources);
        in_turns(&wanted.waits, &mut turns, wanted.tries, |source| {
            let file = http.small(source, LARGEST);
            let file = file.map_err(|fault| trouble("the configuration", source, fault))?;
            checked(&file, source)
        })?
    };
    write(&wanted.output, &archive)?;
    write(&wanted.header, header.to_string().as_bytes())?;
    say(format_args!(
        "the signature of the configuration is right: {}, {} bytes",
        header.name, header.size
    ));
    Ok(())
}

fn trouble(what: &'static str, from: &str, fault: Fault) -> Trouble {
    Trouble {
        what,
        url: from.to_owned(),
        fault,
    }
}

/// The header and the archive of a file; or what is wrong, and with which part of it.
fn open<'a>(
    file: &'a [u8],
    keys: &PublicKeys,
) -> Result<(Header, &'a [u8]), (&'static str, Fault)> {
    let wrong = |why: String| ("the configuration", Fault::WrongManifest(why));
    let (signature, rest) = file
        .split_at_checked(SIGNATURE)
        .ok_or_else(|| wrong("it is shorter than a signature".to_owned()))?;
    let end = rest.windows(2).position(|pair| pair == b"\n\n");
    let (text, archive) = end
        .and_then(|end| rest.split_at_checked(end + 2))
        .ok_or_else(|| wrong("it has no header".to_owned()))?;
    if !keys.signed(text, signature) {
        let keys = keys.names();
        return Err((
            "the signature of the configuration",
            Fault::WrongSignature { keys },
        ));
    }
    // Nothing of the text was looked at before this line.
    let header = Header::parse(text).map_err(wrong)?;
    let has = archive.len() as u64;
    if has < header.size {
        let signed = header.size;
        return Err(("the configuration", Fault::Short { has, signed }));
    }
    let got = sum(archive);
    if got != header.sum {
        let signed = header.sum;
        return Err(("the configuration", Fault::WrongSum { got, signed }));
    }
    Ok((header, archive))
}

#[cfg(test)]
mod tests;
