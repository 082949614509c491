//! The logs of the servers' pods, followed for ever: pods come and go, containers start anew, connections end.

use std::cell::RefCell;
use std::collections::HashSet;
use std::pin::{Pin, pin};
use std::time::Duration;

use futures::io::{AsyncBufReadExt as _, Lines};
use futures::stream::{self, LocalBoxStream, SelectAll, Stream, StreamExt as _};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::Pod;
use kube::api::LogParams;
use kube::runtime::watcher::{self, Event as WatchEvent};
use kube::{Api, Client, ResourceExt as _};
use tokio::time::sleep;

use crate::agent::farm_agent::watched;
use crate::agent::faults::Faults;
use crate::farm::server_logs::{ServerKind, ServerLog};

/// How far back an agent looks that starts.
const PAST: SignedDuration = SignedDuration::from_hours(24);
/// The pause before a log that ended is opened again.
const PAUSE: Duration = Duration::from_secs(2);

/// A line of a log.
pub(super) struct Line {
    /// When it was written.
    pub at: Timestamp,
    pub text: String,
}

/// A container, as long as its pod is there.
type Container = (String, usize);

/// What comes of a container.
enum Item {
    Opened,
    Line(Line),
    Fault(String),
    /// Its pod is gone.
    End,
}

/// Hands every line of every server over, for ever.
pub(super) async fn follow(
    client: &Client,
    servers: &[ServerLog],
    faults: &Faults<'_>,
    mut take: impl FnMut(&ServerLog, &Line),
) {
    let following = RefCell::new(HashSet::new());
    let mut pods = pin!(pods(client, servers));
    let mut logs: SelectAll<LocalBoxStream<'_, (Container, Item)>> = SelectAll::new();
    loop {
        let (container, item) = tokio::select! {
            Some((index, event)) = pods.next() => {
                let fault = event.as_ref().err().map(|error| format!("pods of servers: {error}"));
                faults.state("pods", fault);
                let (Ok(WatchEvent::Apply(pod) | WatchEvent::InitApply(pod)), Some(server)) = (event, servers.get(index)) else {
                    continue;
                };
                let container = (pod.uid().unwrap_or_default(), index);
                if is_started(&pod, &server.container) && following.borrow_mut().insert(container.clone()) {
                    let log = log(client, server, pod.name_any());
                    logs.push(log.map(move |item| (container.clone(), item)).boxed_local());
                }
                continue;
            }
            Some(item) = logs.next() => item,
            else => std::future::pending().await,
        };
        let Some(server) = servers.get(container.1) else {
            continue;
        };
        match item {
            Item::Opened => faults.state(activity(server.kind), None),
            Item::Line(line) => take(server, &line),
            Item::Fault(fault) => faults.state(activity(server.kind), Some(fault)),
            Item::End => {
                following.borrow_mut().remove(&container);
            }
        }
    }
}

/// What following such a server is called among what may go wrong.
fn activity(kind: ServerKind) -> &'static str {
    match kind {
        ServerKind::Dhcp | ServerKind::SharedDhcp => "log of DHCP",
        ServerKind::Tftp => "log of TFTP",
        ServerKind::Http => "log of HTTP",
    }
}

/// The events of all servers' pods, with the server's place in the list.
fn pods(
    client: &Client,
    servers: &[ServerLog],
) -> impl Stream<Item = (usize, Result<WatchEvent<Pod>, watcher::Error>)> {
    let watches = servers.iter().enumerate().map(|(index, server)| {
        let pods = Api::<Pod>::namespaced(client.clone(), &server.namespace);
        let of_server = watcher::Config::default().labels(&format!("app={}", server.app));
        watched(pods, of_server)
            .map(move |event| (index, event))
            .boxed_local()
    });
    stream::select_all(watches)
}

/// Whether a container has a log: the API server refuses to show one before that.
fn is_started(pod: &Pod, container: &str) -> bool {
    let statuses = pod.status.as_ref();
    let statuses = statuses.and_then(|status| status.container_statuses.as_ref());
    let mut statuses = statuses.into_iter().flatten();
    statuses.any(|status| {
        let state = status.state.as_ref();
        let has_run = status.restart_count > 0;
        status.name == container && (has_run || state.is_some_and(|state| state.running.is_some()))
    })
}

/// The log of a container, until its pod is gone.
fn log(client: &Client, server: &ServerLog, pod: String) -> impl Stream<Item = Item> + use<> {
    let log = Log {
        pods: Api::namespaced(client.clone(), &server.namespace),
        pod,
        container: server.container.clone(),
        lines: None,
        last: Timestamp::now() - PAST,
        since: Timestamp::MIN,
        is_over: false,
    };
    stream::unfold(log, async |mut log| {
        log.next().await.map(|item| (item, log))
    })
}

type Reader = Pin<Box<dyn futures::io::AsyncBufRead>>;

/// A log that is followed.
struct Log {
    pods: Api<Pod>,
    pod: String,
    container: String,
    lines: Option<Lines<Reader>>,
    /// The time of the last line.
    last: Timestamp,
    /// The same when the log was opened, where it went on.
    since: Timestamp,
    is_over: bool,
}

impl Log {
    async fn next(&mut self) -> Option<Item> {
        while !self.is_over {
            let Some(lines) = &mut self.lines else {
                return Some(self.open().await);
            };
            match lines.next().await {
                Some(Ok(line)) => {
                    if let Some(line) = self.read(&line) {
                        return Some(Item::Line(line));
                    }
                }
                Some(Err(_)) | None => {
                    self.lines = None;
                    sleep(PAUSE).await;
                }
            }
        }
        None
    }

    async fn open(&mut self) -> Item {
        let params = LogParams {
            container: Some(self.container.clone()),
            follow: true,
            since_time: Some(self.last),
            timestamps: true,
            ..LogParams::default()
        };
        match self.pods.log_stream(&self.pod, &params).await {
            Ok(reader) => {
                let reader: Reader = Box::pin(reader);
                self.lines = Some(reader.lines());
                self.since = self.last;
                Item::Opened
            }
            Err(kube::Error::Api(status)) if status.code == 404 => {
                self.is_over = true;
                Item::End
            }
            Err(error) => {
                sleep(PAUSE).await;
                Item::Fault(format!("log of {}: {error}", self.pod))
            }
        }
    }

    /// Takes a line that was not there before: the API server goes back to the begin of a second.
    fn read(&mut self, line: &str) -> Option<Line> {
        let (at, text) = line.split_once(' ')?;
        let at: Timestamp = at.parse().ok()?;
        if at <= self.since {
            return None;
        }
        self.last = at;
        Some(Line {
            at,
            text: text.to_owned(),
        })
    }
}
