//! The kinds of change that can destroy a living child cluster.

use std::fmt;
use std::str::FromStr;

use crate::manifest::Key;

/// A kind of change. Each is accepted by its own name, never all at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Risk {
    EtcdMembers,
    EtcdName,
    EtcdAddress,
    EtcdPersistence,
    EtcdRemoved,
    EtcdVersion,
    EtcdOldLog,
    VolumeSize,
    KubernetesVersion,
    RemovedApis,
    VersionSkew,
    ServiceSubnet,
    PodSubnet,
    DnsDomain,
    Issuer,
    PkiPrefix,
    EncryptionAtRest,
}

impl Risk {
    pub const ALL: [Risk; 17] = [
        Risk::EtcdMembers,
        Risk::EtcdName,
        Risk::EtcdAddress,
        Risk::EtcdPersistence,
        Risk::EtcdRemoved,
        Risk::EtcdVersion,
        Risk::EtcdOldLog,
        Risk::VolumeSize,
        Risk::KubernetesVersion,
        Risk::RemovedApis,
        Risk::VersionSkew,
        Risk::ServiceSubnet,
        Risk::PodSubnet,
        Risk::DnsDomain,
        Risk::Issuer,
        Risk::PkiPrefix,
        Risk::EncryptionAtRest,
    ];

    /// As users write it.
    pub fn name(self) -> &'static str {
        match self {
            Risk::EtcdMembers => "etcd-members",
            Risk::EtcdName => "etcd-name",
            Risk::EtcdAddress => "etcd-address",
            Risk::EtcdPersistence => "etcd-persistence",
            Risk::EtcdRemoved => "etcd-removed",
            Risk::EtcdVersion => "etcd-version",
            Risk::EtcdOldLog => "etcd-old-log",
            Risk::VolumeSize => "volume-size",
            Risk::KubernetesVersion => "kubernetes-version",
            Risk::RemovedApis => "removed-apis",
            Risk::VersionSkew => "version-skew",
            Risk::ServiceSubnet => "service-subnet",
            Risk::PodSubnet => "pod-subnet",
            Risk::DnsDomain => "dns-domain",
            Risk::Issuer => "issuer",
            Risk::PkiPrefix => "pki-prefix",
            Risk::EncryptionAtRest => "encryption-at-rest",
        }
    }
}

impl fmt::Display for Risk {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// A text that is not the name of a kind of change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no change that is refused has this name")]
pub struct UnknownRisk;

impl FromStr for Risk {
    type Err = UnknownRisk;

    fn from_str(text: &str) -> Result<Risk, UnknownRisk> {
        let mut all = Risk::ALL.into_iter();
        all.find(|risk| risk.name() == text).ok_or(UnknownRisk)
    }
}

/// A change that was asked for, what it would do, and what to do instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Danger {
    pub risk: Risk,
    /// The object concerned.
    pub key: Key,
    /// The effect: what would change, and what that breaks.
    pub what: String,
    /// The way that is safe.
    pub way: String,
}
