//! The image itself: chunk by chunk, each checked against its signed SHA-256 while it arrives.

use std::thread;
use std::time::{Duration, Instant};

use ring::digest::{Context, SHA256};

use crate::failure::Failure;
use crate::fault::{Fault, Trouble, WrongChunk, seconds};
use crate::http::Http;
use crate::manifest::{Chunk, Manifest};
use crate::output::Output;
use crate::progress::Progress;
use crate::say::say;
use crate::sign::finished;
use crate::tenths::Tenths;
use crate::turns::Turns;
use crate::waits::Waits;

/// Large enough that system calls do not matter, small enough for the processor's cache: it is hashed right away.
const BUFFER: usize = 128 << 10;

pub struct Download<'a> {
    pub http: &'a Http,
    pub waits: &'a Waits,
    pub manifest: &'a Manifest,
    pub output: &'a Output,
    pub tenths: &'a Tenths<'a>,
    /// Tries in a row that may bring no new chunk.
    pub tries: u32,
}

/// Why a try ended.
enum Stop {
    /// Another one may go on.
    Fault(Fault),
    /// None will.
    Failure(Failure),
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl Download<'_> {
    /// Fetches all chunks. Where a try ends, the next one goes on.
    pub fn run(&self, turns: &mut Turns) -> Result<(), Failure> {
        let count = self.manifest.sums.len();
        let mut progress = Progress::new(self.manifest.size, self.waits.progress);
        let (mut good, mut fruitless) = (0, 0);
        turns.forgive();
        while let Some(source) = turns.current().map(str::to_owned) {
            let before = good;
            let fault = match self.fetch_from(&source, &mut good, &mut progress) {
                Ok(()) => return Ok(()),
                Err(Stop::Fault(fault)) => fault,
                Err(Stop::Failure(failure)) => return Err(failure),
            };
            fruitless += 1;
            if good > before {
                fruitless = 0;
                turns.forgive();
            }
            turns.pass(matches!(fault, Fault::WrongChunk(_)));
            let trouble = Trouble {
                what: "the image",
                url: source,
                fault,
            };
            if fruitless >= self.tries || turns.current().is_none() {
                return Err(trouble.into());
            }
            let pause = self.waits.pause(fruitless);
            let next = self.next_words(fruitless, pause);
            say(format_args!(
                "{trouble}; {good} of {count} chunks are right, {next}"
            ));
            thread::sleep(pause);
        }
        Err(Failure::usage("there is no source to ask"))
    }

    fn next_words(&self, fruitless: u32, pause: Duration) -> String {
        match fruitless {
            0 => format!("going on in {}", seconds(pause)),
            _ => format!(
                "try {fruitless} of {} without a new one, the next in {}",
                self.tries,
                seconds(pause)
            ),
        }
    }

    /// One request, from the first chunk that is missing to the end. What comes after the end is not read.
    fn fetch_from(
        &self,
        source: &str,
        good: &mut usize,
        progress: &mut Progress,
    ) -> Result<(), Stop> {
        let Some(first) = self.manifest.chunk(*good) else {
            return Ok(());
        };
        let size = self.manifest.size;
        let mut arriving = self.http.from(source, first.start, size)?;
        while let Some(chunk) = self.manifest.chunk(*good) {
            let read = |buffer: &mut [u8]| arriving.read(buffer);
            let end = chunk.start + chunk.length;
            self.take(chunk, read, progress)?;
            *good += 1;
            self.tenths.at(end);
        }
        Ok(())
    }

