//! Output for other programs.

use std::io::{self, Write};

use super::failure::Failure;

/// Writes a whole output to stdout at once, so that a command that fails has written nothing. A reader that has had
/// enough is not a failure, and does not change how the command ends.
pub fn write_stdout(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
