//! Which agent it is, its clusters, and how it watches them.

use std::time::Duration;

use futures::stream::Stream;
use k8s_openapi::api::core::v1::{Node, NodeCondition};
use kube::Client;
use kube::runtime::WatchStreamExt as _;
use kube::runtime::utils::Backoff;
use kube::runtime::watcher::{self, Error as WatchError, Event as WatchEvent, watcher};

use crate::cluster::Api;

/// The field manager of what the agent sets in the child.
pub(super) const MANAGER: &str = "kubefarm-agent";

/// The agent of a farm, in the admin cluster.
#[derive(Debug, Clone)]
pub struct NodeAgent {
    pub namespace: String,
    /// The name of its Lease, and the label `app` of the ConfigMaps with the farm's values.
    pub name: String,
}

impl NodeAgent {
    /// The label selector of those ConfigMaps.
    pub(super) fn selector(&self) -> String {
        format!("app={}", self.name)
    }
}

/// Both clusters.
pub(super) struct Clusters {
    /// The admin cluster, without a deadline.
    pub admin: Api,
    pub admin_client: Client,
    pub child: Client,
}

/// The condition `Ready` of a Node.
pub(super) fn ready(node: &Node) -> Option<&NodeCondition> {
    let conditions = node.status.as_ref()?.conditions.as_ref()?;
    conditions
        .iter()
        .find(|condition| condition.type_ == "Ready")
}

/// The pauses of a watch that fails: a second first, then longer ones. A control plane that comes up is to be seen soon.
struct Pauses(Duration);

const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How many seconds the API server keeps a watch open, which then goes on from where it was: one that stalled without a
/// word does not do so for long.
const WATCH: u32 = 60;

impl Iterator for Pauses {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let pause = self.0;
        self.0 = (pause * 2).min(LONGEST_PAUSE);
        Some(pause)
    }
}

impl Backoff for Pauses {
    fn reset(&mut self) {
        self.0 = FIRST_PAUSE;
    }
}

/// The events of a watch that goes on for ever, with pauses after failures.
pub(super) fn watched<K>(
    api: kube::Api<K>,
    config: watcher::Config,
) -> impl Stream<Item = Result<WatchEvent<K>, WatchError>>
where
    K: kube::Resource + Clone + serde::de::DeserializeOwned + std::fmt::Debug + Send + 'static,
{
    watcher(api, config.timeout(WATCH)).backoff(Pauses(FIRST_PAUSE))
}
