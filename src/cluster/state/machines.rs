//! How far the machines of a farm are: what its agent knows, and what the servers' logs say.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::pods::{is_running, pods, port};
use super::readiness::condition;
use crate::cluster::client::{Api, ClusterError, Container, Forward};
use crate::manifest::json::text_at;
use crate::nodes::boot::{Machine, Seen};

/// The port of the agent's pods that answers.
const PORT: &str = "metrics";

/// Asks the agent of a farm, again and again.
pub struct Machines<'a> {
    api: &'a Api,
    namespace: String,
    /// The label `app` of the agent's pods.
    agent: String,
    forward: Option<Forward>,
    revision: u64,
    seen: BTreeMap<String, Machine>,
}

impl<'a> Machines<'a> {
    pub fn new(api: &'a Api, namespace: &str, agent: &str) -> Machines<'a> {
        Machines {
            api,
            namespace: namespace.to_owned(),
            agent: agent.to_owned(),
            forward: None,
            revision: 0,
            seen: BTreeMap::new(),
        }
    }

    /// Those that were seen, by name.
    pub fn seen(&self) -> &BTreeMap<String, Machine> {
        &self.seen
    }

    /// Asks what changed. Gives the names of those machines.
    ///
    /// # Errors
    /// Where no pod of the agent answers; the next call asks another one.
    pub async fn refresh(&mut self) -> Result<Vec<String>, ClusterError> {
        let mut forward = match self.forward.take() {
            Some(forward) => forward,
            None => {
                // Another pod counts in its own way.
                self.revision = 0;
                self.open().await?
            }
        };
        let path = format!("/v1/machines?since={}", self.revision);
        let answer = forward.get(&path).await?;
        let answer: Seen =
            serde_json::from_slice(&answer).map_err(|error| ClusterError::Garbled {
                server: self.agent.clone(),
                reason: error.to_string(),
            })?;
        self.forward = Some(forward);
        if self.revision == 0 {
            self.seen.clear();
        }
        self.revision = answer.revision;
        let machines = answer.machines.into_iter();
        let changed = machines.map(|machine| {
            let name = machine.name.clone();
            self.seen.insert(name.clone(), machine);
            name
        });
        Ok(changed.collect())
    }

    async fn open(&self) -> Result<Forward, ClusterError> {
        let pods = pods(self.api, &self.namespace, &self.agent).await?;
        let running = pods.iter().filter(|pod| is_running(pod));
        let found = running.max_by_key(|pod| {
            let ready = condition(pod, "Ready");
            ready.is_some_and(|ready| ready.is_true())
        });
        let pod = found.ok_or_else(|| ClusterError::Unreachable {
            server: format!("the agent {} in namespace {}", self.agent, self.namespace),
            reason: "none of its pods is running".to_owned(),
        })?;
        let name = text_at(pod, &["metadata", "name"]);
        let port = port(pod, PORT).ok_or_else(|| ClusterError::Unreachable {
            server: format!("pod {name}"),
            reason: format!("it has no port called {PORT}; it is of an older kubefarm"),
        })?;
        self.api.forward(&self.namespace, name, port).await
    }
}

/// A line of a server's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    pub at: Timestamp,
    pub pod: String,
    pub container: String,
    pub text: String,
}

/// What the containers `container` of the pods with the label `app` have written, in each pod's own order.
///
/// # Errors
/// Where the pods cannot be listed, or a log cannot be read. A container that has not started has none.
pub async fn log_lines(
    api: &Api,
    namespace: &str,
    app: &str,
    container: &str,
    past: Duration,
) -> Result<Vec<LogLine>, ClusterError> {
    let mut found = Vec::new();
    for pod in pods(api, namespace, app).await? {
        let pod = text_at(&pod, &["metadata", "name"]).to_owned();
        let of_pod = Container {
            namespace: namespace.to_owned(),
            pod: pod.clone(),
            name: container.to_owned(),
        };
        let log = match api.log(&of_pod, past).await {
            Ok(log) => log,
            // Gone, or not started.
            Err(ClusterError::Refused(status)) if matches!(status.code, 400 | 404) => continue,
            Err(error) => return Err(error),
        };
        found.extend(log.lines().filter_map(|line| {
            let (at, text) = line.split_once(' ')?;
            Some(LogLine {
                at: at.parse().ok()?,
                pod: pod.clone(),
                container: container.to_owned(),
                text: text.to_owned(),
            })
        }));
    }
    Ok(found)
}
