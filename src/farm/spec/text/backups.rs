//! Texts about backups.

use super::{Text, pattern, written};
use crate::farm::syntax::is_lower_dns_name;
use crate::values::Refusal;

written! {
    /// The public key of somebody who may read backups, as `age-keygen` prints it.
    AgeRecipient;
    /// The name of a Secret.
    SecretName;
}

impl Text for AgeRecipient {
    const EXAMPLE: &'static str = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";

    /// Bech32 (BIP 173), of 32 bytes; that its last six letters are its checksum, the rule sees.
    fn pattern() -> String {
        "age1[02-9ac-hj-np-z]{58}".to_owned()
    }

    fn parse(text: String) -> Result<Self, Refusal> {
        let is_lower = !text.bytes().any(|byte| byte.is_ascii_uppercase());
        if is_lower && text.parse::<age::x25519::Recipient>().is_ok() {
            return Ok(AgeRecipient(text.into()));
        }
        if text.starts_with("AGE-SECRET-KEY-") {
            let refusal = Refusal::new("this is a private key");
            return Err(refusal.help("keep it where backups are restored; its public key, age1..., is what age-keygen -y prints"));
        }
        let refusal = Refusal::new(format!("`{text}` is not an age recipient"));
        Err(refusal.help("the public key that age-keygen prints: age1... with 62 characters"))
    }
}

impl Text for SecretName {
    const EXAMPLE: &'static str = "farm1-encryption";

    /// RFC 1123, as Kubernetes reads it.
    fn pattern() -> String {
        pattern::lower_dns_name()
    }

    fn parse(text: String) -> Result<Self, Refusal> {
        if is_lower_dns_name(&text) {
            return Ok(SecretName(text.into()));
        }
        Err(Refusal::new(format!(
            "`{text}` is not the name of a Secret: lower-case letters, digits, `-` and `.`"
        )))
    }
}
