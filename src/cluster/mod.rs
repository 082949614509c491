//! A cluster: reached, compared with what was rendered, and changed to it.

pub mod access;
mod api;
pub mod apply;
pub mod applyset;
pub mod certificates;
mod connect;
pub mod delete;
pub mod diff;
mod error;
mod event;
pub mod farms;
pub mod fields;
mod gone;
pub mod guard;
mod helm;
mod interrupt;
pub mod inventory;
mod judge;
mod lock;
mod namespace;
mod object;
pub mod plan;
mod process;
mod proxy;
mod prune;
pub mod readiness;
mod resources;
mod status;
mod transport;
mod trouble;
mod wait;
mod waves;

pub use api::{Api, ApplyMode, DeleteMode, Detail, FIELD_MANAGER, Propagation};
pub use applyset::Release;
pub use connect::{Connection, Target};
pub use error::ClusterError;
pub use event::{Action, Event, Observer, Stage};
pub use interrupt::Interrupt;
pub use lock::LockError;
pub use namespace::names as namespaces;
pub use resources::{Resource, Resources};
pub use status::{FieldConflict, Status};
pub use transport::Answer;
pub use wait::{Unready, wait};

use serde_json::{Map, Value as Json};

/// The object that a `json!({…})` is.
pub(crate) fn into_object(value: Json) -> Map<String, Json> {
    match value {
        Json::Object(object) => object,
        _ => Map::new(),
    }
}

/// The text at a path in an object; `` where there is none.
pub(crate) fn text_at<'a>(object: &'a Map<String, Json>, path: &[&str]) -> &'a str {
    value_at(object, path)
        .and_then(Json::as_str)
        .unwrap_or_default()
}

/// What is at a path in an object.
pub(crate) fn value_at<'a>(object: &'a Map<String, Json>, path: &[&str]) -> Option<&'a Json> {
    let (first, rest) = path.split_first()?;
    let start = object.get(*first)?;
    rest.iter().try_fold(start, |value, key| value.get(*key))
}
