//! What the join service did: a line in the log and an Event in the farm's namespace for each grant and refusal, and a
//! step on the way of the machine.

use std::cell::Cell;
use std::net::IpAddr;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::api::events::v1::Event as KubeEvent;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::Api;
use kube::api::{ObjectMeta, PostParams};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::agent::boots::Boots;
use crate::agent::farm_agent::{MANAGER, NodeAgent};
use crate::agent::faults::Faults;
use crate::agent::shared::Shared;
use crate::cluster::{Event, Observer};

/// Events that wait to be written; more are lost, and stand in the log.
const WAITING: usize = 1024;
/// So many refusals have an Event each; from then on one a second, since strangers can ask as often as they like.
const REFUSALS: u32 = 32;
const REFUSAL_INTERVAL: Duration = Duration::from_secs(1);

/// Reports to the log, and writes Events about the agent's Deployment.
pub(super) struct Report<'a> {
    observer: &'a dyn Observer,
    agent: &'a NodeAgent,
    events: Api<KubeEvent>,
    sender: mpsc::Sender<KubeEvent>,
    receiver: Cell<Option<mpsc::Receiver<KubeEvent>>>,
    refusals: Cell<Allowance>,
    pub faults: &'a Faults<'a>,
    boots: &'a Boots<'a>,
}

/// How many refusals may have an Event now.
#[derive(Debug, Clone, Copy)]
struct Allowance {
    left: u32,
    since: Instant,
}

impl Allowance {
    /// Takes one, if there is one.
    fn take(&mut self, now: Instant) -> bool {
        let earned = now.duration_since(self.since).as_secs() / REFUSAL_INTERVAL.as_secs();
        if earned > 0 {
            let earned = u32::try_from(earned).unwrap_or(REFUSALS);
            self.left = self.left.saturating_add(earned).min(REFUSALS);
            self.since = now;
        }
        let is_left = self.left > 0;
        self.left = self.left.saturating_sub(1);
        is_left
    }
}

impl<'a> Report<'a> {
    pub fn new(shared: &Shared<'a>, observer: &'a dyn Observer) -> Report<'a> {
        let agent = shared.agent;
        let client = shared.clusters.admin_client.clone();
        let (sender, receiver) = mpsc::channel(WAITING);
        Report {
            observer,
            agent,
            events: Api::namespaced(client, &agent.namespace),
            sender,
            receiver: Cell::new(Some(receiver)),
            refusals: Cell::new(Allowance {
                left: REFUSALS,
                since: Instant::now(),
            }),
            faults: shared.faults,
            boots: shared.boots,
        }
    }

    /// Writes Events, for ever.
    pub async fn run(&self) {
        let Some(mut receiver) = self.receiver.take() else {
            return;
        };
        while let Some(event) = receiver.recv().await {
            let written = self.events.create(&PostParams::default(), &event).await;
            self.faults.state(
                "events",
                written.err().map(|error| format!("Events: {error}")),
            );
        }
    }

    /// A machine was let in.
    pub fn granted(&self, name: &str, source: IpAddr) {
        let note = format!("{name} may join; it asked from {source}");
        self.observer.observe(&Event::Note(&note));
        self.event("Normal", "JoinGranted", note);
        self.boots.granted(name, source);
    }

    /// A machine was not let in.
    pub fn refused(&self, name: Option<&str>, source: IpAddr, reason: &str) {
        let who = name.unwrap_or("a request");
        self.refusal(
            "JoinRefused",
            format!("{who} from {source} was refused: {reason}"),
        );
        self.boots.refused(name, reason);
    }

    /// A kubelet does not get the certificate that it asks for.
    pub fn certificate_refused(&self, node: &str, reason: &str) {
        self.refusal(
            "CertificateRefused",
            format!("{node} gets no certificate: {reason}"),
        );
    }

    fn refusal(&self, kind: &str, note: String) {
        self.observer.observe(&Event::Note(&note));
        let mut allowance = self.refusals.get();
        let is_left = allowance.take(Instant::now());
        self.refusals.set(allowance);
        if is_left {
            self.event("Warning", kind, note);
        }
    }

    fn event(&self, kind: &str, reason: &str, note: String) {
        let instance = std::env::var("HOSTNAME").unwrap_or_else(|_| self.agent.name.clone());
        let event = KubeEvent {
            metadata: ObjectMeta {
                generate_name: Some(format!("{}-", self.agent.name)),
                ..ObjectMeta::default()
            },
            event_time: Some(MicroTime(Timestamp::now())),
            type_: Some(kind.to_owned()),
            reason: Some(reason.to_owned()),
            note: Some(note),
            action: Some("Join".to_owned()),
            reporting_controller: Some(MANAGER.to_owned()),
            reporting_instance: Some(instance),
            regarding: Some(ObjectReference {
                api_version: Some("apps/v1".to_owned()),
                kind: Some("Deployment".to_owned()),
                name: Some(self.agent.name.clone()),
                namespace: Some(self.agent.namespace.clone()),
                ..ObjectReference::default()
            }),
            ..KubeEvent::default()
        };
        // A full queue: it stands in the log.
        let _ = self.sender.try_send(event);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_refusals_become_few_events() {
        let start = Instant::now();
        let mut allowance = Allowance {
            left: REFUSALS,
            since: start,
        };
        let taken = (0..1000).filter(|_| allowance.take(start)).count();
        assert_eq!(taken, REFUSALS as usize);
        let mut later = |seconds| {
            let now = start + Duration::from_secs(seconds);
            (0..1000).filter(|_| allowance.take(now)).count()
        };
        assert_eq!(later(3), 3);
        assert_eq!(later(10_000), REFUSALS as usize);
    }
}
