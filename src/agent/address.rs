//! The address of a Service, waited for.

use std::net::IpAddr;

use super::error::AgentError;
use super::waiting::wait_for;
use crate::cluster::state::ServiceAddress;
use crate::cluster::{Api, Observer, Resource};
use crate::manifest::Key;

/// Why a Service is still waited for.
const PENDING: &str = "its load balancer has given it no address";

/// Waits until a Service has addresses, or shows that it will never have any.
///
/// # Errors
/// Where none comes in time, or the cluster refuses.
pub(super) async fn service_address(
    api: &Api,
    namespace: &str,
    service: &str,
    observer: &dyn Observer,
) -> Result<ServiceAddress, AgentError> {
    let key = Key::core("Service", namespace, service);
    let services = Resource::core("Service", "services");
    wait_for(
        api,
        &services,
        &key,
        observer,
        |service| match ServiceAddress::of(service) {
            ServiceAddress::Pending => Err(PENDING.to_owned()),
            found => Ok(found),
        },
    )
    .await
}

/// The first IP address, or why there is none: a predicate of the Service.
pub(super) fn first_address(found: ServiceAddress) -> Result<IpAddr, String> {
    let addresses = addresses_of(found)?;
    let first = addresses.first().copied();
    first.ok_or_else(|| "has no address".to_owned())
}

/// The IP addresses, or why there are none: a predicate of the Service.
pub(super) fn addresses_of(found: ServiceAddress) -> Result<Vec<IpAddr>, String> {
    match found {
        ServiceAddress::Addresses { ips, .. } => Ok(ips),
        ServiceAddress::Names(names) => Err(format!(
            "has the name {} and no address",
            names.first().map(String::as_str).unwrap_or_default()
        )),
        ServiceAddress::Pending => Err("has no address yet".to_owned()),
        ServiceAddress::Never(kind) => Err(format!("is a {kind}, which is given no address")),
    }
}
