//! How the program ends when it cannot do its work.

/// The kinds of failure. The number is the exit code, which the boot script reads: never give one a new meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// Wrong arguments, or a file named there cannot be read.
    Usage = 2,
    /// The server has no such file.
    Missing = 10,
    /// Signature or manifest is wrong.
    Signature = 11,
    /// The image is not the one that was signed.
    Image = 12,
    /// The network or the server.
    Network = 13,
    /// Too little RAM, or room in the output's file system.
    Ram = 14,
    /// An older image, one for another kernel, or another one than the configuration names.
    Release = 15,
    /// A file cannot be written.
    Output = 16,
}

/// The last words of the program: one line, and its exit code.
#[derive(Debug)]
pub struct Failure {
    pub kind: Kind,
    pub words: String,
}

impl Failure {
    pub fn new(kind: Kind, words: impl Into<String>) -> Self {
        Self {
            kind,
            words: words.into(),
        }
    }

    pub fn usage(words: impl Into<String>) -> Self {
        Self::new(Kind::Usage, words)
    }
}
