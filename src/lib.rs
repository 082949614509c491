//! Describes, checks and renders farms of network-booted Kubernetes clusters.
//!
//! Data goes one way: [`values`] merges layers, [`farm`] types and checks them, [`chart`] turns the model to text,
//! [`manifest`] the text to objects, [`pki`] puts certificates in, [`cluster`] applies them; [`agent`] is what runs
//! inside a cluster. [`render`] takes the first four in a row, [`report`] shows a person what happens, [`cli`] joins
//! them. A room imports only rooms before it.

// No input, file or time makes it panic.
#![cfg_attr(
    not(test),
    warn(
        clippy::expect_used,
        clippy::panic,
        clippy::todo,
        clippy::unimplemented,
        clippy::unreachable,
        clippy::unwrap_used
    )
)]

pub mod agent;
pub mod chart;
pub mod cli;
pub mod cluster;
pub mod farm;
pub mod files;
mod glob;
mod hexadecimal;
pub mod manifest;
mod parallel;
pub mod pki;
pub mod render;
pub mod report;
pub mod values;
pub mod version;
