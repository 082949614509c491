//! Labels, taints and annotations of Nodes follow the farm's values.

mod change;
mod removal;

use std::collections::{BTreeMap, HashMap};
use std::pin::pin;
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream;
use k8s_openapi::api::core::v1::{ConfigMap, Node};
use kube::Client;
use kube::api::{Patch, PatchParams};
use kube::runtime::watcher::{self, Error as WatchError, Event as WatchEvent};
use tokio::time::{Instant, timeout};

use self::change::{Change, Seen};
use self::removal::{Leaving, Step};
use super::error::AgentError;
use super::farm_agent::{Clusters, MANAGER, NodeAgent, watched};
use super::settings::{Found, Settings};
use super::waiting::JobContext;
use crate::cluster::record::Lock;
use crate::cluster::{Api, Event, Observer, Resource};

/// How many Nodes are changed at a time.
const CONCURRENCY: usize = 8;
/// When a Node that could not be changed is tried again.
const RETRY: Duration = Duration::from_secs(5);
/// How long a change may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Changes Nodes, once no other agent does.
///
/// # Errors
/// Where a cluster refuses, and where another agent took over.
pub(super) async fn follow_values(
    clusters: &Clusters,
    agent: &NodeAgent,
    context: &JobContext<'_>,
) -> Result<(), AgentError> {
    let leases = Resource::well_known("coordination.k8s.io", "Lease", "leases");
    let lease = leases.key(&agent.namespace, &agent.name);
    let lock = Lock::acquire(&clusters.admin, lease, context.observer).await?;
    lock.hold(&clusters.admin, async |ours| {
        let clients = Clients {
            settings: kube::Api::namespaced(clusters.admin_client.clone(), &agent.namespace),
            nodes: kube::Api::all(clusters.child.clone()),
            child: clusters.child.clone(),
        };
        let selector = agent.selector();
        tokio::select! {
            () = context.interrupt.wait() => Ok(()),
            ended = Watch::new(&clients, context.observer).run(ours, &selector) => ended,
        }
    })
    .await
}

struct Clients {
    settings: kube::Api<ConfigMap>,
    nodes: kube::Api<Node>,
    child: Client,
}

/// What is known of both clusters.
struct Watch<'a> {
    clients: &'a Clients,
    observer: &'a dyn Observer,
    settings: Settings,
    /// Whether all of the settings were read once.
    settings_are_whole: bool,
    nodes: HashMap<String, Seen>,
    /// Nodes that may have to be changed, and not before when.
    open: BTreeMap<String, Instant>,
    leaving: Leaving,
    reported: String,
}

