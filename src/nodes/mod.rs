//! Single machines: which the values list, what each gets from DHCP and at boot, and how one comes into the values.

pub mod claim;
pub mod dhcp;
pub mod import;
pub mod listed;
pub mod ltsp;
mod mac;

pub use mac::{canonical_mac, mac};
