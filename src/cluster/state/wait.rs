//! Waiting until applied objects are ready.

use std::time::Duration;

use futures::stream::{self, StreamExt};
use serde_json::{Map, Value as Json};
use tokio::time::Instant;

use super::judge::Judge;
use super::readiness::Readiness;
use super::trouble;
use crate::cluster::client::{Api, ClusterError};
use crate::cluster::event::{Action, Event, Observer};
use crate::manifest::Key;

/// The pause before the first round, in which controllers see what was applied a moment ago.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const PAUSE: Duration = Duration::from_secs(1);
/// How long, once the wait is over, the cluster may be asked for the reasons.
const EXPLAIN_TIMEOUT: Duration = Duration::from_secs(5);

/// An object that did not get ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unready {
    pub key: Key,
    /// A predicate of the object: `has 1 of 3 replicas ready`.
    pub reason: String,
    /// The cluster's explanations, a line each: `container etcd: ImagePullBackOff: …`.
    pub details: Vec<String>,
}

/// An object that is waited for.
struct Watch<'a> {
    key: &'a Key,
    state: State,
    reason: String,
    last: Option<Map<String, Json>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    Ready,
    /// No further waiting can help.
    Ended,
}

/// The result of polling an object.
struct Observation {
    readiness: Readiness,
    object: Option<Map<String, Json>>,
}

/// Waits until objects are ready, or have failed, or the deadline of the requests is over, and returns those that
/// are not ready, in the order given; the deadline is not an error. At most `concurrency` are asked for at once.
/// Reports every change of a reason and every object that is ready to `observer`.
///
/// # Errors
/// An interrupt, and failures that no waiting ends: refused credentials, a server that cannot be trusted.
pub async fn wait(
    api: &Api,
    keys: &[Key],
    concurrency: usize,
    observer: &dyn Observer,
) -> Result<Vec<Unready>, ClusterError> {
    let mut watches: Vec<Watch> = keys.iter().map(Watch::new).collect();
    let judge = Judge::new(api);
    let mut pause = FIRST_PAUSE;
    while watches.iter().any(|watch| watch.state == State::Open) {
        let is_in_time = pause_before_round(api, pause).await?
            && poll_all(api, &mut watches, concurrency, &judge, observer).await?;
        if !is_in_time {
            break;
        }
        pause = PAUSE;
    }
    watches.retain(|watch| watch.state != State::Ready);
    explain(api, watches, concurrency).await
}

/// Pauses. Returns whether there is time left.
async fn pause_before_round(api: &Api, pause: Duration) -> Result<bool, ClusterError> {
    let now = Instant::now();
    let until = (now + pause).min(api.deadline());
    api.interrupt().pause(until - now).await?;
    Ok(Instant::now() < api.deadline())
}

/// Polls every open object. Returns whether there is time left.
async fn poll_all(
    api: &Api,
    watches: &mut [Watch<'_>],
    concurrency: usize,
    judge: &Judge<'_>,
    observer: &dyn Observer,
) -> Result<bool, ClusterError> {
    let open: Vec<(usize, &Key)> = watches
        .iter()
        .enumerate()
        .filter(|(_, watch)| watch.state == State::Open)
        .map(|(index, watch)| (index, watch.key))
        .collect();
    let polls = open
        .into_iter()
        .map(|(index, key)| async move { (index, poll(api, key, judge).await) });
    let mut polls = stream::iter(polls).buffer_unordered(concurrency.max(1));
    loop {
        let next = tokio::select! {
            () = api.interrupt().wait() => return Err(ClusterError::Interrupted),
            next = polls.next() => next,
        };
        let Some((index, polled)) = next else {
            return Ok(true);
        };
        let Some(watch) = watches.get_mut(index) else {
            continue;
        };
        match polled {
            Ok(observation) => watch.update(observation, observer),
            Err(error @ ClusterError::Timeout { .. }) => {
                if watch.reason.is_empty() {
                    watch.reason = format!("could not be asked about: {error}");
                }
                return Ok(false);
            }
            Err(error) => return Err(error),
        }
    }
}

async fn poll(api: &Api, key: &Key, judge: &Judge<'_>) -> Result<Observation, ClusterError> {
    let verdict = |readiness| Observation {
        readiness,
        object: None,
    };
    let Some(resource) = api.resources.preferred(&key.group, &key.kind) else {
        let reason = "is of a kind that the cluster does not serve";
        return Ok(verdict(Readiness::Failed(reason.to_owned())));
    };
    let object = match api.get(resource, key).await {
        Ok(Some(object)) => object,
        Ok(None) => return Ok(verdict(Readiness::Failed("is gone".to_owned()))),
        // A Secret is ready when it is there, and not every account may read Secrets.
        Err(error) if error.is_forbidden() && key.kind == "Secret" => {
            return Ok(verdict(Readiness::Ready));
        }
        Err(error) if error.is_forbidden() => {
            let reason = format!("cannot be read: {error}");
            return Ok(verdict(Readiness::Failed(reason)));
        }
        Err(ClusterError::Refused(status)) => {
            let reason = format!("cannot be read: {status}");
            return Ok(verdict(Readiness::Waiting(reason)));
        }
        Err(error) => return Err(error),
    };
    Ok(Observation {
        readiness: judge.readiness(&object).await,
        object: Some(object),
    })
}

impl<'a> Watch<'a> {
    fn new(key: &'a Key) -> Watch<'a> {
        Watch {
            key,
            state: State::Open,
            reason: String::new(),
            last: None,
        }
    }

    fn update(&mut self, observation: Observation, observer: &dyn Observer) {
        let key = self.key;
        if observation.object.is_some() {
            self.last = observation.object;
        }
        let (state, reason) = match observation.readiness {
            Readiness::Ready => {
                self.state = State::Ready;
                self.last = None;
                let action = Action::Ready;
                return observer.observe(&Event::Object { key, action });
            }
            Readiness::Waiting(reason) => (State::Open, reason),
            Readiness::Failed(reason) => (State::Ended, reason),
        };
        self.state = state;
        if self.reason != reason {
            self.reason = reason;
            let reason = &self.reason;
            observer.observe(&Event::Waiting { key, reason });
        }
    }

    fn reason(self) -> String {
        if self.reason.is_empty() {
            "is not known to be ready: there was no time left to ask".to_owned()
        } else {
            self.reason
        }
    }
}

/// Adds the cluster's explanations for the objects that are not ready, within a time of its own.
async fn explain(
    api: &Api,
    watches: Vec<Watch<'_>>,
    concurrency: usize,
) -> Result<Vec<Unready>, ClusterError> {
    let nothing = Map::new();
    let objects: Vec<&Map<String, Json>> = watches
        .iter()
        .map(|watch| watch.last.as_ref().unwrap_or(&nothing))
        .collect();
    let extended = api.until(Instant::now() + EXPLAIN_TIMEOUT, api.interrupt().clone());
    let details = tokio::select! {
        () = api.interrupt().wait() => return Err(ClusterError::Interrupted),
        details = trouble::details(&extended, &objects, concurrency) => details,
    };
    let unready = watches.into_iter().zip(details);
    Ok(unready
        .map(|(watch, details)| Unready {
            key: watch.key.clone(),
            reason: watch.reason(),
            details,
        })
        .collect())
}
