//! Describes, checks and renders farms of network-booted Kubernetes clusters.

mod parallel;
pub mod values;
