//! What stands between the commas of dnsmasq's lines.

use super::{Text, written};
use crate::farm::syntax::dnsmasq_field_fault;
use crate::values::Refusal;

written! {
    /// A field of a line of dnsmasq's, which may be empty.
    Field;
}

impl Text for Field {
    /// Nearly anything.
    fn pattern() -> String {
        "[^,]*".to_owned()
    }

    fn parse(text: String) -> Result<Self, Refusal> {
        match dnsmasq_field_fault(&text) {
            None => Ok(Field(text.into())),
            Some(fault) => Err(Refusal::new(format!(
                "a value for dnsmasq must not contain {fault}"
            ))),
        }
    }
}
