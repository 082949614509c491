//! Single machines: which the values list, what each gets from DHCP and at boot, how one comes into the values, and how
//! far each of them is.

pub mod boot;
pub mod claim;
pub mod dhcp;
pub mod import;
pub mod listed;
pub mod ltsp;
mod mac;

pub use mac::{canonical_mac, mac};
