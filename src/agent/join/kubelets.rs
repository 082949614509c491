//! Certificates that kubelets ask for themselves: the client's, when they join and whenever it is about to end; and the
//! one that they serve their own API with, for which nobody in Kubernetes answers.
//!
//! What a kubelet may have follows from the farm's values. A Node's status says nothing: its kubelet writes that.

use std::collections::HashMap;

use jiff::Timestamp;
use k8s_openapi::api::certificates::v1::{
    CertificateSigningRequest, CertificateSigningRequestCondition, CertificateSigningRequestSpec,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::api::PostParams;
use kube::runtime::watcher::Event as WatchEvent;
use kube::{Api, ResourceExt as _};

use super::csr::CertificateRequest;
use crate::agent::known::Known;

const CLIENT: &str = "kubernetes.io/kube-apiserver-client-kubelet";
const SERVING: &str = "kubernetes.io/kubelet-serving";
/// The users that kubelets are.
const USER: &str = "system:node:";

/// Requests of kubelets that nobody has decided on.
#[derive(Debug, Default)]
pub(super) struct Pending {
    requests: HashMap<String, Request>,
}

#[derive(Debug)]
struct Request {
    object: CertificateSigningRequest,
    /// What was reported of it.
    reported: Option<String>,
}

impl Pending {
    pub fn event(&mut self, event: WatchEvent<CertificateSigningRequest>) {
        match event {
            WatchEvent::Init => self.requests.clear(),
            WatchEvent::InitApply(object) | WatchEvent::Apply(object) => {
                let name = object.name_any();
                if is_open(&object) {
                    let request = Request {
                        object,
                        reported: None,
                    };
                    self.requests.entry(name).or_insert(request);
                } else {
                    self.requests.remove(&name);
                }
            }
            WatchEvent::InitDone => {}
            WatchEvent::Delete(object) => {
                self.requests.remove(&object.name_any());
            }
        }
    }

    /// Takes one back that could not be approved.
    pub fn again(&mut self, object: CertificateSigningRequest) {
        self.event(WatchEvent::Apply(object));
    }

    /// Takes those that may be approved, and gives what is to be reported of others: the Node and the reason, once.
    pub fn decide(
        &mut self,
        known: &Known,
    ) -> (Vec<CertificateSigningRequest>, Vec<(String, String)>) {
        let mut approved = Vec::new();
        let mut refused = Vec::new();
        self.requests.retain(|_, request| {
            let name = node(&request.object.spec).unwrap_or_default();
            match may_have(&request.object.spec, name, known) {
                Ok(()) => {
                    approved.push(request.object.clone());
                    return false;
                }
                Err(None) => {}
                Err(Some(reason)) if request.reported.as_ref() != Some(&reason) => {
                    refused.push((name.to_owned(), reason.clone()));
                    request.reported = Some(reason);
                }
                Err(Some(_)) => {}
            }
            true
        });
        (approved, refused)
    }
}

/// Whether it is a kubelet's, and nobody has decided on it.
fn is_open(object: &CertificateSigningRequest) -> bool {
    let status = object.status.as_ref();
    let conditions = status.and_then(|status| status.conditions.as_ref());
    let is_kubelets = matches!(object.spec.signer_name.as_str(), CLIENT | SERVING);
    is_kubelets && node(&object.spec).is_some() && conditions.is_none_or(Vec::is_empty)
}

/// The Node whose kubelet asks.
fn node(spec: &CertificateSigningRequestSpec) -> Option<&str> {
    let is_node = spec
        .groups
        .iter()
        .flatten()
        .any(|group| group == "system:nodes");
    let name = spec.username.as_deref()?.strip_prefix(USER)?;
    Some(name).filter(|_| is_node)
}

/// Whether a Node may have the certificate that it asks for; why not, or nothing where that is not known yet.
fn may_have(
    spec: &CertificateSigningRequestSpec,
    name: &str,
    known: &Known,
) -> Result<(), Option<String>> {
    let Some(join) = known.join() else {
        return Err(None);
    };
    let pem = std::str::from_utf8(&spec.request.0);
    let pem = pem.map_err(|_| Some("the request is not text".to_owned()))?;
    let request = CertificateRequest::read(pem).map_err(Some)?;
    request.is_of(name).map_err(Some)?;
    let usages = spec.usages.iter().flatten().map(String::as_str);
    let kind = if spec.signer_name == SERVING {
        "server auth"
    } else {
        "client auth"
    };
    let mut others =
        usages.filter(|usage| ![kind, "digital signature", "key encipherment"].contains(usage));
    if let Some(other) = others.next() {
        return Err(Some(format!("the request is for {other}")));
    }
    if request.has_others {
        return Err(Some(
            "the request has more than names and addresses".to_owned(),
        ));
    }
    if spec.signer_name == CLIENT {
        if !request.dns_names.is_empty() || !request.addresses.is_empty() {
            return Err(Some("the request has names beside its subject".to_owned()));
        }
        return known.is_of_farm(name).map_err(Some);
    }
    if let Some(other) = request.dns_names.iter().find(|other| *other != name) {
        return Err(Some(format!("the request has the name {other}")));
    }
    if request.addresses.is_empty() && request.dns_names.is_empty() {
        return Err(Some("the request has no name".to_owned()));
    }
    for address in &request.addresses {
        known.has_address(name, *address, join).map_err(Some)?;
    }
    known.is_of_farm(name).map_err(Some)
}

/// Approves a request.
///
/// # Errors
/// The cluster's refusal. That another agent was first is none.
pub(super) async fn approve(
    requests: &Api<CertificateSigningRequest>,
    mut object: CertificateSigningRequest,
    reason: &str,
    message: &str,
) -> Result<(), kube::Error> {
    let now = Some(Time(Timestamp::now()));
    let status = object.status.get_or_insert_default();
    let conditions = status.conditions.get_or_insert_default();
    conditions.push(CertificateSigningRequestCondition {
        type_: "Approved".to_owned(),
        status: "True".to_owned(),
        reason: Some(reason.to_owned()),
        message: Some(message.to_owned()),
        last_update_time: now.clone(),
        last_transition_time: now,
    });
    let name = object.name_any();
    let approved = requests
        .replace_subresource("approval", &name, &PostParams::default(), &object)
        .await;
    match approved {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::ByteString;

    use super::*;
    use crate::agent::join::csr::tests::pem;
    use crate::agent::known::tests::known;
    use crate::farm::join::JoinSettings;

    fn spec(signer: &str, names: &[&str]) -> CertificateSigningRequestSpec {
        let kind = if signer == SERVING {
            "server auth"
        } else {
            "client auth"
        };
        CertificateSigningRequestSpec {
            signer_name: signer.to_owned(),
            username: Some("system:node:r1n01".to_owned()),
            groups: Some(vec![
                "system:nodes".to_owned(),
                "system:authenticated".to_owned(),
            ]),
            usages: Some(vec!["digital signature".to_owned(), kind.to_owned()]),
            request: ByteString(pem(names).into_bytes()),
            ..CertificateSigningRequestSpec::default()
        }
    }

    fn decided(spec: CertificateSigningRequestSpec) -> Result<(), Option<String>> {
        let name = node(&spec).expect("a Node").to_owned();
        may_have(&spec, &name, &known(&JoinSettings::default()))
    }

    #[track_caller]
    fn is_refused(spec: CertificateSigningRequestSpec, reason: &str) {
        let said = decided(spec).unwrap_err().expect("a reason");
        assert!(said.contains(reason), "{said}");
    }

    #[test]
    fn a_kubelet_serves_with_its_name_and_the_addresses_of_the_values() {
        assert_eq!(decided(spec(SERVING, &["r1n01", "10.64.1.11"])), Ok(()));
        assert_eq!(decided(spec(SERVING, &["10.64.1.11"])), Ok(()));
        is_refused(
            spec(SERVING, &["r1n01", "10.64.0.10"]),
            "10.64.0.10 is not an address of r1n01",
        );
        is_refused(
            spec(SERVING, &["kubernetes", "10.64.1.11"]),
            "the name kubernetes",
        );
        is_refused(spec(SERVING, &[]), "no name");
    }

    #[test]
    fn a_kubelet_renews_its_own_name_alone() {
        assert_eq!(decided(spec(CLIENT, &[])), Ok(()));
        is_refused(spec(CLIENT, &["r1n01"]), "names beside its subject");
        let mut other = spec(CLIENT, &[]);
        other.username = Some("system:node:r1n02".to_owned());
        is_refused(other, "the subject is not exactly");
        let mut both = spec(CLIENT, &[]);
        both.usages = Some(vec!["server auth".to_owned()]);
        is_refused(both, "for server auth");
    }

    #[test]
    fn what_is_not_a_kubelets_or_decided_is_left_alone() {
        let object = |spec: CertificateSigningRequestSpec| CertificateSigningRequest {
            spec,
            ..CertificateSigningRequest::default()
        };
        assert!(is_open(&object(spec(CLIENT, &[]))));
        let mut user = spec(CLIENT, &[]);
        user.username = Some("jane".to_owned());
        let mut group = spec(CLIENT, &[]);
        group.groups = None;
        let mut signer = spec(CLIENT, &[]);
        signer.signer_name = "kubernetes.io/kube-apiserver-client".to_owned();
        for spec in [user, group, signer] {
            assert!(!is_open(&object(spec)));
        }
        let mut denied = object(spec(CLIENT, &[]));
        let condition = CertificateSigningRequestCondition::default();
        denied.status.get_or_insert_default().conditions = Some(vec![condition]);
        assert!(!is_open(&denied));
    }

    #[test]
    fn a_refusal_is_reported_once_and_granted_when_the_values_change() {
        let mut pending = Pending::default();
        let request = CertificateSigningRequest {
            metadata: kube::api::ObjectMeta {
                name: Some("csr".to_owned()),
                ..Default::default()
            },
            spec: spec(SERVING, &["10.70.0.1"]),
            status: None,
        };
        pending.event(WatchEvent::Apply(request));
        let (approved, refused) = pending.decide(&known(&JoinSettings::default()));
        assert_eq!((approved.len(), refused.len()), (0, 1));
        let (approved, refused) = pending.decide(&known(&JoinSettings::default()));
        assert_eq!((approved.len(), refused.len()), (0, 0));
        let networks = vec!["10.70.0.0/16".parse().unwrap()];
        let wider = JoinSettings {
            networks,
            ..JoinSettings::default()
        };
        assert_eq!(pending.decide(&known(&wider)).0.len(), 1);
        assert_eq!(pending.decide(&known(&wider)).0.len(), 0);
    }
}
