//! The real program: against nginx, against servers that fail as nginx does not, and beside OpenSSL.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unreachable,
    clippy::unwrap_used,
    reason = "a test that panics has failed"
)]

mod configuration;
mod faults;
mod keys;
mod nginx;
mod refusals;
mod report;
mod rollout;
mod support;
