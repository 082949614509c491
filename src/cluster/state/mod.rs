//! How a farm is: whether its objects are ready, why they are not, what its certificates are, how its child is reached.

mod access;
mod certificates;
mod deprecated;
mod etcd;
mod image_keys;
mod judge;
mod list;
mod machines;
pub mod pods;
mod readiness;
mod service_address;
mod status;
mod trouble;
mod wait;

pub use access::{Access, ENDPOINT, access};
pub use certificates::{
    ISSUED_FOR, farm_secrets, issued_secrets, materials, read_secrets, short_name,
};
pub use deprecated::{DeprecatedApi, deprecated_apis};
pub use etcd::{Connected, Etcd, Members, Unanswered, UnknownEtcd};
pub use image_keys::{ImageKeys, image_keys};
pub use list::{Farm, list, namespaces};
pub use machines::{LogLine, Machines, log_lines};
pub use readiness::Readiness;
pub use service_address::ServiceAddress;
pub use status::{FarmStatus, ObjectStatus, status};
pub use wait::{Unready, wait};
