//! Names of a release and its version of Kubernetes. Whether Kubernetes accepts them is checked where they are
//! composed: flags override some, and messages show the result.

use super::{Text, pattern, written};
use crate::farm::syntax::is_file_key;
use crate::values::Refusal;

written! {
    /// A release's name.
    ReleaseName;
    /// A namespace.
    Namespace;
    /// The prefix of object names.
    NamePrefix;
    /// A version of Kubernetes with its `v`.
    KubernetesVersion;
    /// A key of a Secret, which becomes a file.
    FileName;
}

impl Text for ReleaseName {
    const EXAMPLE: &'static str = "farm1";

    fn pattern() -> String {
        pattern::LOWER_LABEL.to_owned()
    }

    fn parse(text: String) -> Result<Self, Refusal> {
        Ok(ReleaseName(text.into()))
    }
}

impl Text for Namespace {
    const EXAMPLE: &'static str = "farm1-boot";

    fn pattern() -> String {
        pattern::LOWER_LABEL.to_owned()
    }

    fn parse(text: String) -> Result<Self, Refusal> {
        Ok(Namespace(text.into()))
    }
}

impl Text for NamePrefix {
    const EXAMPLE: &'static str = "farm1";

    /// Objects are cut at 63 characters.
    fn pattern() -> String {
        "[a-z](?:[a-z0-9-]*[a-z0-9])?".to_owned()
    }

    fn parse(text: String) -> Result<Self, Refusal> {
        Ok(NamePrefix(text.into()))
    }
}

impl Text for FileName {
    fn pattern() -> String {
        "(?!\\.(?:$|\\.))[A-Za-z0-9._-]{1,253}".to_owned()
    }

    fn parse(text: String) -> Result<Self, Refusal> {
        if is_file_key(&text) {
            return Ok(FileName(text.into()));
        }
        Err(Refusal::new(format!(
            "`{text}` is not a file name here: letters, digits, `-`, `_` and `.`"
        )))
    }
}

impl Text for KubernetesVersion {
    const EXAMPLE: &'static str = "v1.37.2";

    fn pattern() -> String {
        "v[0-9]+\\.[0-9]+\\.[0-9]+(?:[-+][0-9A-Za-z.+_-]+)?".to_owned()
    }

    fn parse(text: String) -> Result<Self, Refusal> {
        Ok(KubernetesVersion(text.into()))
    }
}
