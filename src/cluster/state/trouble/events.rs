//! Events: those that involve an object, and their texts.

use std::collections::HashSet;

use serde_json::{Map, Value as Json};

use crate::cluster::client::ClusterError;
use crate::cluster::state::readiness::with_message;
use crate::manifest::json::{text_at, value_at};

/// Reasons that controllers give for every object, whether it is in trouble or not.
const ROUTINE: [&str; 7] = [
    "Created",
    "Pulled",
    "ScalingReplicaSet",
    "Scheduled",
    "Started",
    "SuccessfulCreate",
    "SuccessfulDelete",
];

/// The events of a namespace.
#[derive(Debug, Default)]
pub(super) struct Events {
    all: Vec<Map<String, Json>>,
    forbidden: bool,
}

/// The objects whose events are wanted.
#[derive(Debug, Default)]
pub(super) struct Involved {
    uids: HashSet<String>,
    /// Names of the claims that pods use.
    claims: HashSet<String>,
}

/// Events of one type with one text.
struct Group<'a> {
    kind: &'a str,
    text: String,
    times: u64,
    /// When the last one was, as RFC 3339 without the `Z`, which would put `10Z` behind `10.5Z`.
    last: &'a str,
}

impl Events {
    /// Events as they could be read.
    pub fn new(found: Result<Vec<Map<String, Json>>, ClusterError>) -> Events {
        let forbidden = matches!(&found, Err(error) if error.is_forbidden());
        Events {
            all: found.unwrap_or_default(),
            forbidden,
        }
    }

    /// What is reported about some objects, the newest first: `Warning FailedMount: … (x4)`. Where there are warnings,
    /// only those; what is routine never. That a container is started again late (`BackOff`) is left out where
    /// `pods_are_reported`.
    pub fn lines(&self, involved: &Involved, pods_are_reported: bool) -> Vec<String> {
        if self.forbidden {
            return vec!["(events: forbidden)".to_owned()];
        }
        let mut groups: Vec<Group> = Vec::new();
        let matching = self.all.iter().filter(|event| involved.has(event));
        for event in matching {
            let reason = text_at(event, &["reason"]);
            if ROUTINE.contains(&reason) || (pods_are_reported && reason == "BackOff") {
                continue;
            }
            let new = Group::of(event);
            let same = groups
                .iter_mut()
                .find(|old| old.kind == new.kind && old.text == new.text);
            match same {
                Some(old) => {
                    old.times += new.times;
                    old.last = old.last.max(new.last);
                }
                None => groups.push(new),
            }
        }
        if groups.iter().any(|group| group.kind == "Warning") {
            groups.retain(|group| group.kind == "Warning");
        }
        groups.sort_by(|a, b| b.last.cmp(a.last));
        groups.iter().map(Group::line).collect()
    }
}

impl Involved {
    /// An object, its pods, and the claims of those.
    pub fn of(object: &Map<String, Json>, pods: &[Map<String, Json>]) -> Involved {
        let mut involved = Involved::default();
        involved.add(object);
        for pod in pods {
            involved.add(pod);
            let volumes = value_at(pod, &["spec", "volumes"]).and_then(Json::as_array);
            let volumes = volumes.into_iter().flatten().filter_map(Json::as_object);
            let claims =
                volumes.map(|volume| text_at(volume, &["persistentVolumeClaim", "claimName"]));
            involved.claims.extend(
                claims
                    .filter(|name| !name.is_empty())
                    .map(ToOwned::to_owned),
            );
        }
        involved
    }

    pub fn add(&mut self, object: &Map<String, Json>) {
        let uid = text_at(object, &["metadata", "uid"]);
        if !uid.is_empty() {
            self.uids.insert(uid.to_owned());
        }
    }

    fn has(&self, event: &Map<String, Json>) -> bool {
        let object = |field| text_at(event, &["involvedObject", field]);
        self.uids.contains(object("uid"))
            || (object("kind") == "PersistentVolumeClaim" && self.claims.contains(object("name")))
    }
}

impl<'a> Group<'a> {
    fn of(event: &'a Map<String, Json>) -> Group<'a> {
        let number = |path: &[&str]| value_at(event, path).and_then(Json::as_u64).unwrap_or(1);
        // Which of the times is set depends on the API that the event was written through.
        let last = [
            &["series", "lastObservedTime"][..],
            &["lastTimestamp"],
            &["eventTime"],
            &["metadata", "creationTimestamp"],
        ]
        .into_iter()
        .map(|path| text_at(event, path).trim_end_matches('Z'))
        .find(|time| !time.is_empty());
        Group {
            kind: text_at(event, &["type"]),
            text: with_message(text_at(event, &["reason"]), text_at(event, &["message"])),
            times: number(&["count"]).max(number(&["series", "count"])).max(1),
            last: last.unwrap_or_default(),
        }
    }

    fn line(&self) -> String {
        let Group {
            kind, text, times, ..
        } = self;
        match times {
            1 => format!("{kind} {text}"),
            times => format!("{kind} {text} (x{times})"),
        }
    }
}
