//! The one static program in the initrd of a network-booted machine: fetches configuration and system image, and checks
//! them. The image build and the boot server sign with it.

#![cfg_attr(
    test,
    allow(
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::string_slice,
        clippy::unreachable,
        clippy::unwrap_used,
        reason = "a test that panics has failed"
    )
)]

mod arguments;
mod configuration;
mod download;
mod failure;
mod fault;
mod http;
mod image;
mod key;
mod manifest;
mod output;
mod progress;
mod room;
mod say;
mod sign;
mod signed;
mod tenths;
mod turns;
mod waits;

use std::process::ExitCode;

use arguments::Command;
use failure::Failure;
use http::Http;
use say::{print, say};
use waits::Waits;

fn main() -> ExitCode {
    match arguments::parse(std::env::args_os().skip(1)).and_then(run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            say(&failure.words);
            ExitCode::from(failure.kind as u8)
        }
    }
}

fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Help => print(arguments::HELP),
        Command::ProgramVersion => {
            print(concat!("kubefarm-fetch ", env!("CARGO_PKG_VERSION"), "\n"))
        }
        Command::Key { file } => key::make(&file),
        Command::Public { file } => print(&key::public_pem(&key::read_private(&file)?)),
        Command::Sign(sign) => sign::sign(&sign),
        Command::Image(image) => image::load(&image),
        Command::SignConfiguration(sign) => configuration::sign(&sign),
        Command::Configuration(wanted) => configuration::load(&wanted),
        Command::Report { url, text } => Http::new(&Waits::default())
            .report(&url, &text)
            .map_err(|fault| Failure::new(fault.kind(), format!("{url}: {fault}"))),
    }
}
