//! What is wrong with etcd, by what its members say.

use std::collections::{BTreeMap, BTreeSet};

use super::answer::{Id, Listed, Status};

/// A database that has more of its quota is soon too large. etcd refuses writes at the quota.
const FULL_PERCENT: u64 = 80;

/// A member that was asked, by the name of its pod.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    pub name: String,
    /// Or why there is none.
    pub answer: Result<Answer, String>,
}

/// What a member says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Answer {
    pub status: Status,
    /// The members that it knows of.
    pub members: Vec<Listed>,
}

impl Answer {
    /// Whether it is the leader, by its own account.
    pub fn leads(&self) -> bool {
        self.status.leader == self.status.header.member_id
    }
}

impl Seen {
    /// What is wrong with this member.
    pub fn faults(&self, quota: Option<u64>) -> Vec<String> {
        let status = match &self.answer {
            Ok(answer) => &answer.status,
            Err(reason) => return vec![reason.clone()],
        };
        let mut faults = Vec::new();
        if status.leader == Id::default() {
            faults.push("knows no leader".to_owned());
        }
        if status.is_learner {
            faults.push("is a learner, and has no vote yet".to_owned());
        }
        if let Some(quota) = quota
            && status.size > quota / 100 * FULL_PERCENT
        {
            faults.push(format!("uses more than {FULL_PERCENT}% of its quota"));
        }
        faults
    }
}

/// The answer of the member that has applied most.
pub fn newest(seen: &[Seen]) -> Option<&Answer> {
    let answers = seen.iter().filter_map(|one| one.answer.as_ref().ok());
    answers.max_by_key(|answer| answer.status.raft_applied_index)
}

/// What is wrong with the members together.
pub fn faults(seen: &[Seen]) -> Vec<String> {
    let Some(newest) = newest(seen) else {
        return vec!["no member answers".to_owned()];
    };
    let answers = || seen.iter().filter_map(|one| one.answer.as_ref().ok());
    let distinct = |of: fn(&Answer) -> String| answers().map(of).collect::<BTreeSet<_>>();
    let mut faults = Vec::new();
    let clusters = distinct(|answer| answer.status.header.cluster_id.to_string());
    if clusters.len() > 1 {
        faults.push(format!(
            "the members are of different clusters: {}",
            joined(clusters)
        ));
    }
    let versions = distinct(|answer| answer.status.version.clone());
    if versions.len() > 1 {
        faults.push(format!("the members have versions {}", joined(versions)));
    }
    faults.extend(too_few(newest, answers()));
    faults.extend(strangers(seen, newest));
    faults.extend(alarms(newest));
    faults
}

/// Less than a majority of the voters answer.
fn too_few<'a>(newest: &Answer, answers: impl Iterator<Item = &'a Answer>) -> Option<String> {
    let is_voter = |member: &&Listed| !member.is_learner;
    let voters: BTreeSet<Id> = newest
        .members
        .iter()
        .filter(is_voter)
        .map(|member| member.id)
        .collect();
    let there = answers.filter(|answer| voters.contains(&answer.status.header.member_id));
    let there = there.count();
    let needed = voters.len() / 2 + 1;
    (there < needed).then(|| {
        let all = voters.len();
        format!("no majority: of {all} voters, {there} answer, and {needed} are needed")
    })
}

/// Members without a pod, and pods that are no members.
fn strangers(seen: &[Seen], newest: &Answer) -> Vec<String> {
    let is_pod = |name: &str| seen.iter().any(|one| one.name == name);
    let is_listed = |name: &str| newest.members.iter().any(|member| member.name == name);
    let without = newest.members.iter().filter(|member| !is_pod(&member.name));
    let without = without.map(|member| match member.name.as_str() {
        "" => format!("member {} has never started", member.id),
        name => format!("member {name} ({}) has no pod", member.id),
    });
    let unlisted = seen.iter().filter(|one| !is_listed(&one.name));
    without
        .chain(unlisted.map(|one| format!("{} is not a member", one.name)))
        .collect()
}

/// An alarm as etcd writes it: `memberID:1234 alarm:NOSPACE`.
fn alarms(newest: &Answer) -> Vec<String> {
    let names: BTreeMap<String, &str> = newest
        .members
        .iter()
        .map(|member| (member.id.0.to_string(), member.name.as_str()))
        .collect();
    let found = newest.status.errors.iter().filter_map(|error| {
        let of = |key: &str| {
            error
                .split_whitespace()
                .find_map(|word| word.strip_prefix(key))
        };
        let (alarm, id) = (of("alarm:")?, of("memberID:").unwrap_or_default());
        let name = names.get(id).copied().unwrap_or("an unknown member");
        Some(match alarm {
            "NOSPACE" => format!("alarm NOSPACE of {name}: etcd refuses writes"),
            "CORRUPT" => format!("alarm CORRUPT of {name}: its data differ from those of others"),
            other => format!("alarm {other} of {name}"),
        })
    });
    found.collect()
}

fn joined(texts: BTreeSet<String>) -> String {
    texts.into_iter().collect::<Vec<_>>().join(", ")
}
