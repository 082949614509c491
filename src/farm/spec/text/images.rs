//! Parts of an image's reference.

use super::{Text, pattern, written};
use crate::farm::syntax::{image_fault, is_image_digest, is_image_tag};
use crate::values::Refusal;

written! {
    /// An image's name without tag and digest.
    ImageName;
    /// An image's tag.
    ImageTag;
    /// An image's digest.
    ImageDigest;
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
        match image_fault(&text) {
            None => Ok(ImageName(text.into())),
            Some(fault) => {
                let refusal =
                    Refusal::new(format!("`{text}` is not the name of an image: {fault}"));
                Err(refusal.help("REGISTRY/PATH, such as registry.k8s.io/etcd"))
            }
        }
    }
}

impl Text for ImageTag {
    const EXAMPLE: &'static str = "v1.2.3";
    const SCALARS: &'static [&'static str] = &["number"];

    fn pattern() -> String {
        "[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}".to_owned()
    }

    fn parse(text: String) -> Result<Self, Refusal> {
        if is_image_tag(&text) {
            return Ok(ImageTag(text.into()));
        }
        Err(Refusal::new(format!(
            "`{text}` is not a tag of an image: at most 128 letters, digits, `_`, `.` and `-`"
        )))
    }
}

impl Text for ImageDigest {
    fn pattern() -> String {
        "sha256:[0-9A-Fa-f]{64}|sha512:[0-9A-Fa-f]{128}".to_owned()
    }

    fn parse(text: String) -> Result<Self, Refusal> {
        if is_image_digest(&text) {
            return Ok(ImageDigest(text.into()));
        }
        Err(Refusal::new(format!(
            "`{text}` is not a digest: `sha256:` and 64 hexadecimal digits"
        )))
    }
}
