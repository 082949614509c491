//! The endpoints of the Service `kubernetes` inside a child. Its API servers have to leave that alone
//! (`--endpoint-reconciler-type=none`), because each that stops would take away the address that all of them share.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use serde_json::{Map, Value as Json, json};
use tokio::time::Instant;

use super::address::{addresses_of, service_address};
use super::error::AgentError;
use super::waiting::{JobContext, POLL_INTERVAL, connect, wait_for};
use crate::cluster::client::DeleteParams;
use crate::cluster::{Api, ClusterError, Event, Observer, Resource, Target};
use crate::manifest::json::{into_object, text_at, value_at};
use crate::manifest::{Key, Object};

const NAMESPACE: &str = "default";
/// The Service. kube-apiserver creates it in any case, and gives its own endpoints the same name.
const SERVICE: &str = "kubernetes";
/// The field manager of kube-apiserver's own requests.
const RECONCILER: &str = "kube-apiserver";
/// How long an API server with a reconciler may leave its endpoints alone (DefaultEndpointReconcilerInterval, and half
/// as long again for its requests).
const QUIET: Duration = Duration::from_secs(15);

/// Where the addresses come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Announce {
    /// The API servers announce themselves.
    Nothing,
    /// They are known.
    At(Vec<SocketAddr>),
    /// A load balancer gives them to a Service of the admin cluster.
    Balanced {
        namespace: String,
        service: String,
        port: u16,
    },
}

impl Announce {
    /// The addresses, the first of each family; waits until the load balancer has given one.
    ///
    /// # Errors
    /// Where none comes in time, or the admin cluster refuses.
    pub(super) async fn addresses(
        &self,
        admin: Target,
        context: &JobContext<'_>,
    ) -> Result<Vec<SocketAddr>, AgentError> {
        match self {
            Announce::Nothing => Ok(Vec::new()),
            Announce::At(addresses) => Ok(one_a_family(addresses.clone())),
            Announce::Balanced {
                namespace,
                service,
                port,
            } => {
                let admin = connect(admin, context).await?;
                let found = service_address(&admin, namespace, service, context.observer).await?;
                let addresses = addresses_of(found).map_err(|reason| {
                    AgentError::Unusable(format!(
                        "Service {service} {reason}: set kubernetes.apiServer.extraArgs.advertise-address to the \
                         address at which nodes reach the API server"
                    ))
                })?;
                let addresses = addresses.into_iter();
                Ok(one_a_family(
                    addresses
                        .map(|address| SocketAddr::new(address, *port))
                        .collect(),
                ))
            }
        }
    }
}

fn one_a_family(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let mut first: Vec<SocketAddr> = Vec::new();
    for address in addresses {
        let is_same = |other: &SocketAddr| other.is_ipv4() == address.is_ipv4();
        if !first.iter().any(is_same) {
            first.push(address);
        }
    }
    first
}

/// The address that the Service itself needs: the one of its own family.
///
/// # Errors
/// Where there is none of that family, or kube-apiserver does not make the Service in time.
pub(super) async fn primary(
    child: &Api,
    addresses: &[SocketAddr],
    observer: &dyn Observer,
) -> Result<SocketAddr, AgentError> {
    let key = Key::core("Service", NAMESPACE, SERVICE);
    let services = Resource::core("Service", "services");
    let address = wait_for(child, &services, &key, observer, |service| {
        let address = text_at(service, &["spec", "clusterIP"]);
        let address = address.parse::<IpAddr>();
        address.map_err(|_| "it has no address yet".to_owned())
    })
    .await?;
    let mut addresses = addresses.iter();
    let found = addresses.find(|other| other.is_ipv4() == address.is_ipv4());
    found.copied().ok_or_else(|| {
        AgentError::Unusable(format!(
            "{key} has the address {address}, but the API server has none of that family: set \
             kubernetes.apiServer.extraArgs.advertise-address to one at which nodes reach it"
        ))
    })
}

