//! Why a member of etcd cannot be asked.

use crate::pki::Unusable;

/// Why a member cannot be asked.
#[derive(Debug, thiserror::Error)]
pub enum EtcdError {
    #[error(transparent)]
    Certificate(#[from] Unusable),
    #[error("{host}: {reason}")]
    Unreachable { host: String, reason: String },
    /// The member understood the request, and refused it.
    #[error("{host} refuses: {reason}")]
    Refused { host: String, reason: String },
    #[error("{0} has no JSON gateway: remove enable-grpc-gateway from kubernetes.etcd.extraArgs")]
    NoGateway(String),
    #[error("{host} answers with something else: {reason}")]
    Garbled { host: String, reason: String },
}
