//! Why a machine does not get a credential, as it is answered over HTTP.

use std::time::Duration;

use http::StatusCode;

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub status: StatusCode,
    pub reason: String,
    /// When it may be worth asking again.
    pub retry: Option<Duration>,
}

impl Refusal {
    /// The request is not one.
    pub fn malformed(reason: impl Into<String>) -> Refusal {
        Refusal::new(StatusCode::BAD_REQUEST, reason, None)
    }

    /// The farm's values do not give it.
    pub fn forbidden(reason: impl Into<String>) -> Refusal {
        Refusal::new(StatusCode::FORBIDDEN, reason, None)
    }

    /// Not with the configuration that the machine runs.
    pub fn outdated(reason: impl Into<String>) -> Refusal {
        Refusal::new(StatusCode::PRECONDITION_FAILED, reason, None)
    }

    /// The name is another machine's.
    pub fn conflict(reason: impl Into<String>, retry: Duration) -> Refusal {
        Refusal::new(StatusCode::CONFLICT, reason, Some(retry))
    }

    /// Another credential for the name is there, for so long.
    pub fn outstanding(left: Duration) -> Refusal {
        Refusal::conflict(
            "another machine was let in under this name, and has not joined",
            left,
        )
    }

    /// It asks too often.
    pub fn too_many(retry: Duration) -> Refusal {
        Refusal::new(
            StatusCode::TOO_MANY_REQUESTS,
            "too many requests from this address",
            Some(retry),
        )
    }

    /// It cannot be answered now.
    pub fn later(reason: impl Into<String>, retry: Duration) -> Refusal {
        Refusal::new(StatusCode::SERVICE_UNAVAILABLE, reason, Some(retry))
    }

    fn new(status: StatusCode, reason: impl Into<String>, retry: Option<Duration>) -> Refusal {
        Refusal {
            status,
            reason: reason.into(),
            retry,
        }
    }
}

impl From<kube::Error> for Refusal {
    /// Whoever stands before a machine that does not join reads why.
    fn from(error: kube::Error) -> Refusal {
        Refusal::later(
            format!("the child cluster: {error}"),
            Duration::from_secs(5),
        )
    }
}
