//! What went wrong in one try at one source, in words and as a kind of failure.

use std::fmt;
use std::time::Duration;

use crate::failure::{Failure, Kind};
use crate::manifest::{Chunk, Sum, hex};

/// A chunk that is not the signed one.
#[derive(Clone, Debug)]
pub struct WrongChunk {
    pub chunk: Chunk,
    /// How many chunks the image has.
    pub count: usize,
    pub got: Sum,
}

#[derive(Clone, Debug)]
pub enum Fault {
    /// The kernel knows no way to the server, or nobody on the way does.
    NoRoute(String),
    Refused,
    /// The server did not take the connection in this time.
    NoAnswer(Duration),
    /// Nothing came for this time.
    Stalled(Duration),
    /// It comes, but it was not there after this time.
    Slow(Duration),
    /// The connection ended before the file did.
    Cut,
    Missing,
    Status(u16),
    /// The server does not go on where the last try ended.
    NoRange,
    /// The file is larger than any of its kind, in bytes.
    TooLarge(u64),
    /// The image ends too early.
    Short {
        has: u64,
        signed: u64,
    },
    WrongChunk(Box<WrongChunk>),
    /// None of these keys made the signature.
    WrongSignature {
        keys: String,
    },
    WrongManifest(String),
    Older {
        image: u64,
        initrd: u64,
    },
    OtherKernel {
        image: String,
        initrd: String,
    },
    /// Signed, and not the one that the configuration names: SHA-256 of the manifests.
    OtherImage {
        got: Sum,
        pinned: Sum,
    },
    /// The configuration is not the one that was signed.
    WrongSum {
        got: Sum,
        signed: Sum,
    },
    /// Whatever else the HTTP client says.
    Other(String),
}

impl Fault {
    pub fn kind(&self) -> Kind {
        match self {
            Self::Missing => Kind::Missing,
            Self::TooLarge(_)
            | Self::WrongSignature { .. }
            | Self::WrongManifest(_)
            | Self::WrongSum { .. } => Kind::Signature,
            Self::Short { .. } | Self::WrongChunk(_) => Kind::Image,
            Self::Older { .. } | Self::OtherKernel { .. } | Self::OtherImage { .. } => {
                Kind::Release
            }
            Self::NoRoute(_)
            | Self::Refused
            | Self::NoAnswer(_)
            | Self::Stalled(_)
            | Self::Slow(_)
            | Self::Cut
            | Self::Status(_)
            | Self::NoRange
            | Self::Other(_) => Kind::Network,
        }
    }

    /// Whether the source was reached and has something that does not belong to this initrd. While a farm goes from
    /// one release to the next this passes quickly, so a few more tries are enough.
    pub fn disagrees(&self) -> bool {
        matches!(self.kind(), Kind::Signature | Kind::Release)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRoute(why) => write!(
                f,
                "no route to the server ({why}): look at cable, VLAN, address and gateway"
            ),
            Self::Refused => write!(
                f,
                "the server refuses the connection: does it run, and at this port?"
            ),
            Self::NoAnswer(time) => write!(
                f,
                "no answer from the server in {}: does it run, and at this address?",
                seconds(*time)
            ),
            Self::Stalled(time) => write!(f, "nothing came from the server for {}", seconds(*time)),
            Self::Slow(time) => write!(f, "too slow: not there after {}", seconds(*time)),
            Self::Cut => write!(f, "the connection was cut"),
            Self::Missing => write!(f, "MISSING on the server"),
            Self::Status(code) => write!(
                f,
                "the server answers with HTTP status {code}: look at its log"
            ),
            Self::NoRange => write!(
                f,
                "the server cannot go on inside a file: it ignores the header Range"
            ),
            Self::TooLarge(limit) => write!(f, "WRONG: it has more than {limit} bytes"),
            Self::Short { has, signed } => {
                write!(
                    f,
                    "SHORT: it has {has} bytes, signed are {signed}; copy it to the server again"
                )
            }
            Self::WrongChunk(wrong) => wrong.fmt(f),
            Self::WrongSignature { keys } => {
                write!(f, "WRONG: not made for it by the key {keys}")
            }
            Self::WrongManifest(why) => write!(f, "WRONG: {why}"),
            Self::Older { image, initrd } => {
                write!(
                    f,
                    "OLDER than this initrd: it is version {image}, wanted is {initrd} or newer"
                )
            }
            Self::OtherKernel { image, initrd } => {
                write!(
                    f,
                    "for ANOTHER KERNEL: it is for {image}, this initrd has {initrd}; take both from one release"
                )
            }
            Self::OtherImage { got, pinned } => {
                let (got, pinned) = (short(got), short(pinned));
                write!(
                    f,
                    "ANOTHER ONE than the signed configuration names: SHA-256 of its manifest got {got}..., named \
                     {pinned}..."
                )
            }
            Self::WrongSum { got, signed } => {
                let (got, signed) = (short(got), short(signed));
                write!(f, "WRONG: SHA-256 got {got}..., signed {signed}...")
            }
            Self::Other(why) => f.write_str(why),
        }
    }
}

impl fmt::Display for WrongChunk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { chunk, count, got } = self;
        let (number, start) = (chunk.index + 1, chunk.start >> 20);
        let end = (chunk.start + chunk.length).div_ceil(1 << 20);
        let (got, signed) = (short(got), short(&chunk.sum));
        write!(
            f,
            "chunk {number} of {count} ({start} to {end} MiB) is WRONG: SHA-256 got {got}..., signed {signed}..."
        )
    }
}

/// `20 s`, `0.5 s`.
pub fn seconds(time: Duration) -> String {
    format!("{} s", time.as_secs_f64())
}

/// Enough to tell two sums apart.
fn short(sum: &Sum) -> String {
    hex(sum.get(..8).unwrap_or(sum))
}

/// A fault, and what was wanted from where.
#[derive(Clone, Debug)]
pub struct Trouble {
    pub what: &'static str,
    pub url: String,
    pub fault: Fault,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, url, fault } = self;
        match fault {
            Fault::Missing => write!(f, "{what} is MISSING on the server: {url}"),
            Fault::WrongChunk(_) => write!(f, "{what}: {url}: {fault}"),
            _ if fault.kind() == Kind::Network => {
                write!(f, "{what} cannot be loaded: {url}: {fault}")
            }
            _ => write!(f, "{what} is {fault}: {url}"),
        }
    }
}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Self {
        Self::new(trouble.fault.kind(), trouble.to_string())
    }
}
