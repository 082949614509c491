//! How it becomes known what is: settings, Nodes and the Leases of kubelets are watched for ever.

use std::pin::pin;

use futures::StreamExt as _;
use futures::future::OptionFuture;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{ConfigMap, Node};
use kube::Api as KubeApi;
use kube::runtime::watcher::{self, Event as WatchEvent};
use tokio::time::Instant;

use super::farm_agent::watched;
use super::shared::Shared;

/// Where kubelets have their Leases.
pub(super) const NODE_LEASES: &str = "kube-node-lease";

/// Keeps what is known as it is. The Leases of kubelets count where machines join.
pub(super) async fn watch(shared: &Shared<'_>, with_leases: bool) {
    let Shared {
        clusters,
        agent,
        known,
        boots,
        ..
    } = shared;
    let of_settings = watcher::Config::default().labels(&agent.selector());
    let settings =
        KubeApi::<ConfigMap>::namespaced(clusters.admin_client.clone(), &agent.namespace);
    let leases = KubeApi::<Lease>::namespaced(clusters.child.clone(), NODE_LEASES);
    let nodes = KubeApi::<Node>::all(clusters.child.clone());
    let mut settings = pin!(watched(settings, of_settings));
    let mut leases = pin!(watched(leases, watcher::Config::default()));
    let mut nodes = pin!(watched(nodes, watcher::Config::default()));
    loop {
        let lease = OptionFuture::from(with_leases.then(|| leases.next()));
        let fault = tokio::select! {
            Some(event) = settings.next() => match event {
                Ok(event) => known.borrow_mut().settings_event(event),
                Err(error) => Err(format!("settings: {error}")),
            },
            Some(event) = nodes.next() => match event {
                Ok(event) => {
                    if let WatchEvent::Apply(node) | WatchEvent::InitApply(node) = &event {
                        boots.node(node);
                    }
                    known.borrow_mut().node_event(event);
                    Ok(())
                }
                Err(error) => Err(format!("Nodes: {error}")),
            },
            Some(Some(event)) = lease => match event {
                Ok(event) => { known.borrow_mut().lease_event(event, Instant::now()); Ok(()) }
                Err(error) => Err(format!("Leases of nodes: {error}")),
            },
        };
        shared.faults.state("watch", fault.err());
    }
}
