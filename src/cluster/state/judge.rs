//! Whether an object is ready, where that depends on others in the cluster too.

use std::collections::HashSet;

use serde_json::{Map, Value as Json};
use tokio::sync::OnceCell;

use super::readiness::{Readiness, readiness};
use crate::cluster::client::{Api, Detail};
use crate::manifest::group;
use crate::manifest::json::text_at;

/// An annotation that the scheduler writes when it chose a node for the pod of a claim.
const SELECTED_NODE: &str = "volume.kubernetes.io/selected-node";

/// Gives the one verdict of `apply --wait` and `status`: [`readiness`], except for a claim that its StorageClass binds
/// only once a pod uses it (`volumeBindingMode: WaitForFirstConsumer`). Such a claim is ready without a volume.
pub struct Judge<'a> {
    api: &'a Api,
    /// The classes that bind late; read when the first pending claim asks.
    late_classes: OnceCell<HashSet<String>>,
}

impl<'a> Judge<'a> {
    /// A judge of objects in one cluster, for one wait or one status: what it knows of classes does not grow old.
    pub fn new(api: &'a Api) -> Judge<'a> {
        Judge {
            api,
            late_classes: OnceCell::new(),
        }
    }

    /// How ready an object is, as the cluster returned it, with its status.
    pub async fn readiness(&self, object: &Map<String, Json>) -> Readiness {
        let verdict = readiness(object);
        if !matches!(verdict, Readiness::Waiting(_)) || !may_wait_for_a_pod(object) {
            return verdict;
        }
        let late = self.late_classes.get_or_init(|| late_classes(self.api));
        let class = text_at(object, &["spec", "storageClassName"]);
        if late.await.contains(class) {
            Readiness::Ready
        } else {
            verdict
        }
    }
}

/// Whether it is a new claim for which no node is chosen, so that it may be meant to be bound later.
fn may_wait_for_a_pod(object: &Map<String, Json>) -> bool {
    group(object).is_empty()
        && text_at(object, &["kind"]) == "PersistentVolumeClaim"
        && text_at(object, &["status", "phase"]) == "Pending"
        && text_at(object, &["metadata", "deletionTimestamp"]).is_empty()
        && text_at(object, &["metadata", "annotations", SELECTED_NODE]).is_empty()
}

/// None where StorageClasses cannot be read: their claims then have to be bound.
async fn late_classes(api: &Api) -> HashSet<String> {
    let Some(resource) = api.resources.preferred("storage.k8s.io", "StorageClass") else {
        return HashSet::new();
    };
    let classes = api.list(resource, None, "", Detail::Whole).await;
    classes
        .unwrap_or_default()
        .iter()
        .filter(|class| text_at(class, &["volumeBindingMode"]) == "WaitForFirstConsumer")
        .map(|class| text_at(class, &["metadata", "name"]).to_owned())
        .collect()
}
