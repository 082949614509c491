//! HTTP for who wants to know: `GET /metrics`, and `GET /v1/machines?since=REVISION` for what changed after that. Nothing
//! of it is a secret, and nothing can be changed.

use std::convert::Infallible;
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};

use super::Boots;
use crate::agent::error::AgentError;
use crate::agent::listener::listen;

/// More wait until one of these is done.
const CONNECTIONS: usize = 32;
/// Who watches a rack asks again and again.
const LONGEST: Duration = Duration::from_secs(600);
/// The content type of the metrics (OpenMetrics 1.0).
const METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The listening socket.
pub(super) struct Server(TcpListener);

impl Server {
    /// Listens on all addresses.
    ///
    /// # Errors
    /// A port that cannot be had.
    pub async fn bind(port: u16) -> Result<Server, AgentError> {
        listen(port).await.map(Server)
    }

    /// Answers for ever.
    pub async fn run(&self, boots: &Boots<'_>) {
        let mut connections = FuturesUnordered::new();
        loop {
            tokio::select! {
                accepted = self.0.accept(), if connections.len() < CONNECTIONS => match accepted {
                    Ok((stream, _)) => connections.push(connection(stream, boots)),
                    // Too many open files: those of finished connections are free soon.
                    Err(_) => sleep(Duration::from_millis(100)).await,
                },
                Some(()) = connections.next() => {}
            }
        }
    }
}

async fn connection(stream: TcpStream, boots: &Boots<'_>) {
    let service = service_fn(async |request| Ok::<_, Infallible>(answer(&request, boots)));
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    // What goes wrong with a connection is the client's business, who sees it.
    let _ = timeout(LONGEST, connection).await;
}

fn answer(request: &Request<Incoming>, boots: &Boots<'_>) -> Response<Full<Bytes>> {
    let uri = request.uri();
    let (kind, text) = match (request.method().as_str(), uri.path()) {
        ("GET", "/metrics") => (METRICS, boots.metrics()),
        ("GET", "/v1/machines") => {
            let seen = boots.since(revision(uri.query().unwrap_or_default()));
            let text = serde_json::to_string(&seen).unwrap_or_default();
            ("application/json", text)
        }
        _ => {
            let text = "there are GET /metrics and GET /v1/machines\n";
            let mut response = Response::new(Full::new(text.into()));
            *response.status_mut() = StatusCode::NOT_FOUND;
            return response;
        }
    };
    let mut response = Response::new(Full::new(text.into()));
    let kind = HeaderValue::from_static(kind);
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

fn revision(query: &str) -> u64 {
    let mut parameters = form_urlencoded::parse(query.as_bytes());
    let since = parameters.find(|(key, _)| key == "since");
    since
        .and_then(|(_, value)| value.parse().ok())
        .unwrap_or_default()
}
