//! The certificate that a machine joins with: requested and approved by the agent, signed by the child cluster.
//!
//! A machine has one credential at a time. The name of its CertificateSigningRequest makes sure of that, for several
//! agents as well: the API server creates an object once.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::ByteString;
use k8s_openapi::api::certificates::v1::{
    CertificateSigningRequest, CertificateSigningRequestSpec,
};
use k8s_openapi::api::core::v1::Node;
use kube::api::{DeleteParams, ObjectMeta, PostParams, Preconditions};
use kube::{Api, Client, ResourceExt as _};
use tokio::time::{Instant, sleep};

use super::kubelets::approve;
use super::refusal::Refusal;
use super::request::JoinRequest;
use crate::agent::farm_agent::ready;

/// How long the certificate is good for: the least that the API server allows.
const LIFE: Duration = Duration::from_secs(600);
/// How long signing may take.
const PATIENCE: Duration = Duration::from_secs(30);
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// Signs client certificates of kubelets.
const SIGNER: &str = "kubernetes.io/kube-apiserver-client-kubelet";
/// Marks the requests of machines that join, with the name of the Node.
const LABEL: &str = "kubefarm.io/join";

/// Has a certificate made for a machine that may have it; PEM.
///
/// # Errors
/// Another credential for the name that may still be used, or what went wrong.
pub(super) async fn grant(
    client: &Client,
    request: &JoinRequest,
    reason: &str,
) -> Result<String, Refusal> {
    let requests: Api<CertificateSigningRequest> = Api::all(client.clone());
    let found = match create(&requests, request).await? {
        Some(created) => created,
        None => existing(client, &requests, request).await?,
    };
    let name = found.name_any();
    if certificate(&found)?.is_none() {
        approve(&requests, found, "KubefarmJoin", reason).await?;
    }
    let deadline = Instant::now() + PATIENCE;
    let mut pause = FIRST_PAUSE;
    loop {
        let found = requests.get(&name).await?;
        if let Some(certificate) = certificate(&found)? {
            return Ok(certificate);
        }
        if Instant::now() + pause > deadline {
            return Err(Refusal::later(
                "the child cluster has not signed the certificate",
                pause,
            ));
        }
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// One for each Node.
fn object_name(request: &JoinRequest) -> String {
    format!("kubefarm-join-{}", request.name)
}

/// Creates the request; `None` if there is one for this name.
async fn create(
    requests: &Api<CertificateSigningRequest>,
    request: &JoinRequest,
) -> Result<Option<CertificateSigningRequest>, Refusal> {
    let object = CertificateSigningRequest {
        metadata: ObjectMeta {
            name: Some(object_name(request)),
            labels: Some([(LABEL.to_owned(), request.name.clone())].into()),
            ..ObjectMeta::default()
        },
        spec: CertificateSigningRequestSpec {
            expiration_seconds: i32::try_from(LIFE.as_secs()).ok(),
            request: ByteString(request.pem.clone().into_bytes()),
            signer_name: SIGNER.to_owned(),
            usages: Some(vec![
                "digital signature".to_owned(),
                "client auth".to_owned(),
            ]),
            ..CertificateSigningRequestSpec::default()
        },
        status: None,
    };
    match requests.create(&PostParams::default(), &object).await {
        Ok(created) => Ok(Some(created)),
        Err(kube::Error::Api(status)) if status.code == 409 => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The request that is there already: the machine's own, whose answer was lost; or a new one in place of one that is
/// used or over.
async fn existing(
    client: &Client,
    requests: &Api<CertificateSigningRequest>,
    request: &JoinRequest,
) -> Result<CertificateSigningRequest, Refusal> {
    let name = object_name(request);
    let again = || Refusal::later("its last request is being removed", LONGEST_PAUSE);
    let found = requests.get_opt(&name).await?.ok_or_else(again)?;
    let created = found.creation_timestamp().ok_or_else(again)?.0;
    let age = Timestamp::now().duration_since(created);
    let age = Duration::try_from(age).unwrap_or_default();
    let is_over = age >= LIFE;
    if !is_over && found.spec.request.0 == request.pem.as_bytes() {
        return Ok(found);
    }
    if !is_over && !is_used(client, &request.name, created).await? {
        return Err(Refusal::outstanding(LIFE.saturating_sub(age)));
    }
    let only = DeleteParams::default().preconditions(Preconditions {
        uid: found.uid(),
        resource_version: None,
    });
    requests.delete(&name, &only).await?;
    create(requests, request).await?.ok_or_else(again)
}

/// Whether the Node of this name came or went since: its machine has joined with the certificate.
async fn is_used(client: &Client, name: &str, since: Timestamp) -> Result<bool, Refusal> {
    let node = Api::<Node>::all(client.clone()).get_opt(name).await?;
    let ready = node.as_ref().and_then(ready);
    let changed = ready.and_then(|ready| ready.last_transition_time.as_ref());
    Ok(changed.is_some_and(|changed| changed.0 > since))
}

/// The certificate, once it is there.
fn certificate(found: &CertificateSigningRequest) -> Result<Option<String>, Refusal> {
    let status = found.status.clone().unwrap_or_default();
    let conditions = status.conditions.unwrap_or_default();
    let failed = conditions
        .iter()
        .find(|condition| matches!(condition.type_.as_str(), "Denied" | "Failed"));
    if let Some(failed) = failed {
        let message = failed.message.as_deref().unwrap_or_default();
        let reason = format!("the child cluster does not sign the certificate: {message}");
        return Err(Refusal::later(reason, LIFE));
    }
    let certificate = status.certificate.map(|bytes| bytes.0);
    Ok(certificate.and_then(|bytes| String::from_utf8(bytes).ok()))
}