impl<'a> Watch<'a> {
    fn new(clients: &'a Clients, observer: &'a dyn Observer) -> Watch<'a> {
        Watch {
            clients,
            observer,
            settings: Settings::default(),
            settings_are_whole: false,
            nodes: HashMap::new(),
            open: BTreeMap::new(),
            leaving: Leaving::default(),
            reported: String::new(),
        }
    }

    /// Watches both, for ever.
    async fn run(mut self, ours: &Api, selector: &str) -> Result<(), AgentError> {
        let of_settings = watcher::Config::default().labels(selector);
        let mut settings = pin!(watched(self.clients.settings.clone(), of_settings));
        let mut nodes = pin!(watched(
            self.clients.nodes.clone(),
            watcher::Config::default()
        ));
        loop {
            tokio::select! {
                Some(event) = settings.next() => self.settings_event(event),
                Some(event) = nodes.next() => self.node_event(event),
                () = tokio::time::sleep(RETRY), if !self.open.is_empty() || self.removes() => {}
            }
            // The Lease may have gone to another agent.
            ours.wait_for_tenure().await?;
            self.change_all().await;
            self.remove_one().await;
        }
    }

    fn settings_event(&mut self, event: Result<WatchEvent<ConfigMap>, WatchError>) {
        match event {
            Ok(WatchEvent::Init) => {
                self.settings_are_whole = false;
                self.settings = Settings::default();
                return;
            }
            Ok(WatchEvent::InitApply(object) | WatchEvent::Apply(object)) => {
                if let Err(fault) = self.settings.put(&object) {
                    self.report(&fault);
                }
            }
            Ok(WatchEvent::InitDone) => self.settings_are_whole = true,
            Ok(WatchEvent::Delete(object)) => self.settings.remove(&object),
            Err(error) => return self.report(&format!("settings of Nodes: {error}")),
        }
        if self.settings_are_whole {
            let all = self.nodes.keys().cloned();
            self.open.extend(all.map(|name| (name, Instant::now())));
        }
    }

    fn node_event(&mut self, event: Result<WatchEvent<Node>, WatchError>) {
        match event {
            Ok(WatchEvent::Init) => self.nodes.clear(),
            Ok(WatchEvent::InitApply(node) | WatchEvent::Apply(node)) => {
                let seen = Seen::of(&node);
                // What is known may be newer: the answer to our own change.
                let known = self.nodes.get(&seen.name);
                if known.is_none_or(|known| !seen.is_older_than(known)) {
                    self.open
                        .entry(seen.name.clone())
                        .or_insert_with(Instant::now);
                    self.nodes.insert(seen.name.clone(), seen);
                }
            }
            Ok(WatchEvent::InitDone) => {}
            Ok(WatchEvent::Delete(node)) => {
                let name = node.metadata.name.unwrap_or_default();
                self.open.remove(&name);
                self.leaving.remove(&name);
                self.nodes.remove(&name);
            }
            Err(error) => self.report(&format!("Nodes: {error}")),
        }
    }

    /// Changes what has to be; what fails stays open.
    async fn change_all(&mut self) {
        if !self.settings_are_whole {
            return;
        }
        let changes = self.changes();
        let nodes = &self.clients.nodes;
        let done = stream::iter(changes.into_iter().map(|change| async move {
            // One that does not answer must not keep the others waiting.
            let outcome = timeout(PATIENCE, send(nodes, &change)).await;
            (change, outcome)
        }));
        let mut done = done.buffer_unordered(CONCURRENCY);
        let mut refused = Vec::new();
        while let Some((change, outcome)) = done.next().await {
            let fault = match outcome {
                Ok(Ok(seen)) => {
                    let line = format!("Node {}: {change}", change.name);
                    self.observer.observe(&Event::Note(&line));
                    self.nodes.extend(seen.map(|seen| (change.name, seen)));
                    continue;
                }
                Ok(Err(error)) => {
                    refused.push((change.name, error));
                    continue;
                }
                Err(_) => "the child cluster does not answer".to_owned(),
            };
            self.try_again(change.name, &fault);
        }
        drop(done);
        for (name, error) in refused {
            if is_outdated(&error) && self.look_again(&name).await {
                self.open.insert(name, Instant::now());
            } else {
                self.try_again(name, &error.to_string());
            }
        }
    }

    /// Reports why a Node was not changed, and tries it later.
    fn try_again(&mut self, name: String, fault: &str) {
        let line = format!("Node {name}: {fault}; trying again");
        self.observer.observe(&Event::Note(&line));
        self.open.insert(name, Instant::now() + RETRY);
    }

    /// Reads a Node that may have changed meanwhile, for the watch may be behind; whether it had.
    async fn look_again(&mut self, name: &str) -> bool {
        let found = timeout(PATIENCE, self.clients.nodes.get_opt(name)).await;
        let Ok(Ok(found)) = found else {
            return false;
        };
        let now = found.as_ref().map(Seen::of);
        let before = match now {
            Some(now) => self.nodes.insert(name.to_owned(), now),
            None => self.nodes.remove(name),
        };
        let version = before.map(|before| before.version);
        version != found.and_then(|found| found.metadata.resource_version)
    }

    /// What has to be changed now of the Nodes that are open.
    fn changes(&mut self) -> Vec<Change> {
        let now = Instant::now();
        let open = std::mem::take(&mut self.open).into_iter();
        let (due, later): (BTreeMap<_, _>, _) =
            open.partition(|(_, not_before)| *not_before <= now);
        self.open = later;
        let mut changes = Vec::new();
        for (name, _) in due {
            let Some(node) = self.nodes.get(&name) else {
                continue;
            };
            match self.settings.of(&name, &node.addresses) {
                Found::Settings(wanted) => {
                    self.leaving.remove(&name);
                    let change = Change::new(node, wanted);
                    if !change.is_empty() {
                        changes.push(change);
                    }
                }
                Found::Unlisted if self.leaving.add(&name, now) => {
                    let plan = if self.settings.removes_nodes() {
                        "it will be drained and removed"
                    } else {
                        "left alone"
                    };
                    let note = format!("Node {name} is not in the values of the farm; {plan}");
                    self.observer.observe(&Event::Note(&note));
                }
                Found::Unlisted => {}
                Found::Undecided => self.leaving.remove(&name),
            }
        }
        changes
    }

    /// Whether there are Nodes to remove.
    fn removes(&self) -> bool {
        self.settings.removes_nodes() && !self.leaving.is_empty()
    }

    /// Goes on with removing a Node that the values do not have.
    async fn remove_one(&mut self) {
        if !self.removes() || !self.settings_are_whole {
            return;
        }
        let Some(name) = self.leaving.next(Instant::now()).map(str::to_owned) else {
            return;
        };
        let step = timeout(PATIENCE, removal::step(&self.clients.child, &name)).await;
        let Ok(step) = step else {
            return self.report("the child cluster does not answer");
        };
        match step {
            Ok(Step::Removed) => {
                let note = format!("Node {name}: removed, since the values do not have it");
                self.observer.observe(&Event::Note(&note));
                self.leaving.remove(&name);
            }
            Ok(Step::Waiting(pods)) => {
                self.report(&format!(
                    "Node {name}: waiting for {} to go",
                    pods.join(", ")
                ));
            }
            Err(error) => self.report(&format!("Node {name} cannot be removed: {error}")),
        }
    }

    /// Reports what went wrong, once until something else does.
    fn report(&mut self, fault: &str) {
        if self.reported != fault {
            self.observer.observe(&Event::Note(fault));
            fault.clone_into(&mut self.reported);
        }
    }
}

/// Whether the Node may have changed, or gone, since it was seen. A JSON Patch whose test fails is an invalid one (422),
/// and so is what the child refuses for good.
fn is_outdated(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if matches!(status.code, 404 | 409 | 422))
}

/// Sends a change; gives the Node as it is then.
async fn send(nodes: &kube::Api<Node>, change: &Change) -> Result<Option<Seen>, kube::Error> {
    let mut changed = None;
    // First what an apply does not take away.
    if let Some(patch) = &change.patch {
        let params = PatchParams {
            field_manager: Some(MANAGER.to_owned()),
            ..PatchParams::default()
        };
        let patch = serde_json::from_value(patch.clone()).map_err(kube::Error::SerdeError)?;
        let patch: Patch<Node> = Patch::Json(patch);
        changed = Some(nodes.patch(&change.name, &params, &patch).await?);
    }
    if let Some(object) = &change.apply {
        let params = PatchParams::apply(MANAGER).force();
        let patch = Patch::Apply(object);
        changed = Some(nodes.patch(&change.name, &params, &patch).await?);
    }
    Ok(changed.as_ref().map(Seen::of))
}
