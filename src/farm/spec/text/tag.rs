//! Tags of nodes.

use super::{Text, written};
use crate::farm::syntax::is_tag;
use crate::values::Refusal;

written! {
    /// A tag: of dnsmasq, part of an LTSP section's name, and part of a shell variable's name.
    Tag;
}

impl Text for Tag {
    const EXAMPLE: &'static str = "storage";
    const SCALARS: &'static [&'static str] = &["number"];

    fn pattern() -> String {
        "[A-Za-z0-9][A-Za-z0-9_.-]{0,62}".to_owned()
    }

    fn parse(text: String) -> Result<Self, Refusal> {
        match Tag::refusal(&text) {
            Some(refusal) => Err(refusal),
            None => Ok(Tag(text.into())),
        }
    }
}

impl Tag {
    /// Why the name of a tag under `tags` is not valid.
    pub fn refusal(name: &str) -> Option<Refusal> {
        (!is_tag(name)).then(|| {
            Refusal::new(format!(
                "`{name}` is not a tag: letters, digits, `-`, `_` and `.`, at most 63"
            ))
        })
    }
}
