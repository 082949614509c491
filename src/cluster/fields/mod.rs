//! Who owns which field of an object, taking fields over from Helm, and what differs.

pub mod diff;
pub mod helm;
pub mod managed_fields;
