//! Changing a cluster: what would be done, in which order, and doing it.

mod apply;
mod apply_object;
mod before_upgrade;
mod certificates;
mod defragment;
mod delete;
mod error;
mod gone;
mod import;
mod namespaces;
mod options;
mod plan;
mod planned;
mod prune;
mod rollout;
mod upgrade;
mod waves;

pub use apply::{Applied, Checked, apply, check};
pub use certificates::{check_clock, now};
pub use defragment::{DefragmentError, DefragmentOptions, Defragmented, defragment};
pub use delete::{Deleted, delete};
pub use error::ApplyError;
pub use import::{ImportOptions, import};
pub use options::{Allowed, ApplyOptions, Certificates, DeleteOptions};
pub use planned::{Planned, Refusal, Step};