    /// One chunk. It is written before it is known to be right; the next try writes over it.
    fn take(
        &self,
        chunk: Chunk,
        mut read: impl FnMut(&mut [u8]) -> Result<usize, Fault>,
        progress: &mut Progress,
    ) -> Result<(), Stop> {
        let began = Instant::now();
        let mut buffer = vec![0; BUFFER];
        let mut hash = Context::new(&SHA256);
        let mut done = 0;
        while done < chunk.length {
            in_time(began, self.waits.chunk)?;
            let most = usize::try_from(chunk.length - done)
                .unwrap_or(BUFFER)
                .min(BUFFER);
            let space = buffer.get_mut(..most).unwrap_or_default();
            let length = read(space)?;
            let bytes = space.get(..length).unwrap_or_default();
            if bytes.is_empty() {
                return Err(Fault::Short {
                    has: chunk.start + done,
                    signed: self.manifest.size,
                }
                .into());
            }
            hash.update(bytes);
            self.output
                .write(chunk.start + done, bytes)
                .map_err(Stop::Failure)?;
            done += bytes.len() as u64;
            progress.at(chunk.start + done);
        }
        let got = finished(hash);
        if got == chunk.sum {
            Ok(())
        } else {
            let count = self.manifest.sums.len();
            Err(Fault::WrongChunk(Box::new(WrongChunk { chunk, count, got })).into())
        }
    }
}

fn in_time(began: Instant, limit: Duration) -> Result<(), Fault> {
    if began.elapsed() >= limit {
        Err(Fault::Slow(limit))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A second chunk that comes in pieces of two bytes, and the file as it is then.
    fn taken(sum: [u8; 32], pieces: &[&[u8]], limit: Duration) -> (Result<(), Stop>, Vec<u8>) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("image");
        let output = Output::create(&path).expect("created");
        let waits = Waits {
            chunk: limit,
            ..Waits::default()
        };
        let manifest = Manifest {
            version: 1,
            kernel: "k".to_owned(),
            size: 10,
            chunk: 5,
            sums: vec![sum; 2],
        };
        let http = Http::new(&waits);
        let tenths = Tenths::new(&http, None, 10);
        let download = Download {
            tenths: &tenths,
            http: &http,
            waits: &waits,
            manifest: &manifest,
            output: &output,
            tries: 1,
        };
        let mut pieces = pieces.iter();
        let read = |buffer: &mut [u8]| {
            let Some(piece) = pieces.next() else {
                return Ok(0);
            };
            let length = piece.len().min(buffer.len());
            buffer[..length].copy_from_slice(&piece[..length]);
            Ok(length)
        };
        let chunk = manifest.chunk(1).expect("the second");
        let result = download.take(chunk, read, &mut Progress::new(10, Duration::MAX));
        let file = std::fs::read(folder.path().join("image.part")).expect("read");
        (result, file)
    }

    fn sum_of(bytes: &[u8]) -> [u8; 32] {
        let mut hash = Context::new(&SHA256);
        hash.update(bytes);
        finished(hash)
    }

    #[test]
    fn a_right_chunk_is_put_in_its_place() {
        // Two bytes more come than belong to it.
        let (result, file) = taken(sum_of(b"abcde"), &[b"ab", b"cd", b"efg"], Duration::MAX);
        assert!(result.is_ok());
        assert_eq!(file, b"\0\0\0\0\0abcde");
    }

    #[test]
    fn a_wrong_chunk_is_named() {
        let (result, _) = taken(sum_of(b"abcde"), &[b"abcdf"], Duration::MAX);
        let Err(Stop::Fault(Fault::WrongChunk(wrong))) = result else {
            panic!("not noticed")
        };
        assert_eq!(
            (wrong.chunk.index, wrong.count, wrong.got),
            (1, 2, sum_of(b"abcdf"))
        );
    }

    #[test]
    fn an_early_end_is_short() {
        let (result, _) = taken(sum_of(b"abcde"), &[b"abcd"], Duration::MAX);
        assert!(matches!(
            result,
            Err(Stop::Fault(Fault::Short { has: 9, signed: 10 }))
        ));
    }

    #[test]
    fn what_drips_has_a_deadline() {
        let (result, _) = taken(sum_of(b"abcde"), &[b"a", b"b"], Duration::ZERO);
        assert!(matches!(
            result,
            Err(Stop::Fault(Fault::Slow(Duration::ZERO)))
        ));
    }
}
