//! The program on the command line: its commands, and what they share.

mod args;
mod commands;
mod failure;
mod line;
mod on_cluster;
mod sources;
mod stdout;
mod subcommands;
mod tips;
mod unknown;

use std::process::ExitCode;

use commands::completions::{QUESTION, answer};
use failure::Failure;

/// Parses the command line, runs the command, and says how it ended.
pub fn run() -> ExitCode {
    let mut words = std::env::args_os().skip(1);
    if words.next().is_some_and(|word| word == QUESTION) {
        let question: Vec<_> = words.collect();
        return ended(answer(&question));
    }
    ended(line::parse().run())
}

/// Says how a command ended.
fn ended(outcome: Result<(), Failure>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        // The reader of the output has closed it: `kubefarm render | head`.
        Err(failure) if failure.is_broken_pipe() => ExitCode::SUCCESS,
        Err(failure) => {
            // With stderr closed the exit code is all that can be said.
            let _ = failure.print();
            ExitCode::from(failure.exit_code())
        }
    }
}
