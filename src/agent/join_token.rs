//! `kubefarm agent join-token`: a bootstrap token, and the file from which booting nodes read it.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Map, Value as Json, json};
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::address::{first_address, service_address};
use super::authorities::Authorities;
use super::error::AgentError;
use super::join_file::{self, FILE};
use super::waiting::{JobContext, connect, wait_for};
use crate::cluster::client::DeleteParams;
use crate::cluster::{Api, ClusterError, Interrupt, Observer, Resource, Target};
use crate::manifest::Key;
use crate::manifest::json::into_object;

/// The group that the rights of joining nodes are bound to (kubeadm's default).
const GROUP: &str = "system:bootstrappers:kubeadm:default-node-token";
/// What tokens are made of (kubernetes.io/docs/reference/access-authn-authz/bootstrap-tokens).
const ALPHABET: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
/// How many tokens to try: one that exists already cannot be used.
const ATTEMPTS: usize = 5;
/// How long taking a token back may take after a failure.
const WITHDRAWAL: Duration = Duration::from_secs(5);

/// How nodes join.
#[derive(Debug, Clone)]
pub struct JoinToken {
    /// PEM: what nodes have to trust.
    pub authorities: PathBuf,
    /// `host:port` at which nodes reach the API server.
    pub endpoint: String,
    /// The namespace of the Service.
    pub namespace: String,
    /// The namespace of the Secret.
    pub secret_namespace: String,
    /// The API server's Service. Where the endpoint is its name, nodes get its address as well.
    pub service: String,
    /// The Secret that nodes get their file from.
    pub secret: String,
    /// How long the token is good for; zero: for ever.
    pub ttl: Duration,
}

/// Makes a token in the child cluster, waits until nodes can use it, and writes the nodes' file in the admin cluster.
/// Until that last step the file has the token that it had; where it fails, the new token is taken back.
///
/// # Errors
/// Where something does not come in time, or a cluster refuses.
pub async fn join_token(
    admin: Target,
    child: Target,
    wanted: &JoinToken,
    context: &JobContext<'_>,
) -> Result<(), AgentError> {
    let pins = Authorities::read(&wanted.authorities)?.pins();
    let admin = connect(admin, context).await?;
    let child = connect(child, context).await?;
    let hosts = hosts(&admin, wanted, context.observer).await?;
    let token = create(&child, wanted.ttl).await?;
    if let Err(error) = signed(&child, &token, context.observer).await {
        withdraw(&child, &token).await;
        return Err(error);
    }
    let file = Zeroizing::new(file(wanted, &token, &pins, hosts.as_deref()));
    let written = write(&admin, wanted, &file).await;
    if written.as_ref().is_err_and(is_certain) {
        withdraw(&child, &token).await;
    }
    written
}

/// Whether the file surely was not written: an answer that was lost may have been a success.
fn is_certain(error: &AgentError) -> bool {
    match error {
        AgentError::Cluster(ClusterError::Refused(status)) => (400..500).contains(&status.code),
        AgentError::Unusable(_) => true,
        _ => false,
    }
}

async fn create(child: &Api, ttl: Duration) -> Result<Token, AgentError> {
    // By the clock that will end it, which may not be ours.
    let now = match child.time().await? {
        Some(time) => Ok(time),
        None => Timestamp::try_from(SystemTime::now()),
    };
    let now = now.map_err(|error| AgentError::Unusable(format!("no clock: {error}")))?;
    let secrets = Resource::core("Secret", "secrets");
    for _ in 0..ATTEMPTS {
        let token = Token::new()?;
        let secret = token.secret(now, ttl)?;
        match child.create(&secrets, "kube-system", &secret, false).await {
            Ok(_) => return Ok(token),
            Err(ClusterError::Refused(status)) if status.code == 409 => {}
            Err(error) => return Err(error.into()),
        }
    }
    let reason = format!("{ATTEMPTS} tokens in a row existed already");
    Err(AgentError::Unusable(reason))
}

/// Waits for the controller manager, which signs what nodes read with every token. Without that, a node could not join.
async fn signed(child: &Api, token: &Token, observer: &dyn Observer) -> Result<(), AgentError> {
    let info = Key::core("ConfigMap", "kube-public", "cluster-info");
    let config_maps = Resource::core("ConfigMap", "configmaps");
    let signature = format!("jws-kubeconfig-{}", token.id);
    wait_for(child, &config_maps, &info, observer, |object| {
        let data = object.get("data");
        match data.and_then(|data| data.get(&signature)) {
            Some(_) => Ok(()),
            None => Err("the controller manager has not signed it with the new token".to_owned()),
        }
    })
    .await
}