/// The objects of the announcement: an EndpointSlice for each family, and the Endpoints of `primary` for those who still read them.
///
/// The slices have names of their own, so that API servers with a reconciler, which run until a rollout is over, do not
/// touch them. kube-proxy and DNS take all slices of a Service together.
pub(super) fn objects(addresses: &[SocketAddr], primary: SocketAddr) -> Vec<Object> {
    let slices = addresses.iter().map(|address| {
        let family = if address.is_ipv4() { "IPv4" } else { "IPv6" };
        json!({
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {
                "name": format!("{SERVICE}-{}", family.to_lowercase()),
                "namespace": NAMESPACE,
                "labels": {
                    "kubernetes.io/service-name": SERVICE,
                    "endpointslice.kubernetes.io/managed-by": "kubefarm.io",
                },
            },
            "addressType": family,
            "endpoints": [{ "addresses": [address.ip()], "conditions": { "ready": true } }],
            "ports": [port(*address)],
        })
    });
    let endpoints = json!({
        "apiVersion": "v1",
        "kind": "Endpoints",
        "metadata": {
            "name": SERVICE,
            "namespace": NAMESPACE,
            // Without it the controller manager would make another slice of it.
            "labels": { "endpointslice.kubernetes.io/skip-mirror": "true" },
        },
        "subsets": subsets(primary),
    });
    let all = slices.chain([endpoints]);
    all.map(|content| Object::new(SERVICE, into_object(content)))
        .collect()
}

fn port(address: SocketAddr) -> Json {
    json!({ "name": "https", "port": address.port(), "protocol": "TCP" })
}

fn subsets(address: SocketAddr) -> Json {
    json!([{ "addresses": [{ "ip": address.ip() }], "ports": [port(address)] }])
}

/// Removes the slice that a reconciler left behind. While an API server that has one still runs, it writes that slice
/// again and again, and empties it and the Endpoints when it stops: this waits for the end of the last.
///
/// # Errors
/// Where one still runs when the time is over, or the child refuses.
pub(super) async fn take_over(
    child: &Api,
    primary: SocketAddr,
    observer: &dyn Observer,
) -> Result<(), AgentError> {
    let slices = Resource::well_known("discovery.k8s.io", "EndpointSlice", "endpointslices");
    let key = slices.key(NAMESPACE, SERVICE);
    let reason = "an API server from before the change still writes it";
    let mut seen: Option<Instant> = None;
    loop {
        let slice = child.get(&slices, &key).await?;
        if slice.is_some_and(|slice| is_of_a_reconciler(&slice)) {
            child
                .delete(&slices, &key, &DeleteParams::background())
                .await?;
            restore_endpoints(child, primary).await?;
            seen = Some(Instant::now());
        }
        match seen {
            Some(last) if last.elapsed() < QUIET => {}
            _ => return Ok(()),
        }
        if Instant::now() + POLL_INTERVAL >= child.deadline() {
            return Err(AgentError::TooLate(format!("{key}: {reason}")));
        }
        observer.observe(&Event::Waiting { key: &key, reason });
        child.interrupt().pause(POLL_INTERVAL).await?;
    }
}

fn is_of_a_reconciler(slice: &Map<String, Json>) -> bool {
    let managers = value_at(slice, &["metadata", "managedFields"]);
    let mut managers = managers.and_then(Json::as_array).into_iter().flatten();
    managers.any(|entry| entry.get("manager").and_then(Json::as_str) == Some(RECONCILER))
}

/// Puts right what a reconciler emptied; the rest of the object is as it was applied.
async fn restore_endpoints(child: &Api, primary: SocketAddr) -> Result<(), ClusterError> {
    let key = Key::core("Endpoints", NAMESPACE, SERVICE);
    let operation = json!({ "op": "add", "path": "/subsets", "value": subsets(primary) });
    let endpoints = Resource::core("Endpoints", "endpoints");
    child.patch(&endpoints, &key, &[operation]).await?;
    Ok(())
}
