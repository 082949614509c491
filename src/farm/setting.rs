//! A line of ltsp.conf, and the lines of a tag.

use serde::Serialize;

/// `KEY='value'`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Setting {
    pub key: String,
    pub value: String,
}

impl Setting {
    /// A setting.
    pub fn new(key: impl Into<String>, value: impl Into<String>) -> Setting {
        Setting {
            key: key.into(),
            value: value.into(),
        }
    }
}

/// A tag's section, or `[clients]` for the tag `all`.
#[derive(Debug, Clone, Serialize)]
pub struct TagSection {
    pub section: String,
    pub settings: Vec<Setting>,
}
