//! etcd: its members are asked, and what they answer is judged. Connections are given: how a member is reached is the
//! caller's business.

mod answer;
mod condition;
mod defragment;
mod error;
mod member;
mod snapshot;
#[cfg(test)]
mod tests;

pub use answer::{Id, Listed, Status};
pub use condition::{Answer, Condition, Seen, condition, newest};
pub use defragment::to_defragment;
pub use error::EtcdError;
pub use member::{Credentials, Member};
pub use snapshot::{Part, Parts};
