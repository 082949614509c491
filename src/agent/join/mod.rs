//! The join service: a registration authority for machines that boot. A machine of the farm whose name is free gets a
//! certificate of minutes for that name, with which `kubeadm join` makes a Node of it; and what the farm hands to its
//! nodes in secret. Nobody else gets anything.

mod age;
mod csr;
mod files;
mod grant;
mod kubelets;
mod public;
mod rate;
mod refusal;
mod report;
mod request;
mod server;

use std::cell::RefCell;
use std::net::IpAddr;
use std::path::PathBuf;
use std::pin::pin;
use std::time::Duration;

use futures::StreamExt as _;
use jiff::Timestamp;
use k8s_openapi::api::certificates::v1::CertificateSigningRequest;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::Node;
use kube::api::{Patch, PatchParams};
use kube::runtime::watcher;
use kube::{Api as KubeApi, ResourceExt as _};
use serde_json::json;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use self::kubelets::Pending;
use self::rate::Rate;
use self::refusal::Refusal;
use self::report::Report;
use self::request::JoinRequest;
use self::server::{Answers, Asked, Server};
use super::error::AgentError;
use super::farm_agent::{Clusters, MANAGER, NodeAgent, watched};
use super::known::{self, Alive, Known, Stranger};
use super::shared::Shared;
use super::watch::NODE_LEASES;
use crate::cluster::Observer;
use crate::farm::join::JoinSettings;

/// The Lease that the agent renews to see whether nodes could renew theirs.
const PULSE: [&str; 2] = ["kube-system", "kubefarm-agent"];
const PULSE_INTERVAL: Duration = Duration::from_secs(5);
/// How often requests are looked at that were refused.
const PENDING_INTERVAL: Duration = Duration::from_secs(5);
/// How often what is public is compared with what it should be.
const PUBLISH_INTERVAL: Duration = Duration::from_secs(10);

/// What the join service has, beside the clusters.
#[derive(Debug, Clone)]
pub struct JoinService {
    /// The port that it listens on.
    pub port: u16,
    /// A folder with `tls.crt` and `tls.key`.
    pub certificate: PathBuf,
    /// PEM: what machines have to trust.
    pub authorities: PathBuf,
}

/// Lets machines join, for ever.
///
/// # Errors
/// A port that cannot be had, and a certificate that cannot be read.
pub(super) async fn let_join(
    shared: &Shared<'_>,
    service: &JoinService,
    observer: &dyn Observer,
) -> Result<(), AgentError> {
    let server = Server::bind(service.port, &service.certificate).await?;
    let joining = Joining {
        clusters: shared.clusters,
        agent: shared.agent,
        known: shared.known,
        report: Report::new(shared, observer),
        rate: RefCell::new(Rate::new()),
    };
    tokio::select! {
        () = server.run(&joining) => {}
        () = joining.approve() => {}
        () = joining.feel_the_pulse() => {}
        () = joining.publish(service) => {}
        () = joining.report.run() => {}
    }
    Ok(())
}

/// The clusters, and what is known of them.
struct Joining<'a> {
    clusters: &'a Clusters,
    agent: &'a NodeAgent,
    known: &'a RefCell<Known>,
    report: Report<'a>,
    rate: RefCell<Rate>,
}

