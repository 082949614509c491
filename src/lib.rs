//! Describes, checks and renders farms of network-booted Kubernetes clusters.
//!
//! Data goes one way: [`values`] merges layers, [`farm`] types and checks them, [`chart`] turns the model to text,
//! [`manifest`] the text to objects, [`pki`] puts certificates in, [`etcd`] asks the members of a child's database,
//! [`backup`] makes one file of what a restore needs, [`cluster`] applies them; [`agent`] is what runs
//! inside a cluster. [`render`] takes the first four in a row, [`report`] shows a person what happens, [`cli`] joins
//! them. [`nodes`] is about single machines: what each gets, and how it comes into the values. A room imports only rooms before it.

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

pub mod agent;
pub mod backup;
pub mod chart;
pub mod cli;
pub mod cluster;
pub mod etcd;
pub mod farm;
pub mod files;
mod glob;
mod hexadecimal;
pub mod manifest;
pub mod nodes;
mod parallel;
pub mod pki;
pub mod render;
pub mod report;
pub mod values;
pub mod version;
