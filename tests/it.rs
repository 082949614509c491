//! All tests of the program and of what it renders, in one binary: `cargo test --test it mistakes::` runs one topic.
//!
//! They run side by side, as many as `--test-threads` says. A test that needs a cluster as it is for itself starts one
//! ([`support::cluster`]); the environment, the current folder and the umask belong to all and are never changed, only
//! those of the programs that tests start.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unreachable,
    clippy::unwrap_used,
    reason = "a test that panics has failed"
)]

mod agent;
mod apply;
mod apply_faults;
mod cli;
mod cluster;
mod connection;
mod consumers_boot;
mod consumers_dnsmasq;
mod consumers_ltsp;
mod consumers_network;
mod consumers_shell;
mod consumers_yaml;
mod dhcp;
mod docs;
mod effects;
mod golden;
mod images;
mod injection;
mod known;
mod mistakes;
mod old_values;
mod pki;
mod properties;
mod support;
