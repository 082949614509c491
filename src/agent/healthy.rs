//! A healthy member of etcd, found by the name of etcd's Service.

use std::path::PathBuf;
use std::time::Duration;

use http::Uri;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::error::{AgentError, read};
use crate::etcd::{Credentials, Member, Status};
use crate::pki::Material;

/// How long a connection may take: another member may be well.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where etcd is, and what its members ask of a client. The files are in PEM.
#[derive(Debug, Clone)]
pub struct EtcdAccess {
    /// `https://HOST:PORT`; the name may lead to several members.
    pub endpoint: Uri,
    pub authorities: PathBuf,
    pub certificate: PathBuf,
    pub key: PathBuf,
}

/// The first healthy member of those that the name leads to, and how it is.
///
/// # Errors
/// What is wrong with each, where none is healthy.
pub(super) async fn healthy(access: &EtcdAccess) -> Result<(Member, Status), AgentError> {
    let credentials = Credentials::of(&Material {
        certificate: read(&access.certificate)?,
        key: Zeroizing::new(read(&access.key)?),
        authorities: read(&access.authorities)?,
    })?;
    let (host, port) = target(&access.endpoint)?;
    let found = timeout(PATIENCE, lookup_host((host, port))).await;
    let found = found.map_err(|_| unusable(host, "no answer from DNS"))?;
    let found = found.map_err(|error| unusable(host, error))?;
    let mut faults = Vec::new();
    for address in found {
        let asked = async {
            let stream = timeout(PATIENCE, TcpStream::connect(address)).await;
            let stream = stream.map_err(|_| unusable(address, "no answer"))?;
            let stream = stream.map_err(|error| unusable(address, error))?;
            let mut member = Member::connect(host, stream, &credentials).await?;
            let status = member.status().await?;
            Ok::<_, AgentError>((member, status))
        };
        match asked.await {
            Ok((member, status)) => match status.unfit() {
                None => return Ok((member, status)),
                Some(fault) => faults.push(format!("{address} {fault}")),
            },
            Err(error) => faults.push(error.to_string()),
        }
    }
    let faults = faults.join("; ");
    Err(unusable(host, format!("no healthy member: {faults}")))
}

fn target(endpoint: &Uri) -> Result<(&str, u16), AgentError> {
    let host = endpoint
        .host()
        .filter(|_| endpoint.scheme_str() == Some("https"));
    let host = host.map(|host| host.trim_start_matches('[').trim_end_matches(']'));
    let pair = host.zip(endpoint.port_u16());
    pair.ok_or_else(|| unusable(endpoint, "expected https://HOST:PORT"))
}

fn unusable(what: impl std::fmt::Display, reason: impl std::fmt::Display) -> AgentError {
    AgentError::Unusable(format!("etcd, {what}: {reason}"))
}
