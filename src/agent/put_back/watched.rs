//! Watches of what was applied: whether somebody changed or deleted any of it.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::pin::Pin;

use futures::StreamExt as _;
use futures::stream::{SelectAll, Stream};
use kube::Client;
use kube::api::ApiResource;
use kube::core::{DynamicObject, PartialObjectMeta};
use kube::runtime::watcher::{Config, Error as WatchError, Event as WatchEvent};

use crate::agent::farm_agent::watched;
use crate::cluster::{Event, Observer, Resource, Resources};
use crate::manifest::{Key, Object};

type Metadata = PartialObjectMeta<DynamicObject>;
/// What a watch reports, and the number of its kind.
type Reported = (usize, Result<WatchEvent<Metadata>, WatchError>);

/// The watches of every kind.
pub(super) struct Watched {
    reports: SelectAll<Pin<Box<dyn Stream<Item = Reported> + Send>>>,
    kinds: Vec<Kind>,
    /// What went wrong since something last went well: reported once, though every kind has a watch.
    faults: HashSet<String>,
}

impl Watched {
    /// Watches of the objects that `selector` picks.
    pub fn new(
        client: &Client,
        resources: &Resources,
        objects: &[Object],
        selector: &str,
    ) -> Watched {
        let mut keys: BTreeMap<(String, String), HashSet<Key>> = BTreeMap::new();
        for key in objects.iter().map(Object::key) {
            let kind = (key.group.clone(), key.kind.clone());
            keys.entry(kind).or_default().insert(key);
        }
        let mut reports = SelectAll::new();
        let mut kinds = Vec::new();
        for ((group, kind), keys) in keys {
            // What the cluster does not serve cannot be applied, which reports it.
            let Some(resource) = resources.preferred(&group, &kind) else {
                continue;
            };
            let api: kube::Api<Metadata> = kube::Api::all_with(client.clone(), &known(resource));
            let config = Config::default().labels(selector);
            let number = kinds.len();
            let events = watched(api, config).map(move |event| (number, event));
            reports.push(events.boxed());
            kinds.push(Kind::new(group, kind, keys));
        }
        Watched {
            reports,
            kinds,
            faults: HashSet::new(),
        }
    }

    /// Waits until it is known of every kind what there is.
    pub async fn ready(&mut self, observer: &dyn Observer) {
        while !self.kinds.iter().all(|kind| kind.is_known) {
            self.next(observer).await;
        }
    }

    /// Waits for a change.
    pub async fn change(&mut self, observer: &dyn Observer) {
        while !self.next(observer).await {}
    }

    /// Waits for the next event; whether it is a change.
    async fn next(&mut self, observer: &dyn Observer) -> bool {
        let Some((number, event)) = self.reports.next().await else {
            // Watches go on for ever; without one, nothing changes.
            return std::future::pending().await;
        };
        let Some(kind) = self.kinds.get_mut(number) else {
            return false;
        };
        match event {
            Ok(event) => {
                self.faults.clear();
                kind.take(event)
            }
            Err(error) => {
                let fault = error.to_string();
                if self.faults.insert(fault.clone()) {
                    observer.observe(&Event::Note(&fault));
                }
                false
            }
        }
    }
}

fn known(resource: &Resource) -> ApiResource {
    ApiResource {
        group: resource.group.clone(),
        version: resource.version.clone(),
        api_version: resource.api_version(),
        kind: resource.kind.clone(),
        plural: resource.plural.clone(),
    }
}

/// What is known of the objects of a kind.
struct Kind {
    group: String,
    kind: String,
    /// Others are not looked at: controllers give their objects the labels of a Service, that of the set among them.
    wanted: HashSet<Key>,
    seen: HashMap<Key, Mark>,
    /// What a list has had so far.
    listed: HashMap<Key, Mark>,
    /// Whether a list came to its end.
    is_known: bool,
}

/// Differs if somebody changed more of an object than its status.
#[derive(Debug, PartialEq)]
struct Mark {
    uid: Option<String>,
    /// The generation, where the kind has one; else the resource version.
    version: Option<String>,
    labels: Option<BTreeMap<String, String>>,
}

impl Kind {
    fn new(group: String, kind: String, wanted: HashSet<Key>) -> Kind {
        Kind {
            group,
            kind,
            wanted,
            seen: HashMap::new(),
            listed: HashMap::new(),
            is_known: false,
        }
    }

