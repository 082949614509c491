//! A cluster: reached, compared with what was rendered, and changed to it.
//!
//! From the bottom up: [`client`] asks one cluster; [`event`] is how progress is reported; [`record`] knows what
//! belongs to a farm, [`fields`] who owns which field, [`guard`] what a living farm may not survive, [`state`] how a
//! farm is; [`change`] applies and deletes.

pub mod change;
pub mod client;
pub mod event;
pub mod fields;
pub mod guard;
pub mod record;
pub mod state;

pub use client::{Api, ClusterError, FieldConflict, Interrupt, Resource, Resources, Target};
pub use event::{Action, Event, Observer, Stage};
pub use state::{Unready, wait};
