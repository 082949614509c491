//! Why objects do not get ready: their events, and what is wrong with their pods.

mod events;
mod pods;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap};

use futures::future::join_all;
use futures::stream::{self, StreamExt};
use serde_json::{Map, Value as Json};

use super::readiness::{condition, with_message};
use crate::cluster::client::{Api, ClusterError, Detail};
use crate::manifest::json::{text_at, value_at};
use events::Events;

/// The most lines about one object, and how many of them may be about its pods.
const MOST_LINES: usize = 5;
const MOST_POD_LINES: usize = 3;

/// Where events about objects without a namespace are.
const CLUSTER_EVENTS: &str = "default";

/// An annotation of a CertificateRequest: the Certificate that it was made for.
const CERTIFICATE: &str = "cert-manager.io/certificate-name";

/// An object, and what belongs to it.
#[derive(Debug, Default)]
struct Subject<'a> {
    object: Option<&'a Map<String, Json>>,
    /// Its pods; itself, where it is one.
    pods: Vec<Map<String, Json>>,
    /// The newest CertificateRequest of a Certificate.
    request: Option<Map<String, Json>>,
}

/// The reasons for each object, a few lines each, in the order given. What cannot be read is left out: this never
/// fails. There are none for Secrets, nor for an object without content.
pub(super) async fn details(
    api: &Api,
    objects: &[&Map<String, Json>],
    concurrency: usize,
) -> Vec<Vec<String>> {
    let namespaces: BTreeSet<&str> = objects
        .iter()
        .filter(|object| is_known(object))
        .map(|object| namespace_of_events(object))
        .collect();
    let events = join_all(namespaces.into_iter().map(|namespace| async move {
        let found = list(api, ("", "Event"), namespace, "").await;
        (namespace, Events::new(found))
    }));
    let events: HashMap<&str, Events> = events.await.into_iter().collect();
    let none = Events::default();
    let found = stream::iter(objects).map(|object| async {
        let events = events.get(namespace_of_events(object)).unwrap_or(&none);
        if is_known(object) {
            lines(&gather(api, object).await, events)
        } else {
            Vec::new()
        }
    });
    found.buffered(concurrency.max(1)).collect().await
}

fn is_known(object: &Map<String, Json>) -> bool {
    !object.is_empty() && text_at(object, &["kind"]) != "Secret"
}

fn namespace_of_events(object: &Map<String, Json>) -> &str {
    match text_at(object, &["metadata", "namespace"]) {
        "" => CLUSTER_EVENTS,
        namespace => namespace,
    }
}

async fn list(
    api: &Api,
    (group, kind): (&str, &str),
    namespace: &str,
    selector: &str,
) -> Result<Vec<Map<String, Json>>, ClusterError> {
    match api.resources.preferred(group, kind) {
        Some(resource) => {
            let namespace = Some(namespace);
            api.list(resource, namespace, selector, Detail::Whole).await
        }
        None => Ok(Vec::new()),
    }
}

async fn gather<'a>(api: &Api, object: &'a Map<String, Json>) -> Subject<'a> {
    let mut subject = Subject {
        object: Some(object),
        ..Subject::default()
    };
    let namespace = text_at(object, &["metadata", "namespace"]);
    match text_at(object, &["kind"]) {
        "Pod" => subject.pods = vec![object.clone()],
        "Certificate" => {
            let kind = ("cert-manager.io", "CertificateRequest");
            let requests = list(api, kind, namespace, "").await.unwrap_or_default();
            subject.request = newest_request(object, requests);
        }
        "DaemonSet" | "Deployment" | "Job" | "ReplicaSet" | "StatefulSet" => {
            if let Some(selector) = selector(object) {
                let pods = list(api, ("", "Pod"), namespace, &selector).await;
                subject.pods = pods.unwrap_or_default();
            }
        }
        _ => {}
    }
    subject
}

/// `spec.selector.matchLabels` as a label selector; `None` where it would select everything.
fn selector(object: &Map<String, Json>) -> Option<String> {
    let labels = value_at(object, &["spec", "selector", "matchLabels"])?.as_object()?;
    let pairs = labels
        .iter()
        .filter_map(|(key, value)| Some(format!("{key}={}", value.as_str()?)));
    let selector = pairs.collect::<Vec<String>>().join(",");
    (!selector.is_empty()).then_some(selector)
}

fn newest_request(
    certificate: &Map<String, Json>,
    requests: Vec<Map<String, Json>>,
) -> Option<Map<String, Json>> {
    let name = text_at(certificate, &["metadata", "name"]);
    requests
        .into_iter()
        .filter(|request| text_at(request, &["metadata", "annotations", CERTIFICATE]) == name)
        .max_by(|a, b| {
            let created = ["metadata", "creationTimestamp"];
            text_at(a, &created).cmp(text_at(b, &created))
        })
}

/// The lines about one object: its own conditions, its pods, its events.
fn lines(subject: &Subject<'_>, events: &Events) -> Vec<String> {
    let Some(object) = subject.object else {
        return Vec::new();
    };
    let mut lines = own_lines(object, subject.request.as_ref());
    let mut of_pods = pods::lines(&subject.pods);
    of_pods.truncate(MOST_POD_LINES);
    let has_pod_lines = !of_pods.is_empty();
    lines.append(&mut of_pods);
    let room = MOST_LINES.saturating_sub(lines.len());
    let mut involved = events::Involved::of(object, &subject.pods);
    if let Some(request) = &subject.request {
        involved.add(request);
    }
    lines.extend(
        events
            .lines(&involved, has_pod_lines)
            .into_iter()
            .take(room),
    );
    lines.truncate(MOST_LINES);
    lines
}

/// Conditions of the object that its readiness does not include.
fn own_lines(object: &Map<String, Json>, request: Option<&Map<String, Json>>) -> Vec<String> {
    let mut lines = Vec::new();
    let is_true = |kind| condition(object, kind).filter(|found| found.is_true());
    match text_at(object, &["kind"]) {
        // The ReplicaSet's events report this too, but they are not about the Deployment.
        "Deployment" => lines.extend(is_true("ReplicaFailure").map(|failure| failure.why())),
        "Certificate" => {
            let issuing = condition(object, "Issuing");
            lines.extend(issuing.map(|issuing| with_message("Issuing", &issuing.why())));
            lines.extend(request.and_then(request_line));
        }
        _ => {}
    }
    lines
}

fn request_line(request: &Map<String, Json>) -> Option<String> {
    let refused = ["Denied", "InvalidRequest"]
        .into_iter()
        .filter_map(|kind| condition(request, kind))
        .find(|condition| condition.is_true());
    let condition = refused.or_else(|| condition(request, "Ready"))?;
    let name = text_at(request, &["metadata", "name"]);
    let subject = format!("CertificateRequest {name}");
    Some(with_message(&subject, &condition.why()))
}