    /// Takes note of an event; whether something changed since it was known what there is.
    fn take(&mut self, event: WatchEvent<Metadata>) -> bool {
        match event {
            WatchEvent::Init => self.listed.clear(),
            WatchEvent::InitApply(object) => {
                if let Some((key, mark)) = self.read(object) {
                    self.listed.insert(key, mark);
                }
            }
            WatchEvent::InitDone => {
                let before = std::mem::replace(&mut self.seen, std::mem::take(&mut self.listed));
                return std::mem::replace(&mut self.is_known, true) && before != self.seen;
            }
            WatchEvent::Apply(object) => {
                if let Some((key, mark)) = self.read(object) {
                    let before = self.seen.get(&key);
                    let is_change = before != Some(&mark);
                    self.seen.insert(key, mark);
                    return is_change;
                }
            }
            WatchEvent::Delete(object) => {
                let key = self.read(object).map(|(key, _)| key);
                return key.is_some_and(|key| self.seen.remove(&key).is_some());
            }
        }
        false
    }

    fn read(&self, object: Metadata) -> Option<(Key, Mark)> {
        let metadata = object.metadata;
        let key = Key {
            group: self.group.clone(),
            kind: self.kind.clone(),
            namespace: metadata.namespace.unwrap_or_default(),
            name: metadata.name.unwrap_or_default(),
        };
        let generation = metadata.generation.map(|generation| generation.to_string());
        let mark = Mark {
            uid: metadata.uid,
            version: generation.or(metadata.resource_version),
            labels: metadata.labels,
        };
        self.wanted.contains(&key).then_some((key, mark))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn kind() -> Kind {
        let wanted = HashSet::from([Key::core("ConfigMap", "kube-system", "kubelet-config")]);
        Kind::new(String::new(), "ConfigMap".to_owned(), wanted)
    }

    fn object(changes: Value) -> Metadata {
        let mut metadata = json!({
            "name": "kubelet-config", "namespace": "kube-system", "uid": "1", "resourceVersion": "1",
        });
        for (key, value) in changes.as_object().unwrap() {
            metadata[key] = value.clone();
        }
        serde_json::from_value(json!({ "metadata": metadata })).unwrap()
    }

    /// Which of the events are changes.
    fn changes(events: impl IntoIterator<Item = WatchEvent<Metadata>>) -> Vec<bool> {
        let mut kind = kind();
        events.into_iter().map(|event| kind.take(event)).collect()
    }

    #[test]
    fn what_is_there_at_first_is_no_change_and_what_happens_then_is() {
        let events = [
            WatchEvent::Init,
            WatchEvent::InitApply(object(json!({}))),
            WatchEvent::InitDone,
            WatchEvent::Apply(object(json!({}))),
            WatchEvent::Apply(object(json!({"resourceVersion": "2"}))),
            WatchEvent::Delete(object(json!({"resourceVersion": "3"}))),
        ];
        assert_eq!(changes(events), [false, false, false, false, true, true]);
    }

    #[test]
    fn the_status_is_not_looked_at_where_there_are_generations() {
        let events = [
            WatchEvent::Apply(object(json!({"generation": 4}))),
            WatchEvent::Apply(object(json!({"generation": 4, "resourceVersion": "2"}))),
            WatchEvent::Apply(object(json!({"generation": 5, "resourceVersion": "3"}))),
        ];
        assert_eq!(changes(events), [true, false, true]);
    }

    #[test]
    fn what_went_while_the_watch_was_interrupted_is_noticed() {
        let listed = |objects: Vec<Metadata>| {
            let objects = objects.into_iter().map(WatchEvent::InitApply);
            let events = std::iter::once(WatchEvent::Init).chain(objects);
            events.chain([WatchEvent::InitDone]).collect::<Vec<_>>()
        };
        let same = || vec![object(json!({}))];
        let events = [listed(same()), listed(same()), listed(Vec::new())].concat();
        let seen = changes(events);
        assert_eq!(seen.iter().position(|change| *change), Some(7), "{seen:?}");
    }

    #[test]
    fn what_controllers_made_is_not_looked_at() {
        let other = object(json!({"name": "kube-dns"}));
        assert_eq!(changes([WatchEvent::Apply(other)]), [false]);
    }
}
