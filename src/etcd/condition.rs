//! What is wrong with etcd, by what its members say.

use std::collections::BTreeSet;

use super::answer::{Id, Listed, Status};

/// A database that has more of its quota is soon too large. etcd refuses writes at the quota.
const FULL_PERCENT: u64 = 80;

/// Whether a database is nearly as large as its quota.
pub(super) fn is_nearly(size: u64, quota: u64) -> bool {
    size > quota / 100 * FULL_PERCENT
}

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

    /// The limit of its database: its own word, or that of its flags.
    pub fn quota(&self, of_flags: Option<u64>) -> Option<u64> {
        match self.status.quota {
            0 => of_flags,
            own => Some(own),
        }
    }
}

impl Seen {
    /// What is wrong with this member; `quota` is that of its flags.
    pub fn faults(&self, quota: Option<u64>) -> Vec<String> {
        let is_full = self.answer.as_ref().is_ok_and(|answer| {
            let quota = answer.quota(quota);
            quota.is_some_and(|quota| is_nearly(answer.status.size, quota))
        });
        let full = is_full.then(|| format!("uses more than {FULL_PERCENT}% of its quota"));
        self.hindrance().into_iter().chain(full).collect()
    }

    /// Why it takes no part, or not with a vote.
    pub fn hindrance(&self) -> Option<String> {
        match &self.answer {
            Ok(answer) => answer.status.hindrance(),
            Err(reason) => Some(reason.clone()),
        }
    }
}

/// The answer of the member that has applied most.
pub fn newest(seen: &[Seen]) -> Option<&Answer> {
    let answers = seen.iter().filter_map(|one| one.answer.as_ref().ok());
    answers.max_by_key(|answer| answer.status.raft_applied_index)
}

/// What is wrong with the members together.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Condition {
    /// The members with the alarm NOSPACE: etcd refuses writes.
    pub full: Vec<Listed>,
    /// Everything else, in words.
    pub others: Vec<String>,
}

impl Condition {
    /// Everything, in words.
    pub fn faults(&self) -> Vec<String> {
        let full = self
            .full
            .iter()
            .map(|member| format!("alarm NOSPACE of {}: etcd refuses writes", shown(member)));
        self.others.iter().cloned().chain(full).collect()
    }
}

/// Judges the members together.
pub fn condition(seen: &[Seen]) -> Condition {
    let Some(newest) = newest(seen) else {
        return Condition {
            full: Vec::new(),
            others: vec!["no member answers".to_owned()],
        };
    };
    let answers = || seen.iter().filter_map(|one| one.answer.as_ref().ok());
    let distinct = |of: fn(&Answer) -> String| answers().map(of).collect::<BTreeSet<_>>();
    let mut others = Vec::new();
    let clusters = distinct(|answer| answer.status.header.cluster_id.to_string());
    if clusters.len() > 1 {
        others.push(format!(
            "the members are of different clusters: {}",
            joined(clusters)
        ));
    }
    let versions = distinct(|answer| answer.status.version.clone());
    if versions.len() > 1 {
        others.push(format!("the members have versions {}", joined(versions)));
    }
    others.extend(too_few(newest, answers()));
    others.extend(strangers(seen, newest));
    let mut full = Vec::new();
    for (member, alarm) in alarms(newest) {
        match alarm {
            "NOSPACE" => full.push(member),
            "CORRUPT" => others.push(format!(
                "alarm CORRUPT of {}: its data differ from those of others",
                shown(&member)
            )),
            other => others.push(format!("alarm {other} of {}", shown(&member))),
        }
    }
    Condition { full, others }
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

/// The alarms, each with its member; etcd writes them as `memberID:1234 alarm:NOSPACE`.
fn alarms(newest: &Answer) -> Vec<(Listed, &str)> {
    let found = newest.status.errors.iter().filter_map(|error| {
        let of = |key: &str| {
            let mut words = error.split_whitespace();
            words.find_map(|word| word.strip_prefix(key))
        };
        let alarm = of("alarm:")?;
        let id = Id(of("memberID:")?.parse().ok()?);
        let listed = newest.members.iter().find(|member| member.id == id);
        let unknown = || Listed {
            id,
            ..Listed::default()
        };
        Some((listed.cloned().unwrap_or_else(unknown), alarm))
    });
    found.collect()
}

fn shown(member: &Listed) -> String {
    match member.name.as_str() {
        "" => format!("member {}", member.id),
        name => name.to_owned(),
    }
}

fn joined(texts: BTreeSet<String>) -> String {
    texts.into_iter().collect::<Vec<_>>().join(", ")
}
