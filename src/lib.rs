//! Describes, checks and renders farms of network-booted Kubernetes clusters.

pub mod chart;
pub mod farm;
mod parallel;
pub mod values;
