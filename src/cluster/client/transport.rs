//! One request to the API server: sent, sent again where that may help, and its answer read.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use kube::client::Body;
use serde_json::{Map, Value as Json};
use tokio::sync::{Mutex, watch};
use tokio::time::{Instant, timeout_at};

use super::connect::{Connection, Target, error_chain};
use super::error::ClusterError;
use super::interrupt::Interrupt;
use super::resources::Resources;
use super::status::Status;

/// How long one attempt may take; the API server itself gives up after 34 s for most requests.
const ATTEMPT: Duration = Duration::from_secs(40);
/// The pause before the second attempt; it doubles up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(3);
/// How often an internal error (500) is worth another attempt: it may be a webhook that will never answer.
const INTERNAL_ERRORS: u32 = 8;
/// What is sent and wanted, where a request does not say otherwise.
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Sends requests to a cluster, until a deadline or until the user interrupts.
#[derive(Clone)]
pub(super) struct Transport {
    /// All copies share it, because one of them may have to replace it.
    connection: Arc<Mutex<Arc<Connection>>>,
    target: Target,
    /// `https://10.0.0.1:6443`, for messages.
    server: String,
    pub deadline: Instant,
    pub interrupt: Interrupt,
    /// Whether requests may be sent, where a Lease decides on that.
    tenure: Option<watch::Receiver<Tenure>>,
}

/// How long a Lease is ours.
#[derive(Debug, Clone)]
pub(in crate::cluster) enum Tenure {
    /// Until then, unless it is renewed.
    Until(Instant),
    /// For good it is not, and why: a predicate of the Lease.
    Over(String),
}

/// What the server made of an object.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Answer {
    pub object: Map<String, Json>,
    /// Whether it was not there before.
    pub created: bool,
    /// The server's `Warning` headers.
    pub warnings: Vec<String>,
    /// The server's clock.
    pub time: Option<Timestamp>,
}

impl Transport {
    /// Prepares a connection; nothing is sent.
    pub async fn connect(
        target: Target,
        timeout: Duration,
        interrupt: Interrupt,
    ) -> Result<Transport, ClusterError> {
        let deadline = Instant::now().checked_add(timeout);
        let deadline = deadline.ok_or_else(|| ClusterError::Configuration {
            message: format!("no clock knows the time in {} s", timeout.as_secs()),
        })?;
        let connection = target.connect().await?;
        Ok(Transport {
            server: connection.server.clone(),
            connection: Arc::new(Mutex::new(Arc::new(connection))),
            target,
            deadline,
            interrupt,
            tenure: None,
        })
    }

    /// A copy with its own deadline and interrupt.
    pub fn until(&self, deadline: Instant, interrupt: Interrupt) -> Transport {
        Transport {
            deadline,
            interrupt,
            ..self.clone()
        }
    }

    /// A copy that sends only while a Lease is held.
    pub fn within(&self, tenure: watch::Receiver<Tenure>) -> Transport {
        Transport {
            tenure: Some(tenure),
            ..self.clone()
        }
    }

    pub fn server(&self) -> &str {
        &self.server
    }

    /// What the cluster serves. This comes first, so it fails at once where nobody answers.
    pub async fn discover(&self) -> Result<Resources, ClusterError> {
        let connection = self.connection().await;
        let found = Resources::discover(&connection.client);
        tokio::select! {
            () = self.interrupt.wait() => Err(ClusterError::Interrupted),
            found = timeout_at(self.deadline, found) => match found {
                Ok(found) => found.map_err(|error| self.failure(error)),
                Err(_) => Err(self.timed_out("it did not say what it serves".to_owned())),
            },
        }
    }

    /// [`Transport::discover`], with retries.
    pub async fn discover_with_retries(&self) -> Result<Resources, ClusterError> {
        self.retry(&Method::GET, async || self.discover().await)
            .await
    }

