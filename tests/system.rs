//! A farm on a real admin cluster (`make e2e`), and machines that boot from one (`make boot-test`).
//!
//! Nothing here runs with `cargo test`: it takes minutes, and root.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unreachable,
    clippy::unwrap_used,
    reason = "a test that panics has failed"
)]

mod boot;
mod e2e;
#[allow(dead_code, reason = "the tests in it.rs use the rest")]
mod support;

use std::process::ExitCode;

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some("e2e") => e2e::run(),
        Some("boot") => boot::run(),
        Some("upgrade") => e2e::upgrade::run(),
        _ => {
            eprintln!("which one? e2e, boot or upgrade");
            ExitCode::from(2)
        }
    }
}
