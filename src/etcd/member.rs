//! A connection with a member, and requests to it by its JSON gateway (etcd: "Why gRPC gateway"). A member with
//! `--client-cert-auth` wants a client certificate of its authority, and asks for no more.

use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use serde::de::DeserializeOwned;
use serde_json::{Value as Json, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::answer::{Id, Listed, MemberList, Status};
use super::error::EtcdError;
use super::snapshot::Parts;
use crate::pki::{Material, client_config};

/// How long a handshake may take, and how long an answer. A member answers for itself, without the others.
const PATIENCE: Duration = Duration::from_secs(10);
/// The same of a defragmentation: 1 GiB took 7 s, and a quota is 8 GiB at most.
const PATIENCE_WHILE_WRITING: Duration = Duration::from_secs(300);
/// More than any answer has.
const LARGEST_ANSWER: usize = 1024 * 1024;

/// A client's certificate and key, and the authorities of members.
#[derive(Clone)]
pub struct Credentials(Arc<ClientConfig>);

impl Credentials {
    /// Of a Secret's content.
    ///
    /// # Errors
    /// What is missing, unreadable, or does not belong together.
    pub fn of(material: &Material) -> Result<Credentials, EtcdError> {
        Ok(Credentials(client_config(material)?))
    }
}

/// An open connection with a member.
pub struct Member {
    host: String,
    sender: SendRequest<Full<Bytes>>,
}

impl Member {
    /// Over an open connection with its client port; `host` is a name or an address of its certificate.
    ///
    /// # Errors
    /// A member that is not whom it should be, that does not know us, or that does not answer in time.
    pub async fn connect<S>(
        host: &str,
        connection: S,
        credentials: &Credentials,
    ) -> Result<Member, EtcdError>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let name =
            ServerName::try_from(host.to_owned()).map_err(|error| unreachable(host, &error))?;
        let tls = TlsConnector::from(credentials.0.clone()).connect(name, connection);
        let tls = timeout(PATIENCE, tls).await;
        let tls = tls.map_err(|_| silent(host, PATIENCE))?;
        let tls = tls.map_err(|error| unreachable(host, &error))?;
        let shaken = http1::handshake(TokioIo::new(tls)).await;
        let (sender, connection) = shaken.map_err(|error| unreachable(host, &error))?;
        tokio::spawn(connection);
        Ok(Member {
            host: host.to_owned(),
            sender,
        })
    }

    /// How the member is.
    ///
    /// # Errors
    /// Where it does not answer, or refuses.
    pub async fn status(&mut self) -> Result<Status, EtcdError> {
        self.ask("/v3/maintenance/status", &json!({})).await
    }

    /// The members that this one knows of, also where there is no majority.
    ///
    /// # Errors
    /// Where it does not answer, or refuses.
    pub async fn members(&mut self) -> Result<Vec<Listed>, EtcdError> {
        let list: MemberList = self
            .ask("/v3/cluster/member/list", &json!({ "linearizable": false }))
            .await?;
        Ok(list.members)
    }

    /// Writes its database anew, without what is free in it. It answers nothing meanwhile.
    ///
    /// # Errors
    /// Where it does not answer, or refuses.
    pub async fn defragment(&mut self) -> Result<(), EtcdError> {
        let (path, body) = ("/v3/maintenance/defragment", json!({}));
        let asked = self.ask_for(PATIENCE_WHILE_WRITING, path, &body);
        asked.await.map(|_: Json| ())
    }

    /// Has it hand its leadership to another member, which answers it.
    ///
    /// # Errors
    /// Where it does not answer, or refuses, as a member that does not lead does.
    pub async fn hand_over_to(&mut self, target: Id) -> Result<(), EtcdError> {
        let body = json!({ "targetID": target.0.to_string() });
        let asked = self.ask("/v3/maintenance/transfer-leadership", &body);
        asked.await.map(|_: Json| ())
    }

    /// Takes the alarm NOSPACE of a member away; etcd raises it again at the next write where it is still true.
    ///
    /// # Errors
    /// Where it does not answer, or refuses.
    pub async fn disarm(&mut self, member: Id) -> Result<(), EtcdError> {
        let id = member.0.to_string();
        let body = json!({ "action": "DEACTIVATE", "memberID": id, "alarm": "NOSPACE" });
        let asked = self.ask("/v3/maintenance/alarm", &body);
        asked.await.map(|_: Json| ())
    }

    /// The snapshot of the member's database.
    ///
    /// # Errors
    /// Where it does not begin, or the member refuses.
    pub async fn snapshot(mut self) -> Result<Parts, EtcdError> {
        let host = self.host.clone();
        let nothing = json!({});
        let response = timeout(PATIENCE, self.post("/v3/maintenance/snapshot", &nothing));
        let response = response.await.map_err(|_| silent(&host, PATIENCE))??;
        if response.status() == StatusCode::OK {
            return Ok(Parts::of(host, response.into_body()));
        }
        let status = response.status();
        let body = timeout(PATIENCE, whole(&host, response.into_body())).await;
        let body = body.map_err(|_| silent(&host, PATIENCE))??;
        Err(refused(host, status, &body))
    }

    async fn ask<T: DeserializeOwned>(&mut self, path: &str, body: &Json) -> Result<T, EtcdError> {
        self.ask_for(PATIENCE, path, body).await
    }

    async fn ask_for<T: DeserializeOwned>(
        &mut self,
        patience: Duration,
        path: &str,
        body: &Json,
    ) -> Result<T, EtcdError> {
        let host = self.host.clone();
        let answered = timeout(patience, async {
            let response = self.post(path, body).await?;
            let status = response.status();
            Ok::<_, EtcdError>((status, whole(&host, response.into_body()).await?))
        });
        let (status, body) = answered.await.map_err(|_| silent(&host, patience))??;
        match status {
            StatusCode::OK => serde_json::from_slice(&body).map_err(|error| EtcdError::Garbled {
                host,
                reason: error.to_string(),
            }),
            status => Err(refused(host, status, &body)),
        }
    }

    async fn post(&mut self, path: &str, body: &Json) -> Result<Response<Incoming>, EtcdError> {
        let host = &self.host;
        let request = Request::post(path)
            .header(header::HOST, host)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(body.to_string().into()))
            .map_err(|error| unreachable(host, &error))?;
        let response = self.sender.send_request(request).await;
        response.map_err(|error| unreachable(host, &error))
    }
}

async fn whole(host: &str, body: Incoming) -> Result<Bytes, EtcdError> {
    let body = Limited::new(body, LARGEST_ANSWER).collect().await;
    let body = body.map_err(|error| unreachable(host, &error))?;
    Ok(body.to_bytes())
}

fn refused(host: String, status: StatusCode, body: &[u8]) -> EtcdError {
    match status {
        StatusCode::NOT_FOUND => EtcdError::NoGateway(host),
        status => EtcdError::Refused {
            reason: refusal(status, body),
            host,
        },
    }
}

/// The message of the gateway's `google.rpc.Status`.
fn refusal(status: StatusCode, body: &[u8]) -> String {
    let answer: Json = serde_json::from_slice(body).unwrap_or_default();
    match answer.get("message").and_then(Json::as_str) {
        Some(message) => message.to_owned(),
        None => format!("HTTP {status}"),
    }
}

fn unreachable(host: &str, reason: &dyn ToString) -> EtcdError {
    EtcdError::Unreachable {
        host: host.to_owned(),
        reason: reason.to_string(),
    }
}

fn silent(host: &str, patience: Duration) -> EtcdError {
    unreachable(host, &format!("no answer in {} s", patience.as_secs()))
}
