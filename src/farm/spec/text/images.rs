//! Parts of an image's reference. They are checked only for components that are enabled.

use super::{Text, pattern, written};
use crate::farm::syntax::{image_fault, is_image_digest};
use crate::values::Refusal;

written! {
    /// An image's name without tag and digest.
    ImageName;
    /// An image's digest.
    ImageDigest;
}

impl ImageName {
    /// What is wrong with it.
    pub fn refusal(&self) -> Option<Refusal> {
        let fault = image_fault(self)?;
        let refusal = Refusal::new(format!("`{self}` is not the name of an image: {fault}"));
        Some(refusal.help("REGISTRY/PATH, such as registry.k8s.io/etcd"))
    }
}

impl ImageDigest {
    /// What is wrong with it.
    pub fn refusal(&self) -> Option<Refusal> {
        let is_digest = is_image_digest(self);
        (!is_digest).then(|| {
            Refusal::new(format!(
                "`{self}` is not a digest: `sha256:` and 64 hexadecimal digits"
            ))
        })
    }
}

impl Text for ImageName {
    const EXAMPLE: &'static str = "registry.example.org/kubefarm/tools";

    fn pattern() -> String {
        const PART: &str = "[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?";
        let registry = format!(
            "(?:localhost|[A-Za-z0-9-]+[.:][A-Za-z0-9.:-]*|\\[{}\\](?::[0-9]+)?)",
            pattern::ipv6()
        );
        format!("(?:{registry}/)?{PART}(?:/{PART})*")
    }

    fn parse(text: String) -> Result<Self, Refusal> {
        Ok(ImageName(text))
    }
}

impl Text for ImageDigest {
    fn pattern() -> String {
        "sha256:[0-9A-Fa-f]{64}|sha512:[0-9A-Fa-f]{128}".to_owned()
    }

    fn parse(text: String) -> Result<Self, Refusal> {
        Ok(ImageDigest(text))
    }
}
