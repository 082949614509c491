//! Describes, checks and renders farms of network-booted Kubernetes clusters.

pub mod chart;
pub mod farm;
pub mod manifest;
mod parallel;
pub mod values;
