//! Why certificates cannot be read or issued.

use std::path::PathBuf;

use jiff::Timestamp;

use super::{Flaw, Reason};
use crate::files::FileError;

/// Why a farm's certificates are not complete, and cannot be completed.
#[derive(Debug, thiserror::Error)]
pub enum PkiError {
    /// A CA exists and is not valid. It is not replaced: everything that it signed would be worthless.
    #[error("the certificate authority {name} cannot be used: {flaw}")]
    Authority { name: String, flaw: Flaw },
    /// A CA is missing while certificates that it signed are in use.
    #[error(
        "the certificate authority {name} is missing, and it signed {}: restore it from a backup, \
         or delete these as well to start over",
        dependents.join(", ")
    )]
    Gone {
        name: String,
        dependents: Vec<String>,
    },
    /// Authorities that an import lacks. New ones in their place would be trusted by nobody.
    #[error(
        "the folder lacks certificate authorities: {}; nothing that the farm's machines and people have would fit \
         new ones",
        names.join(", ")
    )]
    NotExported { names: Vec<String> },
    /// An import would replace authorities that are in use.
    #[error(
        "the cluster has other certificate authorities, or what they signed: {}. Nodes, kubeconfigs and tokens that \
         belong to these would be worthless; if the farm in the cluster is to become the imported one: \
         --replace-authorities",
        names.join(", ")
    )]
    Replaces { names: Vec<String> },
    /// A certificate exists and is not valid.
    #[error("the certificate {name} cannot be used: {flaw}; kubefarm apply repairs it")]
    Unusable { name: String, flaw: Flaw },
    /// A certificate from the future: with this clock, none may be issued.
    #[error("{name}: {flaw}")]
    Clock { name: String, flaw: Flaw },
    /// A name that no certificate can hold, or a key that cannot be made.
    #[error("{name} cannot be issued: {source}")]
    Issue { name: String, source: rcgen::Error },
    /// A certificate has to be issued where none can be.
    #[error("{name} must be issued: {reason}")]
    Incomplete { name: String, reason: Reason },
    /// The cluster's clock and this machine's disagree: what one issues the other would not accept, or soon not any more.
    #[error(
        "certificates cannot be issued: this machine's clock says {here} and the API server's {server}; one of the clocks is wrong"
    )]
    Skew { here: Timestamp, server: Timestamp },
    /// cert-manager would delete the Secret with the Certificate.
    #[error(
        "the Secret {name} is owned by its Certificate, and would be deleted with it: run cert-manager without \
         --enable-certificate-owner-ref and remove the Secret's ownerReferences first"
    )]
    OwnedByCertificate { name: String },
    #[error("this machine's clock shows a time that no certificate can hold")]
    NoTime,
    /// There is no such certificate.
    #[error("there is no certificate {name}; choose one of {}", names.join(", "))]
    Unknown { name: String, names: Vec<String> },
    /// A step of a rotation out of its order.
    #[error("{name}: {reason}")]
    Rotation { name: String, reason: &'static str },
    /// A file or folder of key material.
    #[error("{}: {reason}", path.display())]
    File { path: PathBuf, reason: String },
}

impl From<FileError> for PkiError {
    fn from(error: FileError) -> Self {
        PkiError::File {
            path: error.path,
            reason: error.reason.to_string(),
        }
    }
}

impl PkiError {
    /// The same with other names: a folder has other names for Secrets than a cluster.
    pub fn renamed(mut self, called: impl Fn(&str) -> String) -> PkiError {
        match &mut self {
            PkiError::Authority { name, .. } | PkiError::Clock { name, .. } => *name = called(name),
            PkiError::Gone { name, dependents } => {
                *name = called(name);
                for dependent in dependents {
                    *dependent = called(dependent);
                }
            }
            _ => {}
        }
        self
    }

    /// Whether the request itself was wrong.
    pub fn is_usage(&self) -> bool {
        matches!(self, PkiError::Unknown { .. })
    }
}