impl Joining<'_> {
    /// Approves what kubelets ask for themselves, for ever.
    async fn approve(&self) {
        let requests: KubeApi<CertificateSigningRequest> =
            KubeApi::all(self.clusters.child.clone());
        let mut events = pin!(watched(requests.clone(), watcher::Config::default()));
        // What is refused may be granted once the values change.
        let mut ticks = interval(PENDING_INTERVAL);
        let mut pending = Pending::default();
        loop {
            tokio::select! {
                Some(event) = events.next() => match event {
                    Ok(event) => {
                        pending.event(event);
                        self.report.faults.state("requests", None);
                    }
                    Err(error) => self.report.faults.state("requests", Some(format!("certificate requests: {error}"))),
                },
                _ = ticks.tick() => {}
            }
            let (approved, refused) = pending.decide(&self.known.borrow());
            for object in approved {
                let outcome = kubelets::approve(
                    &requests,
                    object.clone(),
                    "KubefarmNode",
                    "by the farm's values",
                )
                .await;
                if let Err(error) = outcome {
                    self.report.faults.state(
                        "approval",
                        Some(format!("a certificate is not approved: {error}")),
                    );
                    pending.again(object);
                }
            }
            for (node, reason) in refused {
                self.report.certificate_refused(&node, &reason);
            }
        }
    }

    /// Renews a Lease of the agent's own in the child, as kubelets do.
    async fn feel_the_pulse(&self) {
        let [namespace, name] = PULSE;
        let leases: KubeApi<Lease> = KubeApi::namespaced(self.clusters.child.clone(), namespace);
        let params = PatchParams {
            field_manager: Some(MANAGER.to_owned()),
            ..PatchParams::default()
        };
        let mut ticks = interval(PULSE_INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let now = format!("{:.6}", Timestamp::now());
            let renewal = Patch::Merge(json!({"spec": {"renewTime": now}}));
            let renewed = timeout(PULSE_INTERVAL, leases.patch(name, &params, &renewal)).await;
            let fault = match renewed {
                Ok(Ok(_)) => {
                    self.known.borrow_mut().pulse.beat(Instant::now());
                    None
                }
                Ok(Err(error)) => Some(format!("Lease {name}: {error}")),
                Err(_) => Some(format!("Lease {name}: the child cluster does not answer")),
            };
            self.report.faults.state("pulse", fault);
        }
    }

    async fn publish(&self, service: &JoinService) {
        let mut ticks = interval(PUBLISH_INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let join = self.known.borrow().settings.join().cloned();
            let Some(join) = join else { continue };
            let namespace = &self.agent.namespace;
            let done =
                public::publish(&self.clusters.admin, namespace, &join, &service.authorities).await;
            let fault = done
                .err()
                .map(|error| format!("machines cannot ask: {error}"));
            self.report.faults.state("publish", fault);
        }
    }

    /// Whether a machine may have a name now, by what the watches say and, for certain, by what the cluster says.
    async fn check(&self, request: &JoinRequest, source: IpAddr) -> Result<JoinSettings, Refusal> {
        let join = self.may_ask(request, source)?;
        self.is_gone(&request.name)?;
        let name = &request.name;
        let nodes: KubeApi<Node> = KubeApi::all(self.clusters.child.clone());
        let leases: KubeApi<Lease> = KubeApi::namespaced(self.clusters.child.clone(), NODE_LEASES);
        let (node, lease) = futures::try_join!(nodes.get_opt(name), leases.get_opt(name))?;
        {
            let mut known = self.known.borrow_mut();
            known.saw_node(name, node.as_ref().map(known::ready));
            let version = lease.and_then(|lease| lease.resource_version());
            known.saw_lease(name, version, Instant::now());
        }
        self.is_gone(name)?;
        Ok(join)
    }

    fn may_ask(&self, request: &JoinRequest, source: IpAddr) -> Result<JoinSettings, Refusal> {
        let known = self.known.borrow();
        let pause = Duration::from_secs(5);
        let Some(join) = known.join() else {
            return Err(Refusal::later(
                "the agent does not know all nodes yet",
                pause,
            ));
        };
        match known.belongs(&request.name, &request.macs, source, join) {
            Ok(()) => {
                if let Some(signed) = request.signed {
                    age::check(signed, Timestamp::now()).map_err(Refusal::outdated)?;
                }
                Ok(join.clone())
            }
            Err(Stranger::Undecided) => Err(Refusal::later("the farm is being changed", pause)),
            Err(Stranger::Refused(reason)) => Err(Refusal::forbidden(reason)),
        }
    }

    fn is_gone(&self, name: &str) -> Result<(), Refusal> {
        let gone = self.known.borrow().is_gone(name, Instant::now());
        gone.map_err(|Alive { reason, retry }| {
            Refusal::conflict(format!("{name} is taken for alive: {reason}"), retry)
        })
    }

    async fn grant(&self, request: &JoinRequest, source: IpAddr) -> Result<Vec<u8>, Refusal> {
        let join = self.check(request, source).await?;
        let reason = format!("{} asked from {source}", request.name);
        let certificate = grant::grant(&self.clusters.child, request, &reason).await?;
        let archive = files::answer(&self.clusters.admin_client, &join, &certificate).await?;
        Ok(archive.to_vec())
    }
}

impl Answers for Joining<'_> {
    fn is_ready(&self) -> bool {
        self.known.borrow().join().is_some()
    }

    fn sees_machines(&self) -> bool {
        let known = self.known.borrow();
        known.join().is_none_or(|join| join.verify_addresses)
    }

    async fn join(&self, asked: Asked) -> Result<Vec<u8>, Refusal> {
        let source = asked.source;
        if self.sees_machines() {
            let counted = self.rate.borrow_mut().count(source, Instant::now());
            counted.map_err(Refusal::too_many)?;
        }
        let request = match JoinRequest::read(&asked.query, &asked.body) {
            Ok(request) => request,
            Err(reason) => {
                self.report.refused(None, source, &reason);
                return Err(Refusal::malformed(reason));
            }
        };
        let outcome = self.grant(&request, source).await;
        let name = &request.name;
        match &outcome {
            Ok(_) => self.report.granted(name, source),
            Err(Refusal { reason, .. }) => self.report.refused(Some(name), source, reason),
        }
        outcome
    }
}
