//! What a child cluster was made with, and what every Service, pod, token and node in it goes by.

use super::change::Change;
use crate::cluster::guard::control_plane::{Component, Workload};
use crate::cluster::guard::risk::{Danger, Risk};

/// The dangers for what runs in the child cluster.
pub fn dangers(change: &Change) -> Vec<Danger> {
    let found = [
        service_subnet(change),
        pod_subnet(change),
        dns_domain(change),
        issuer(change),
        pki_prefix(change),
        encryption_at_rest(change),
    ];
    found.into_iter().flatten().collect()
}

fn service_subnet(change: &Change) -> Option<Danger> {
    let flag = "service-cluster-ip-range";
    let (workload, before, after) = differing(change, Component::ApiServer, flag)?;
    let after = after?;
    Some(Danger {
        risk: Risk::ServiceSubnet,
        key: workload.key.clone(),
        what: format!(
            "kubernetes.networking.serviceSubnet would become {after} instead of {before}: every Service keeps its address, \
             which the API server no longer serves; DNS and kubernetes.default keep addresses that no longer work"
        ),
        way: format!(
            "leave it at {before}; more addresses come with a ServiceCIDR object in the child cluster (Kubernetes 1.33)"
        ),
    })
}

fn pod_subnet(change: &Change) -> Option<Danger> {
    let changed = differing(change, Component::ControllerManager, "cluster-cidr")?;
    let (workload, before, after) = changed;
    let after = after.unwrap_or("none");
    Some(Danger {
        risk: Risk::PodSubnet,
        key: workload.key.clone(),
        what: format!(
            "kubernetes.networking.podSubnet would become {after} instead of {before}: nodes keep their parts of the old one, \
             kube-controller-manager exits if it finds one outside of the new range, and pods of the two ranges do not reach each other"
        ),
        way: format!("leave it at {before}; or delete every Node first, so that all join again"),
    })
}

fn dns_domain(change: &Change) -> Option<Danger> {
    let after = change.dns_domain?;
    let workload = change.after.workload(Component::ApiServer)?;
    let live = change.before.workload(Component::ApiServer)?;
    let of_issuer = live.flag("service-account-issuer").first();
    let of_issuer = of_issuer.and_then(|url| url.strip_prefix("https://kubernetes.default.svc."));
    let before = change.memory.dns_domain.as_deref().or(of_issuer)?;
    (before != after).then(|| Danger {
        risk: Risk::DnsDomain,
        key: workload.key.clone(),
        what: format!(
            "kubernetes.networking.dnsDomain would become {after} instead of {before}: running pods look names up under the old one, \
             which DNS no longer serves"
        ),
        way: format!("leave it at {before}"),
    })
}

/// More issuers than one may be given: the first signs, all are believed.
fn issuer(change: &Change) -> Option<Danger> {
    let before = change.before.workload(Component::ApiServer)?;
    let after = change.after.workload(Component::ApiServer)?;
    let signs = before.flag("service-account-issuer").first()?;
    let believed = after.flag("service-account-issuer");
    if believed.is_empty() || believed.contains(signs) {
        return None;
    }
    let new = believed.join(", ");
    Some(Danger {
        risk: Risk::Issuer,
        key: after.key.clone(),
        what: format!(
            "service accounts' tokens would be issued by {new} instead of {signs}: the tokens of pods are \
             refused at once, until the kubelet renews them or the pods restart"
        ),
        way: format!(
            "keep the old one beside it for a while: kubernetes.apiServer.extraArgs.service-account-issuer: [{new}, {signs}]"
        ),
    })
}

fn pki_prefix(change: &Change) -> Option<Danger> {
    let before = change.before.workload(Component::ApiServer)?;
    let after = change.after.workload(Component::ApiServer)?;
    let (old, new) = before.secrets().iter().find_map(|(volume, old)| {
        let new = after.secrets().get(volume)?;
        (volume.starts_with("pki-") && new != old).then_some((old, new))
    })?;
    Some(Danger {
        risk: Risk::PkiPrefix,
        key: after.key.clone(),
        what: format!(
            "certificates would come from Secret {new} instead of {old}: new certificate authorities, with \
             which no node, kubeconfig or token of the child cluster works"
        ),
        way: "keep the names; kubefarm pki rotate-ca replaces authorities, in steps without interruption"
            .to_owned(),
    })
}

/// Without a configuration the API server refuses what it finds encrypted (`k8s:enc:` before the value in etcd).
/// <https://kubernetes.io/docs/tasks/administer-cluster/encrypt-data/>
fn encryption_at_rest(change: &Change) -> Option<Danger> {
    let flag = "encryption-provider-config";
    let (workload, _, after) = differing(change, Component::ApiServer, flag)?;
    if after.is_some() {
        // Another path may lead to the same keys.
        return None;
    }
    Some(Danger {
        risk: Risk::EncryptionAtRest,
        key: workload.key.clone(),
        what: format!(
            "the API servers would lose --{flag}: with one encrypted object in etcd, every list of its kind fails, \
             and an API server that starts does not become ready"
        ),
        way: "keep the flag and the key, and make `identity: {}` the first provider; once all API servers have read \
              that, write every object again (kubectl get secrets -A -o json | kubectl replace -f -, and each other \
              resource that was encrypted); then nothing needs the key, and this can be accepted"
            .to_owned(),
    })
}

/// A flag that the old one has, with its value there and the new one; `None` where it is kept.
fn differing<'a>(
    change: &'a Change,
    component: Component,
    flag: &str,
) -> Option<(&'a Workload, &'a str, Option<&'a str>)> {
    let after = change.after.workload(component)?;
    let old = change.before.workload(component)?.flag(flag).last()?;
    let new = after.flag(flag).last();
    // A second family may be added.
    let is_kept = new
        .and_then(|new| new.strip_prefix(old.as_str()))
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(','));
    (!is_kept).then_some((after, old.as_str(), new.map(String::as_str)))
}
