//! Why a request to a cluster failed.

use super::status::Status;

/// A failure that is about the cluster as a whole, or about one request.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    #[error(
        "no cluster is configured: there is no --kubeconfig, KUBECONFIG is not set, ~/.kube/config does not exist, \
         and this is not a pod"
    )]
    NoConfiguration,
    #[error("the kubeconfig cannot be used: {message}")]
    Configuration { message: String },
    #[error(
        "the kubeconfig names no current context; choose one with --context{}",
        in_parentheses(contexts)
    )]
    NoContext { contexts: Vec<String> },
    #[error("the kubeconfig has no context {name:?}{}", suggestion(near, contexts))]
    UnknownContext {
        name: String,
        near: Option<String>,
        contexts: Vec<String>,
    },
    #[error(
        "the kubeconfig turns off the verification of {server}'s certificate (insecure-skip-tls-verify); give its \
         certificate authority instead"
    )]
    Unverified { server: String },
    #[error("cannot reach {server}: {reason}")]
    Unreachable { server: String, reason: String },
    #[error("{server} cannot be trusted: {reason}")]
    Untrusted { server: String, reason: String },
    #[error(
        "{server} does not accept these credentials (401 Unauthorized): they are wrong, or have expired"
    )]
    Unauthorized { server: String },
    #[error("the credentials for {server} cannot be had: {reason}")]
    Credentials { server: String, reason: String },
    #[error("{server} answered with what is not JSON: {reason}")]
    Garbled { server: String, reason: String },
    #[error("{server} did not answer in time; the last failure: {last}")]
    Timeout { server: String, last: String },
    /// The server understood the request and refused it.
    #[error("{0}")]
    Refused(Box<Status>),
    #[error("the Lease that guards this farm {0}")]
    LeaseLost(String),
    /// What others need of it was waited for.
    #[error(
        "was applied, and did not get ready in time: {reason}{}",
        lines(details)
    )]
    NotReady {
        reason: String,
        /// The cluster's explanations, a line each.
        details: Vec<String>,
    },
    /// It was deleted, and is not gone.
    #[error("it is still being deleted{}", list_finalizers(finalizers))]
    Lingering { finalizers: String },
    /// Ctrl-C.
    #[error("interrupted")]
    Interrupted,
}

impl ClusterError {
    /// The server's reasons, where it was the server that refused.
    pub fn status(&self) -> Option<&Status> {
        match self {
            ClusterError::Refused(status) => Some(status),
            _ => None,
        }
    }

    /// Whether the object, or the kind, is not there.
    pub fn is_not_found(&self) -> bool {
        self.status().is_some_and(|status| status.code == 404)
    }

    /// Whether the same request may succeed later: the server was not there, or busy.
    pub fn may_pass(&self) -> bool {
        match self {
            ClusterError::Unreachable { .. } | ClusterError::Timeout { .. } => true,
            ClusterError::Refused(status) => matches!(status.code, 409 | 429 | 500..),
            _ => false,
        }
    }

    /// Whether the server refuses this to the user.
    pub fn is_forbidden(&self) -> bool {
        self.status().is_some_and(|status| status.code == 403)
    }
}

fn list_finalizers(finalizers: &str) -> String {
    match finalizers {
        "" => String::new(),
        names => format!(", and waits for who set its finalizers: {names}"),
    }
}

fn in_parentheses(names: &[String]) -> String {
    match names {
        [] => String::new(),
        names => format!(" ({})", names.join(", ")),
    }
}

fn suggestion(near: &Option<String>, names: &[String]) -> String {
    match near {
        Some(near) => format!("; did you mean {near}?"),
        None if names.is_empty() => "; it has none".to_owned(),
        None => format!("; it has {}", names.join(", ")),
    }
}

/// Each below the line before.
fn lines(details: &[String]) -> String {
    let lines = details.iter().map(|detail| format!("\n  {detail}"));
    lines.collect()
}
