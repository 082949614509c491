//! One cluster: how it is reached, what it serves, and requests to it. Nothing here knows of farms.

mod api;
mod connect;
mod error;
mod interrupt;
mod pods;
mod proxy;
mod resources;
mod status;
mod transport;

pub use api::{Api, ApplyMode, Detail, FIELD_MANAGER, only};
pub use connect::{Connection, Target};
pub use error::ClusterError;
pub use interrupt::Interrupt;
pub use kube::api::{DeleteParams, Portforwarder};
pub use pods::{Container, Forward, Tunnel};
pub use resources::{Resource, Resources};
pub use status::{FieldConflict, Status};
pub use transport::Answer;
pub(super) use transport::Tenure;