async fn write(admin: &Api, wanted: &JoinToken, file: &str) -> Result<(), AgentError> {
    let key = Key::core("Secret", &wanted.secret_namespace, &wanted.secret);
    let data = json!({ FILE: STANDARD.encode(file.as_bytes()) });
    let operations = [json!({ "op": "add", "path": "/data", "value": data })];
    let secrets = Resource::core("Secret", "secrets");
    match admin.patch(&secrets, &key, &operations).await {
        Ok(_) => Ok(()),
        Err(error) if error.is_not_found() => Err(AgentError::Unusable(format!(
            "{key} does not exist; it comes with the farm: apply it"
        ))),
        Err(error) => Err(error.into()),
    }
}

/// Takes a token back. What goes wrong here does no harm: it ends by itself.
async fn withdraw(child: &Api, token: &Token) {
    let child = child.until(Instant::now() + WITHDRAWAL, Interrupt::never());
    let key = Key::core("Secret", "kube-system", &token.name());
    let secrets = Resource::core("Secret", "secrets");
    let _ = child
        .delete(&secrets, &key, &DeleteParams::background())
        .await;
}

/// `address name` for the nodes' `/etc/hosts`, where the endpoint is a name that only the admin cluster knows.
async fn hosts(
    admin: &Api,
    wanted: &JoinToken,
    observer: &dyn Observer,
) -> Result<Option<String>, AgentError> {
    let service = &wanted.service;
    if !join_file::is_service(&wanted.endpoint, service) {
        return Ok(None);
    }
    let found = service_address(admin, &wanted.namespace, service, observer).await?;
    match first_address(found) {
        Ok(address) => Ok(Some(format!("{address} {service}"))),
        Err(reason) => Err(AgentError::Unusable(format!(
            "Service {service} {reason}: set kubernetes.controlPlaneEndpoint to the address at which nodes reach the API server"
        ))),
    }
}

/// What booting nodes read.
pub(super) fn file(
    wanted: &JoinToken,
    token: &Token,
    pins: &[String],
    hosts: Option<&str>,
) -> String {
    let mut text = String::new();
    if let Some(hosts) = hosts {
        text.push_str(&join_file::hosts(hosts));
    }
    let endpoint = &wanted.endpoint;
    text.push_str(&format!(
        "JOIN_COMMAND='kubeadm join {endpoint} --token {}.{}",
        token.id, *token.secret
    ));
    for pin in pins {
        text.push_str(&format!(" --discovery-token-ca-cert-hash {pin}"));
    }
    text.push_str("'\n");
    text
}

/// A bootstrap token: `id.secret`.
pub(super) struct Token {
    pub id: String,
    pub secret: Zeroizing<String>,
}

impl Token {
    pub fn new() -> Result<Token, AgentError> {
        Ok(Token {
            id: letters(6)?,
            secret: Zeroizing::new(letters(16)?),
        })
    }

    fn name(&self) -> String {
        format!("bootstrap-token-{}", self.id)
    }

    /// The Secret that makes it valid in the child cluster, until it expires and is removed there.
    pub fn secret(&self, now: Timestamp, ttl: Duration) -> Result<Map<String, Json>, AgentError> {
        let mut data = into_object(json!({
            "token-id": self.id,
            "token-secret": *self.secret,
            "usage-bootstrap-authentication": "true",
            "usage-bootstrap-signing": "true",
            "auth-extra-groups": GROUP,
            "description": "made by kubefarm for nodes that boot",
        }));
        if !ttl.is_zero() {
            let end = now.checked_add(ttl);
            let end = end.and_then(|end| Timestamp::from_second(end.as_second()));
            let end =
                end.map_err(|_| AgentError::Unusable("such a long --ttl has no end".to_owned()))?;
            data.insert("expiration".to_owned(), end.to_string().into());
        }
        Ok(into_object(json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": { "name": self.name(), "namespace": "kube-system" },
            "type": "bootstrap.kubernetes.io/token",
            "stringData": data,
        })))
    }
}

/// Random letters and digits, each as likely as any other.
fn letters(count: usize) -> Result<String, AgentError> {
    let mut text = String::with_capacity(count);
    while text.len() < count {
        let mut byte = [0];
        getrandom::fill(&mut byte)
            .map_err(|error| AgentError::Unusable(format!("no random bytes: {error}")))?;
        // 252 is the largest multiple of 36 in a byte.
        let letter = ALPHABET.get(usize::from(byte[0] % 36));
        if let Some(letter) = letter.filter(|_| byte[0] < 252) {
            text.push(char::from(*letter));
        }
    }
    Ok(text)
}
