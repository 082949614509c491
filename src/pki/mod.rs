//! Certificates: made, judged, renewed and rotated. Pure: what is there, and what time it is, are given.
//!
//! What is issued, to whom and for what names, is computed in [`crate::farm::certificates`].

mod authority;
mod certificate;
mod client;
mod complete;
pub mod directory;
mod error;
mod flaw;
mod import;
mod issue;
mod key;
mod material;
mod pem;
pub mod secrets;
mod subject;
#[cfg(test)]
mod tests;
mod tls;
mod usages;

pub use authority::Step;
pub use certificate::Certificate;
pub use client::{Client, issue_client};
pub use complete::{Change, Completed, Intent, Issued, complete};
pub use error::PkiError;
pub use flaw::{Flaw, Reason};
pub use import::{Import, import};
pub use key::Key;
pub use material::{Material, Store};
pub use tls::{Unusable, client_config};
