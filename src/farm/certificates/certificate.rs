//! A certificate as the farm wants it.

use indexmap::IndexMap;
use serde::Serialize;

use super::{AUTHORITY, Hours};
use crate::farm::spec::KeyKind;

/// One certificate and its Secret (`tls.crt`, `tls.key`, `ca.crt`), which share a name.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Certificate {
    /// `apiserver-server`: the name without the prefix of the farm.
    #[serde(skip)]
    pub short: String,
    pub name: String,
    pub secret_name: String,
    pub issuer: String,
    /// Whether it belongs to what boots nodes: then it signs itself, and is in that namespace.
    pub boots: bool,
    #[serde(rename = "isCA")]
    pub is_ca: bool,
    pub common_name: String,
    pub organizations: Option<Vec<&'static str>>,
    /// Key usages, by cert-manager's names.
    pub usages: Vec<&'static str>,
    pub dns_names: Option<Vec<String>>,
    pub ip_addresses: Option<Vec<String>>,
    pub duration: Hours,
    pub renew_before: Hours,
    pub private_key: PrivateKey,
    /// The annotations of its Secret, where kubefarm writes that.
    pub annotations: IndexMap<&'static str, String>,
}

impl Certificate {
    /// The annotations that cert-manager would write on the Secret, so that it adopts it and issues nothing again if
    /// the mode is changed; and kubefarm's own on authorities.
    pub(super) fn annotations(&self) -> IndexMap<&'static str, String> {
        let list = |values: &Option<Vec<String>>| values.as_deref().unwrap_or_default().join(",");
        let mut annotations = IndexMap::from([
            ("cert-manager.io/alt-names", list(&self.dns_names)),
            ("cert-manager.io/certificate-name", self.name.clone()),
            ("cert-manager.io/common-name", self.common_name.clone()),
            ("cert-manager.io/ip-sans", list(&self.ip_addresses)),
            ("cert-manager.io/issuer-group", "cert-manager.io".to_owned()),
            ("cert-manager.io/issuer-kind", "Issuer".to_owned()),
            ("cert-manager.io/issuer-name", self.issuer.clone()),
            ("cert-manager.io/uri-sans", String::new()),
        ]);
        if let Some(organizations) = &self.organizations {
            let key = "cert-manager.io/subject-organizations";
            annotations.insert(key, organizations.join(","));
        }
        if self.is_ca {
            annotations.insert(AUTHORITY, "true".to_owned());
        }
        annotations
    }
}

/// The private key of a certificate.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PrivateKey {
    #[serde(flatten)]
    pub kind: KeyKind,
    pub rotation_policy: RotationPolicy,
}

/// What becomes of a private key when its certificate is issued anew, as cert-manager names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum RotationPolicy {
    /// It stays: others trust it, and not its certificate.
    Never,
    /// There is a new one.
    Always,
}
