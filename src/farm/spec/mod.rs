//! The values as users write them, typed. A key that has a default is explained above it, in the charts' `values.yaml`; doc
//! comments explain the others. Both become the JSON Schema and `docs/values.md`.
//!
//! Defaults are in the charts' `values.yaml`, not here: those files set every field without a serde default.

mod addons;
mod component;
mod components;
mod control_plane;
mod dhcp;
mod dhcp_options;
mod empty;
mod etcd;
mod konnectivity;
mod kubernetes;
mod lines;
mod long_list;
mod ltsp;
mod manifest;
mod network_policies;
mod node_storage;
mod nodes;
mod numbers;
mod one_or_many;
mod patches;
mod pod;
mod service;
mod tags;
mod text;

pub use addons::*;
pub use component::*;
pub use control_plane::*;
pub use dhcp::*;
pub use dhcp_options::{DhcpOptionValue, DhcpOptions};
pub use empty::{Empty, null_if_empty};
pub use etcd::*;
pub use konnectivity::*;
pub use kubernetes::*;
pub use lines::{Line, Lines};
pub use long_list::LongList;
pub use ltsp::*;
pub use manifest::ExtraManifest;
pub use network_policies::NetworkPolicies;
pub use node_storage::*;
pub use nodes::*;
pub use numbers::{Count, Port};
pub use one_or_many::OneOrMany;
pub use patches::{Change, Patch, Side, Target};
pub use pod::{EnvValue, EnvVar, Toleration, TolerationOperator};
pub use service::*;
pub use tags::*;
pub use text::*;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;

/// A map of text to text, in the order written: labels, annotations, settings.
pub type TextMap = IndexMap<String, String>;

/// A piece of a Kubernetes object, passed on as it is.
pub type Fragment = serde_json::Map<String, serde_json::Value>;

/// All values of a farm.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Values {
    pub name: Option<ReleaseName>,
    pub name_override: Option<String>,
    pub fullname_override: Option<String>,
    /// Helm's values for all charts; nothing here reads them.
    pub global: Option<Fragment>,
    /// The child cluster's control plane and what is set up inside it.
    pub kubernetes: Kubernetes,
    /// How machines that boot join the cluster.
    #[serde(default)]
    pub join: Join,
    /// Join tokens for booting nodes.
    pub token_generator: TokenGenerator,
    /// The network boot server, and the configuration that nodes get from it.
    pub ltsp: Ltsp,
    #[serde(default)]
    pub node_pools: NodePools,
    /// Settings by tag; the tag `all` applies to every node.
    #[serde(default)]
    pub tags: Tags,
    pub pki: Pki,
    /// How leases are given.
    pub dhcp: Dhcp,
    /// Who may connect to the pods of the farm.
    pub network_policies: NetworkPolicies,
    #[serde(default)]
    pub extra_objects: IndexMap<FileName, ExtraManifest>,
    #[serde(default)]
    pub patches: IndexMap<String, Patch>,
}

/// The issuer of certificates, and the kind of keys.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Pki {
    pub mode: PkiMode,
    pub algorithm: KeyAlgorithm,
    pub size: u32,
}

impl Pki {
    /// The kind of the private keys; `None` where the algorithm has no keys of this size.
    pub fn key_kind(&self) -> Option<KeyKind> {
        KeyKind::new(self.algorithm, self.size)
    }
}

/// Who issues certificates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, serde::Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum PkiMode {
    CertManager,
    Builtin,
}

/// A kind of private key that certificates can have: those that both cert-manager and kubefarm make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// For what is signed beside certificates, whatever the values choose.
    Ed25519,
    Ecdsa256,
    Ecdsa384,
    Ecdsa521,
    Rsa2048,
    Rsa3072,
    Rsa4096,
}

impl KeyKind {
    /// Those that values can choose.
    pub const CHOICES: [KeyKind; 6] = [
        KeyKind::Ecdsa256,
        KeyKind::Ecdsa384,
        KeyKind::Ecdsa521,
        KeyKind::Rsa2048,
        KeyKind::Rsa3072,
        KeyKind::Rsa4096,
    ];

    /// The kind of an algorithm and a size in bits.
    pub fn new(algorithm: KeyAlgorithm, size: u32) -> Option<KeyKind> {
        let mut all = KeyKind::CHOICES.into_iter();
        all.find(|kind| kind.choice() == Some((algorithm, size)))
    }

    /// The algorithm and the size in bits that values choose it by.
    pub fn choice(self) -> Option<(KeyAlgorithm, u32)> {
        match self {
            KeyKind::Ed25519 => None,
            KeyKind::Ecdsa256 => Some((KeyAlgorithm::Ecdsa, 256)),
            KeyKind::Ecdsa384 => Some((KeyAlgorithm::Ecdsa, 384)),
            KeyKind::Ecdsa521 => Some((KeyAlgorithm::Ecdsa, 521)),
            KeyKind::Rsa2048 => Some((KeyAlgorithm::Rsa, 2048)),
            KeyKind::Rsa3072 => Some((KeyAlgorithm::Rsa, 3072)),
            KeyKind::Rsa4096 => Some((KeyAlgorithm::Rsa, 4096)),
        }
    }
}

/// As cert-manager's `CertificatePrivateKey` has it.
impl serde::Serialize for KeyKind {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct as _;
        let mut kind = serializer.serialize_struct("KeyKind", 2)?;
        if let Some((algorithm, size)) = self.choice() {
            kind.serialize_field("algorithm", &algorithm)?;
            kind.serialize_field("size", &size)?;
        } else {
            kind.serialize_field("algorithm", "Ed25519")?;
            // Its keys have no other encoding.
            kind.serialize_field("encoding", "PKCS8")?;
        }
        kind.end()
    }
}

/// A private key's algorithm, as cert-manager names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, serde::Serialize, JsonSchema)]
pub enum KeyAlgorithm {
    #[serde(rename = "ECDSA")]
    Ecdsa,
    #[serde(rename = "RSA")]
    Rsa,
}
