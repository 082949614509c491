//! What runs inside the admin cluster: the Jobs of a farm prepare the child cluster, make join tokens and publish the boot
//! server's address; its agent looks after the child's Nodes, and the admin pod after what the first of the Jobs prepared. Each may run at any time, twice, and beside another of its
//! kind.
//!
//! Files are read before a cluster is asked, so that a wrong one is reported at once.

mod address;
mod announce;
mod authorities;
mod backup;
mod boot_address;
mod boots;
mod bootstrap;
mod error;
mod farm_agent;
mod faults;
mod healthy;
mod join;
mod join_file;
mod join_token;
mod known;
mod listener;
mod look_after_nodes;
mod nodes;
mod put_back;
mod settings;
mod shared;
#[cfg(test)]
mod tests;
mod waiting;
mod watch;

pub use announce::Announce;
pub use backup::{Backup, backup};
pub use boot_address::{BootAddress, DhcpOption, Published, publish_boot_address};
pub use bootstrap::{Bootstrap, bootstrap};
pub use error::AgentError;
pub use farm_agent::NodeAgent;
pub use healthy::EtcdAccess;
pub use join::JoinService;
pub use join_token::{JoinToken, join_token};
pub use look_after_nodes::look_after_nodes;
pub use put_back::put_back;
pub use waiting::JobContext;
