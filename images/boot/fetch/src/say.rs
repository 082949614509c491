//! Lines for people. Unlike `eprintln!`, no closed console can end the program here.

use std::fmt::Display;
use std::io::{self, Write};

use crate::failure::{Failure, Kind};

/// One line on standard error, which is the console in an initrd.
pub fn say(words: impl Display) {
    // Where nobody reads, there is nobody to tell.
    let _ = writeln!(io::stderr().lock(), "kubefarm: {words}");
}

/// Text on standard output, for a file or another program.
pub fn print(text: &str) -> Result<(), Failure> {
    io::stdout()
        .lock()
        .write_all(text.as_bytes())
        .map_err(|error| {
            Failure::new(
                Kind::Output,
                format!("cannot write to standard output: {error}"),
            )
        })
}
