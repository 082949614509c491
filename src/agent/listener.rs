//! A port of the agent's.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use tokio::net::TcpListener;

use super::error::AgentError;

/// Listens on all addresses.
///
/// # Errors
/// A port that cannot be had.
pub(super) async fn listen(port: u16) -> Result<TcpListener, AgentError> {
    let everywhere = [
        IpAddr::from(Ipv6Addr::UNSPECIFIED),
        Ipv4Addr::UNSPECIFIED.into(),
    ];
    // The second one where there is no IPv6.
    let everywhere = everywhere.map(|address| (address, port).into());
    let listener = TcpListener::bind(&everywhere[..]).await;
    listener.map_err(|error| AgentError::Unusable(format!("port {port} cannot be had: {error}")))
}
