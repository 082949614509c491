//! What can be wrong with a certificate, and why one is issued.

use std::fmt;

use jiff::Timestamp;

/// What is wrong with a certificate and its key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    #[error("{0} is missing")]
    Missing(&'static str),
    #[error("tls.crt is not a certificate: {0}")]
    Certificate(String),
    #[error("tls.key is not a private key that can be used")]
    Key,
    #[error("tls.key is not the key of tls.crt")]
    Mismatch,
    #[error("it is not a certificate authority: {0}")]
    NoAuthority(&'static str),
    #[error("it was signed by {0}, which is missing or has another key")]
    Orphan(String),
    #[error("it is missing, and every farm has one")]
    Absent,
    #[error(
        "its key is of another kind than pki.algorithm and pki.size say, and cert-manager would never renew it: \
         set them to what it is"
    )]
    Kind,
    #[error("it expired at {0}")]
    Expired(Timestamp),
    #[error(
        "it is valid from {not_before}, and this machine's clock says {now}: one of the clocks is wrong"
    )]
    Future {
        not_before: Timestamp,
        now: Timestamp,
    },
}

/// Why a certificate is issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    Missing,
    Damaged(Flaw),
    Due,
    Subject,
    Names,
    Usages,
    Algorithm,
    Authority,
    Requested,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Reason::Missing => "it is missing",
            Reason::Damaged(flaw) => return flaw.fmt(f),
            Reason::Due => "less than a third of its life is left",
            Reason::Subject => "its subject changed",
            Reason::Names => "its names or addresses changed",
            Reason::Usages => "its usages changed",
            Reason::Algorithm => "its key is of another kind",
            Reason::Authority => "its certificate authority changed",
            Reason::Requested => "it was requested",
        };
        f.write_str(text)
    }
}
