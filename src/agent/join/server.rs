//! HTTP over TLS for machines that join: few connections at a time, each with a deadline, whoever is behind them.

use std::cell::RefCell;
use std::collections::HashMap;
use std::convert::Infallible;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsAcceptor;

use super::refusal::Refusal;
use crate::agent::error::{AgentError, unreadable};
use crate::agent::listener::listen;

/// More machines wait until one of these is done.
const CONNECTIONS: usize = 256;
/// More connections of one address are closed: it does not keep others waiting. A machine has one.
const OF_ONE_ADDRESS: usize = 8;
/// How long a handshake may take, and how long a request; signing is the longest part of it.
const HANDSHAKE: Duration = Duration::from_secs(10);
const REQUEST: Duration = Duration::from_secs(60);
/// A certificate request has a few hundred bytes.
const LARGEST_BODY: usize = 16 * 1024;
/// How often to check for another certificate.
const RELOAD: Duration = Duration::from_secs(30);

/// What a machine asked for.
pub(super) struct Asked {
    pub source: IpAddr,
    pub query: String,
    pub body: Bytes,
}

/// Answers machines.
pub(super) trait Answers {
    /// Whether requests can be answered.
    fn is_ready(&self) -> bool;

    /// Whether each address is a machine's, and not one that forwards requests of many.
    fn sees_machines(&self) -> bool;

    /// The archive for a machine, or why it gets none.
    async fn join(&self, asked: Asked) -> Result<Vec<u8>, Refusal>;
}

/// The listening socket, and the certificate of the farm.
pub(super) struct Server {
    listener: TcpListener,
    /// A folder with `tls.crt` and `tls.key`, as a Secret is mounted.
    folder: PathBuf,
    tls: RefCell<(Instant, TlsAcceptor)>,
}

impl Server {
    /// Listens on all addresses.
    ///
    /// # Errors
    /// A port that cannot be had, and a certificate that cannot be read.
    pub async fn bind(port: u16, folder: &Path) -> Result<Server, AgentError> {
        let tls = acceptor(folder)?;
        let listener = listen(port).await?;
        Ok(Server {
            listener,
            folder: folder.to_owned(),
            tls: RefCell::new((Instant::now(), tls)),
        })
    }

    /// Answers for ever.
    pub async fn run(&self, answers: &impl Answers) {
        let mut connections = FuturesUnordered::new();
        let mut sources: HashMap<IpAddr, usize> = HashMap::new();
        loop {
            tokio::select! {
                accepted = self.listener.accept(), if connections.len() < CONNECTIONS => match accepted {
                    Ok((stream, peer)) => {
                        let source = peer.ip().to_canonical();
                        let count = sources.entry(source).or_default();
                        if *count < OF_ONE_ADDRESS || !answers.sees_machines() {
                            *count += 1;
                            connections.push(async move {
                                self.connection(stream, source, answers).await;
                                source
                            });
                        }
                    }
                    // Too many open files: those of finished connections are free soon.
                    Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
                },
                Some(source) = connections.next() => {
                    if let Some(count) = sources.get_mut(&source) {
                        *count = count.saturating_sub(1);
                    }
                    sources.retain(|_, count| *count > 0);
                }
            }
        }
    }

    /// What goes wrong with a connection is the client's business, who sees it.
    async fn connection(&self, stream: TcpStream, source: IpAddr, answers: &impl Answers) {
        let tls = self.tls();
        let Ok(Ok(stream)) = timeout(HANDSHAKE, tls.accept(stream)).await else {
            return;
        };
        let service =
            service_fn(async |request| Ok::<_, Infallible>(answer(request, source, answers).await));
        let connection = http1::Builder::new()
            .keep_alive(false)
            .serve_connection(TokioIo::new(stream), service);
        let _ = timeout(REQUEST, connection).await;
    }

    /// With the certificate of now; with the one before while a new one cannot be read.
    fn tls(&self) -> TlsAcceptor {
        let (checked, current) = &mut *self.tls.borrow_mut();
        if checked.elapsed() >= RELOAD {
            *checked = Instant::now();
            if let Ok(new) = acceptor(&self.folder) {
                *current = new;
            }
        }
        current.clone()
    }
}

fn acceptor(folder: &Path) -> Result<TlsAcceptor, AgentError> {
    let (certificate, key) = (folder.join("tls.crt"), folder.join("tls.key"));
    let chain = CertificateDer::pem_file_iter(&certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| unreadable(&certificate, &error))?;
    let private = PrivateKeyDer::from_pem_file(&key).map_err(|error| unreadable(&key, &error))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map(|builder| builder.with_no_client_auth())
        .and_then(|builder| builder.with_single_cert(chain, private))
        .map_err(|error| unreadable(&certificate, &error))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

async fn answer(
    request: Request<Incoming>,
    source: IpAddr,
    answers: &impl Answers,
) -> Response<Full<Bytes>> {
    let (parts, body) = request.into_parts();
    let outcome = match (parts.method.as_str(), parts.uri.path()) {
        ("GET", "/readyz") if answers.is_ready() => return plain(StatusCode::OK, "ok", None),
        ("GET", "/readyz") => Err(Refusal::later("not everything is known yet", RELOAD)),
        ("POST", "/v1/join") => match Limited::new(body, LARGEST_BODY).collect().await {
            Ok(body) => {
                let query = parts.uri.query().unwrap_or_default().to_owned();
                let body = body.to_bytes();
                let asked = Asked {
                    source,
                    query,
                    body,
                };
                answers.join(asked).await
            }
            Err(_) => Err(Refusal::malformed("the body is too large, or incomplete")),
        },
        _ => return plain(StatusCode::NOT_FOUND, "there is POST /v1/join", None),
    };
    match outcome {
        Ok(archive) => {
            let mut response = Response::new(Full::new(archive.into()));
            let kind = header::HeaderValue::from_static("application/x-tar");
            response.headers_mut().insert(header::CONTENT_TYPE, kind);
            response
        }
        Err(refusal) => plain(refusal.status, &refusal.reason, refusal.retry),
    }
}

fn plain(status: StatusCode, text: &str, retry: Option<Duration>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(format!("{text}\n").into()));
    *response.status_mut() = status;
    if let Some(retry) = retry {
        let seconds = retry.as_secs().max(1).into();
        response.headers_mut().insert(header::RETRY_AFTER, seconds);
    }
    response
}
