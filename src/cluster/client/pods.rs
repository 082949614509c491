//! What pods have beyond their objects: logs, and ports that the API server connects one with. No NetworkPolicy is in
//! between, since the kubelet connects from inside of the pod's network.

use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{LogParams, Portforwarder};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::api::Api;
use super::error::ClusterError;

/// How long a pod may take to answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// A container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Container {
    pub namespace: String,
    pub pod: String,
    pub name: String,
}

impl Api {
    /// What a container has written, each line after its time (RFC 3339).
    ///
    /// # Errors
    /// Where the server cannot be asked, or refuses.
    pub async fn log(&self, container: &Container, past: Duration) -> Result<String, ClusterError> {
        let params = LogParams {
            container: Some(container.name.clone()),
            since_seconds: Some(i64::try_from(past.as_secs()).unwrap_or(i64::MAX).max(1)),
            timestamps: true,
            ..LogParams::default()
        };
        let pods = self.pods(&container.namespace).await;
        let log = pods.logs(&container.pod, &params);
        let read = timeout(PATIENCE, log).await;
        let read = read.map_err(|_| self.silent(&container.pod))?;
        read.map_err(|error| self.failure(error))
    }

    /// HTTP with a port of a pod.
    ///
    /// # Errors
    /// Where the server cannot be asked, or refuses, and where nobody listens.
    pub async fn forward(
        &self,
        namespace: &str,
        pod: &str,
        port: u16,
    ) -> Result<Forward, ClusterError> {
        let tunnel = self.tunnel(namespace, pod, port).await?;
        Ok(Forward {
            pod: pod.to_owned(),
            sender: self.shake(pod, tunnel.stream).await?,
            _forwarder: tunnel.forwarder,
        })
    }

    /// The same over TLS; `host` is a name or an address of the pod's certificate.
    ///
    /// # Errors
    /// As of [`Api::forward`], and where the pod is not whom it should be, or does not know us.
    pub async fn forward_tls(
        &self,
        namespace: &str,
        pod: &str,
        port: u16,
        host: &str,
        config: Arc<ClientConfig>,
    ) -> Result<Forward, ClusterError> {
        let name = ServerName::try_from(host.to_owned());
        let name = name.map_err(|error| unreachable(pod, error))?;
        let tunnel = self.tunnel(namespace, pod, port).await?;
        let tls = timeout(
            PATIENCE,
            TlsConnector::from(config).connect(name, tunnel.stream),
        );
        let tls = tls.await.map_err(|_| self.silent(pod))?;
        let tls = tls.map_err(|error| unreachable(pod, error))?;
        Ok(Forward {
            pod: pod.to_owned(),
            sender: self.shake(pod, tls).await?,
            _forwarder: tunnel.forwarder,
        })
    }

    async fn shake<S>(
        &self,
        pod: &str,
        stream: S,
    ) -> Result<SendRequest<Empty<Bytes>>, ClusterError>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let shaken = timeout(PATIENCE, http1::handshake(TokioIo::new(stream)));
        let shaken = shaken.await.map_err(|_| self.silent(pod))?;
        let (sender, connection) = shaken.map_err(|error| unreachable(pod, error))?;
        tokio::spawn(connection);
        Ok(sender)
    }

    /// A connection with a port of a pod, for any protocol.
    ///
    /// # Errors
    /// Where the server cannot be asked, or refuses. Where nobody listens, the stream ends.
    pub async fn tunnel(
        &self,
        namespace: &str,
        pod: &str,
        port: u16,
    ) -> Result<Tunnel, ClusterError> {
        let pods = self.pods(namespace).await;
        let ports = [port];
        let opened = timeout(PATIENCE, pods.portforward(pod, &ports));
        let opened = opened.await.map_err(|_| self.silent(pod))?;
        let mut forwarder = opened.map_err(|error| self.failure(error))?;
        let stream = forwarder.take_stream(port);
        let stream = stream.ok_or_else(|| unreachable(pod, "there is no stream"))?;
        Ok(Tunnel { stream, forwarder })
    }

    async fn pods(&self, namespace: &str) -> kube::Api<Pod> {
        let client = self.transport.connection().await.client.clone();
        kube::Api::namespaced(client, namespace)
    }

    fn failure(&self, error: kube::Error) -> ClusterError {
        self.transport.failure(error)
    }

    fn silent(&self, pod: &str) -> ClusterError {
        unreachable(pod, format_args!("no answer in {} s", PATIENCE.as_secs()))
    }
}

fn unreachable(pod: &str, reason: impl std::fmt::Display) -> ClusterError {
    ClusterError::Unreachable {
        server: format!("pod {pod}"),
        reason: reason.to_string(),
    }
}

/// An open connection with a port of a pod.
pub struct Tunnel {
    pub stream: DuplexStream,
    /// Ends with the connection.
    pub forwarder: Portforwarder,
}

/// The same, for HTTP.
pub struct Forward {
    pod: String,
    sender: SendRequest<Empty<Bytes>>,
    _forwarder: Portforwarder,
}

impl Forward {
    /// What the pod answers to `GET`.
    ///
    /// # Errors
    /// Where it does not answer, and where its answer is not 200.
    pub async fn get(&mut self, path: &str) -> Result<Bytes, ClusterError> {
        let found = self.find(path).await?;
        found.ok_or_else(|| unreachable(&self.pod, format_args!("HTTP 404 for {path}")))
    }

    /// The same; `None` where its answer is 404.
    ///
    /// # Errors
    /// As of [`Forward::get`].
    pub async fn find(&mut self, path: &str) -> Result<Option<Bytes>, ClusterError> {
        let pod = self.pod.clone();
        let request = Request::get(path)
            .header("Host", "pod")
            .body(Empty::new())
            .map_err(|error| unreachable(&pod, error))?;
        let answered = timeout(PATIENCE, async {
            let response = self.sender.send_request(request).await?;
            read(response).await
        });
        match answered.await {
            Err(_) => Err(unreachable(&pod, "no answer in time")),
            Ok(Err(error)) => Err(unreachable(&pod, error)),
            Ok(Ok((200, body))) => Ok(Some(body)),
            Ok(Ok((404, _))) => Ok(None),
            Ok(Ok((status, _))) => Err(unreachable(&pod, format_args!("HTTP {status} for {path}"))),
        }
    }
}

async fn read(response: Response<Incoming>) -> Result<(u16, Bytes), hyper::Error> {
    let status = response.status().as_u16();
    Ok((status, response.into_body().collect().await?.to_bytes()))
}
