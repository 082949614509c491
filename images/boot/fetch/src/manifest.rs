//! What is signed: the image's release, its size, and the SHA-256 of each of its chunks.
//!
//! ```text
//! kubefarm-image 1
//! version 20261128120000
//! kernel 6.12.57+deb13-amd64
//! size 245366784
//! chunk 4194304
//! sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
//! ```
//!
//! and so on, a line for each chunk. There is one way to write a manifest: what reads back is the same text.

use std::fmt;
use std::str::Lines;

/// The first line. Another number is another format, which this program cannot read.
const FORMAT: &str = "kubefarm-image 1";

/// The size of the chunks of the images that are signed here: of a wrong one, so much is fetched again.
pub const CHUNK: u64 = 4 << 20;

/// Chunks above this would cost more to fetch again than they save.
const LARGEST_CHUNK: u64 = 64 << 20;

/// More than any machine could load into its RAM.
const LARGEST_SIZE: u64 = 1 << 40;

/// As long as the kernel lets its release be (`__NEW_UTS_LEN` of `linux/utsname.h`).
const LONGEST_KERNEL: usize = 64;

pub type Sum = [u8; 32];

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// Grows with each release.
    pub version: u64,
    /// The kernel whose modules are in the image, as `uname -r` says it.
    pub kernel: String,
    /// Bytes of the image.
    pub size: u64,
    /// Bytes of a chunk; the last one may be shorter.
    pub chunk: u64,
    pub sums: Vec<Sum>,
}

/// One piece of the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// From zero.
    pub index: usize,
    /// Where in the image it starts, in bytes.
    pub start: u64,
    /// In bytes, never zero.
    pub length: u64,
    pub sum: Sum,
}

impl Manifest {
    /// Reads a manifest, strictly. The error says what is wrong, and in which line.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let mut lines = Reader::new(bytes, FORMAT)?;
        let version = decimal("version", lines.field("version")?)?;
        let kernel = kernel_release(lines.field("kernel")?)?.to_owned();
        let size = decimal("size", lines.field("size")?)?;
        let chunk = decimal("chunk", lines.field("chunk")?)?;
        let count = chunk_count(size, chunk)?;
        let mut sums = Vec::new();
        while !lines.at_end() {
            sums.push(lines.sum()?);
        }
        if u64::try_from(sums.len()) != Ok(count) {
            return Err(format!(
                "{size} bytes are {count} chunks, and it has the SHA-256 of {}",
                sums.len()
            ));
        }
        Ok(Self {
            version,
            kernel,
            size,
            chunk,
            sums,
        })
    }

    pub fn chunk(&self, index: usize) -> Option<Chunk> {
        let sum = *self.sums.get(index)?;
        let start = u64::try_from(index).ok()?.checked_mul(self.chunk)?;
        let length = self.size.checked_sub(start)?.min(self.chunk);
        Some(Chunk {
            index,
            start,
            length,
            sum,
        })
    }
}

impl fmt::Display for Manifest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{FORMAT}\nversion {}\nkernel {}",
            self.version, self.kernel
        )?;
        writeln!(f, "size {}\nchunk {}", self.size, self.chunk)?;
        self.sums
            .iter()
            .try_for_each(|sum| writeln!(f, "sha256 {}", hex(sum)))
    }
}

/// Reads lines of a name and a value, strictly.
pub struct Reader<'a> {
    lines: Lines<'a>,
    number: usize,
}

impl<'a> Reader<'a> {
    /// Of a text that begins with its format.
    pub fn new(bytes: &'a [u8], format: &str) -> Result<Self, String> {
        let text = std::str::from_utf8(bytes).map_err(|_| "it is not text".to_owned())?;
        if !text.ends_with('\n') || text.contains('\r') {
            return Err("its last line is cut, or its line ends are not those of Unix".to_owned());
        }
        let mut reader = Self {
            lines: text.lines(),
            number: 0,
        };
        let first = reader.next();
        if first != format {
            return Err(format!(
                "its format is {} and not \"{format}\"",
                shown(first)
            ));
        }
        Ok(reader)
    }

    /// The next line; an empty one after the last.
    fn next(&mut self) -> &'a str {
        self.number += 1;
        self.lines.next().unwrap_or_default()
    }

    pub fn at_end(&self) -> bool {
        self.lines.clone().next().is_none()
    }

    /// The value of the next line, which has to have this name: one order, nothing twice, nothing unknown.
    pub fn field(&mut self, name: &str) -> Result<&'a str, String> {
        let line = self.next();
        line.strip_prefix(name)
            .and_then(|rest| rest.strip_prefix(' '))
            .ok_or_else(|| {
                format!(
                    "line {} has to be \"{name} ...\" and is {}",
                    self.number,
                    shown(line)
                )
            })
    }

    /// The next line, which has to have a SHA-256.
    pub fn sum(&mut self) -> Result<Sum, String> {
        let number = self.number + 1;
        unhex(self.field("sha256")?)
            .ok_or_else(|| format!("line {number} is not a SHA-256: 64 digits of 0-9 and a-f"))
    }
}

/// The number of chunks, if size and chunk are such that they can be.
fn chunk_count(size: u64, chunk: u64) -> Result<u64, String> {
    if size == 0 || size > LARGEST_SIZE {
        return Err(format!(
            "the size {size} is none of an image: 1 to {LARGEST_SIZE} bytes"
        ));
    }
    if chunk == 0 || chunk > LARGEST_CHUNK {
        return Err(format!(
            "the chunk of {chunk} bytes is none: 1 to {LARGEST_CHUNK}"
        ));
    }
    Ok(size.div_ceil(chunk))
}

/// A number as it is printed: no sign, no leading zeros.
pub fn decimal(name: &str, text: &str) -> Result<u64, String> {
    text.parse()
        .ok()
        .filter(|number: &u64| number.to_string() == text)
        .ok_or_else(|| {
            format!(
                "the {name} {} is not a whole number below 2^64",
                shown(text)
            )
        })
}

/// A kernel's release: one word of printable characters.
pub fn kernel_release(text: &str) -> Result<&str, String> {
    if text.is_empty()
        || text.len() > LONGEST_KERNEL
        || !text.bytes().all(|byte| byte.is_ascii_graphic())
    {
        return Err(format!(
            "the kernel {} is not a release as uname -r says it",
            shown(text)
        ));
    }
    Ok(text)
}

/// A foreign text in a message: on one line, and not too long for it.
pub fn shown(text: &str) -> String {
    let start: String = text.chars().take(40).collect();
    let dots = if start.len() < text.len() { "..." } else { "" };
    format!("{start:?}{dots}")
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn unhex(text: &str) -> Option<Sum> {
    let bytes = text.as_bytes();
    if bytes.len() != 64 {
        return None;
    }
    let mut sum = [0; 32];
    for (byte, pair) in sum.iter_mut().zip(bytes.chunks_exact(2)) {
        for digit in pair {
            *byte = *byte << 4 | hex_digit(*digit)?;
        }
    }
    Some(sum)
}

fn hex_digit(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