    /// Sends a request until it is answered, refused for good, or out of time.
    pub async fn send(&self, request: Request<Vec<u8>>) -> Result<Answer, ClusterError> {
        let is_renewed = Cell::new(false);
        self.retry(request.method(), async || {
            let connection = self.connection().await;
            match self.attempt(&connection, &request).await {
                Err(ClusterError::Unauthorized { .. }) if !is_renewed.replace(true) => {
                    self.renew(&connection).await?;
                    let renewed = self.connection().await;
                    self.attempt(&renewed, &request).await
                }
                other => other,
            }
        })
        .await
    }

    /// Makes attempts with longer and longer pauses between them. Ends with the error of an attempt where another one
    /// cannot help, and with a timeout that quotes it where another one would come too late.
    async fn retry<T>(
        &self,
        method: &Method,
        attempt: impl AsyncFn() -> Result<T, ClusterError>,
    ) -> Result<T, ClusterError> {
        let mut pause = FIRST_PAUSE;
        let mut attempts = 0;
        loop {
            let error = match attempt().await {
                Ok(result) => return Ok(result),
                Err(error) => error,
            };
            attempts += 1;
            let Some(advised) = worth_repeating(&error, method, attempts) else {
                return Err(error);
            };
            let wait = pause.max(advised);
            if Instant::now() + wait >= self.deadline {
                return Err(self.timed_out(error.to_string()));
            }
            self.interrupt.pause(wait).await?;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    pub async fn connection(&self) -> Arc<Connection> {
        Arc::clone(&*self.connection.lock().await)
    }

    /// Reconnects, because a token file or a credential plugin may have a newer token by now; not where another request
    /// has done so since `refused` was the newest connection.
    async fn renew(&self, refused: &Arc<Connection>) -> Result<(), ClusterError> {
        let mut newest = self.connection.lock().await;
        if Arc::ptr_eq(&newest, refused) {
            *newest = Arc::new(self.target.connect().await?);
        }
        Ok(())
    }

    /// When an attempt has to be answered; waits while none may be sent.
    pub async fn attempt_deadline(&self) -> Result<Instant, ClusterError> {
        let until = (Instant::now() + ATTEMPT).min(self.deadline);
        let Some(mut tenure) = self.tenure.clone() else {
            return Ok(until);
        };
        loop {
            match tenure.borrow_and_update().clone() {
                Tenure::Until(end) if Instant::now() < end => return Ok(until.min(end)),
                Tenure::Until(_) => {}
                Tenure::Over(reason) => return Err(ClusterError::LeaseLost(reason)),
            }
            tokio::select! {
                () = self.interrupt.wait() => return Err(ClusterError::Interrupted),
                changed = timeout_at(self.deadline, tenure.changed()) => if !matches!(changed, Ok(Ok(()))) {
                    let last = "the Lease that guards this farm could not be renewed";
                    return Err(self.timed_out(last.to_owned()));
                },
            }
        }
    }

    async fn attempt(
        &self,
        connection: &Connection,
        request: &Request<Vec<u8>>,
    ) -> Result<Answer, ClusterError> {
        let mut request = request.clone().map(Body::from);
        for name in [header::CONTENT_TYPE, header::ACCEPT] {
            let headers = request.headers_mut();
            headers.entry(name).or_insert(JSON);
        }
        let until = self.attempt_deadline().await?;
        let exchange = async {
            let response = connection.client.send(request).await?;
            read(response).await
        };
        match timeout_at(until, exchange).await {
            Ok(Ok((status, headers, body))) => self.answer(status, &headers, &body),
            Ok(Err(error)) => Err(self.failure(error)),
            Err(_) => Err(ClusterError::Unreachable {
                server: self.server().to_owned(),
                reason: "no answer".to_owned(),
            }),
        }
    }

    fn answer(
        &self,
        status: StatusCode,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Answer, ClusterError> {
        if status == StatusCode::UNAUTHORIZED {
            let server = self.server().to_owned();
            return Err(ClusterError::Unauthorized { server });
        }
        if !status.is_success() {
            return Err(ClusterError::Refused(Box::new(refusal(status, body))));
        }
        let object = serde_json::from_slice(body).map_err(|error| ClusterError::Garbled {
            server: self.server().to_owned(),
            reason: error.to_string(),
        })?;
        Ok(Answer {
            object,
            created: status == StatusCode::CREATED,
            warnings: warnings(headers),
            time: time(headers),
        })
    }

    fn timed_out(&self, last: String) -> ClusterError {
        ClusterError::Timeout {
            server: self.server().to_owned(),
            last,
        }
    }

    pub fn failure(&self, error: kube::Error) -> ClusterError {
        let server = self.server().to_owned();
        match error {
            kube::Error::Api(status) if status.code == 401 => ClusterError::Unauthorized { server },
            kube::Error::Api(status) => ClusterError::Refused(Box::new(Status(status))),
            kube::Error::SerdeError(error) => ClusterError::Garbled {
                server,
                reason: error.to_string(),
            },
            kube::Error::Auth(error) => ClusterError::Credentials {
                server,
                reason: error_chain(&error),
            },
            other => {
                let reason = error_chain(&other);
                let reason = reason
                    .trim_start_matches("ServiceError: ")
                    .trim_start_matches("HyperError: ")
                    .to_owned();
                if reason.contains("certificate") {
                    ClusterError::Untrusted { server, reason }
                } else {
                    ClusterError::Unreachable { server, reason }
                }
            }
        }
    }
}

async fn read(response: Response<Body>) -> Result<(StatusCode, HeaderMap, Vec<u8>), kube::Error> {
    let (head, body) = response.into_parts();
    let body = body.collect().await?.to_bytes();
    Ok((head.status, head.headers, body.to_vec()))
}

/// The `Date` header, whose dates are as those of e-mail (RFC 9110, section 6.6.1).
fn time(headers: &HeaderMap) -> Option<Timestamp> {
    let text = headers.get(header::DATE)?.to_str().ok()?;
    let parser = rfc2822::DateTimeParser::new();
    parser.parse_timestamp(text).ok()
}

/// The texts of `Warning: 299 - "text"` headers (RFC 7234, section 5.5).
fn warnings(headers: &HeaderMap) -> Vec<String> {
    let values = headers.get_all(header::WARNING).into_iter();
    values
        .filter_map(|value| value.to_str().ok())
        .map(|value| {
            let quoted = value.split_once('"').map_or(value, |(_, rest)| rest);
            let text = quoted.trim_end_matches('"');
            text.replace("\\\"", "\"").replace("\\\\", "\\")
        })
        .collect()
}

/// The server's reasons for a refusal; what is not a `Status` (a proxy's page) is its message as it is.
fn refusal(status: StatusCode, body: &[u8]) -> Status {
    match serde_json::from_slice::<kube::core::Status>(body) {
        Ok(found) if found.code != 0 => Status(Box::new(found)),
        _ => Status::new(
            status.as_u16(),
            status.canonical_reason().unwrap_or_default(),
            String::from_utf8_lossy(body).trim(),
        ),
    }
}

/// How long to wait at least before the same request may succeed; `None` where it never will.
fn worth_repeating(error: &ClusterError, method: &Method, attempts: u32) -> Option<Duration> {
    let status = match error {
        ClusterError::Unreachable { .. } => return Some(Duration::ZERO),
        ClusterError::Refused(status) => status,
        _ => return None,
    };
    let advised = Duration::from_secs(status.retry_after_seconds());
    match status.code {
        // A patch carries no version, so another writer's change does not make it wrong.
        409 if status.is_stale() && *method == Method::PATCH => Some(Duration::ZERO),
        429 | 502 | 503 | 504 => Some(advised),
        500 if attempts < INTERNAL_ERRORS && !status.message.contains("too large") => Some(advised),
        _ => None,
    }
}
