//! One machine, and what follows from the steps that were seen of it.

use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Sight, Stage, Step};

/// More steps than a boot has.
const STEPS: usize = 24;
/// A machine that asks for an address in the middle of a boot is at its beginning again, unless it went on just now:
/// initial RAM disks and systems ask, too.
const SAME_BOOT: SignedDuration = SignedDuration::from_secs(120);

/// What is known of a machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Machine {
    /// The name of its Node; of a machine that the values do not name, its MAC or address.
    pub name: String,
    /// Whether the values list it.
    #[serde(default)]
    pub is_listed: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mac: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<IpAddr>,
    pub stage: Stage,
    /// Since when it is in this stage.
    pub since: Timestamp,
    /// When it was last seen.
    pub seen: Timestamp,
    /// When the boot began, where that was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub began: Option<Timestamp>,
    /// How much of the image there is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<u8>,
    /// Why it does not go on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// The release of the system image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<String>,
    /// The version of its kubelet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// What was seen, the oldest first.
    pub steps: Vec<Step>,
    /// The revision of the last change.
    #[serde(skip)]
    pub(super) revision: u64,
}

impl Machine {
    pub(super) fn new(name: String, is_listed: bool, at: Timestamp) -> Machine {
        Machine {
            name,
            is_listed,
            mac: None,
            address: None,
            stage: Stage::Dhcp,
            since: at,
            seen: at,
            began: None,
            percent: None,
            fault: None,
            release: None,
            version: None,
            steps: Vec::new(),
            revision: 0,
        }
    }

    /// Why it is not on its way: a fault, or that it is silent for longer than this stage takes.
    pub fn trouble(&self, now: Timestamp) -> Option<String> {
        if let Some(fault) = &self.fault {
            return Some(fault.clone());
        }
        let patience = self.stage.patience()?;
        let silent = now.duration_since(self.seen);
        (silent > patience).then(|| self.stage.missing().to_owned())
    }

    /// Takes what was seen, in whichever order the servers' logs arrive.
    pub(super) fn take(&mut self, sight: Sight, at: Timestamp) {
        self.address = sight.address.or(self.address);
        if sight.release.is_some() {
            self.release = sight.release;
        }
        let step = Step {
            at,
            last: at,
            stage: sight.stage,
            text: sight.text,
            is_fault: sight.is_fault,
            percent: sight.percent,
        };
        self.put(step);
        self.conclude();
    }

    /// Takes the steps of another one, which turned out to be this one.
    pub(super) fn absorb(&mut self, other: Machine) {
        self.mac = self.mac.take().or(other.mac);
        self.address = self.address.or(other.address);
        self.release = self.release.take().or(other.release);
        for step in other.steps {
            self.put(step);
        }
        self.conclude();
    }

    fn put(&mut self, step: Step) {
        let place = self.steps.partition_point(|other| other.at <= step.at);
        let before = place.checked_sub(1).and_then(|i| self.steps.get_mut(i));
        match before {
            Some(before) if is_same(before, &step) => {
                before.last = before.last.max(step.last);
                before.percent = before.percent.max(step.percent);
            }
            _ => self.steps.insert(place, step),
        }
        if self.steps.len() > STEPS {
            // Not the one that the boot began with.
            let is_begin = self.steps.first().map(|first| first.at) == self.began;
            self.steps.remove(usize::from(is_begin));
        }
    }

    /// What follows from all steps.
    fn conclude(&mut self) {
        let mut stage: Option<Stage> = None;
        let mut last: Option<Timestamp> = None;
        (self.began, self.percent, self.fault) = (None, None, None);
        for step in &self.steps {
            let next = step.stage.filter(|next| leads_to(stage, *next, last, step));
            let is_new_boot = next.is_some_and(|next| {
                next <= Stage::Loader && stage.is_none_or(|stage| stage > Stage::Loader)
            });
            if is_new_boot {
                self.began = Some(step.at);
            }
            if let Some(next) = next.filter(|next| Some(*next) != stage) {
                (stage, self.since, self.percent) = (Some(next), step.at, None);
            }
            if next.is_some() || step.is_fault {
                self.percent = step.percent.or(self.percent);
                self.fault = step.is_fault.then(|| step.text.to_string());
            }
            last = Some(last.map_or(step.last, |last| last.max(step.last)));
        }
        self.stage = stage.unwrap_or(Stage::Dhcp);
        self.seen = last.unwrap_or(self.seen);
    }
}

/// Repetitions are one step, and so is an image that comes in piece by piece.
fn is_same(before: &Step, step: &Step) -> bool {
    let is_image = before.percent.is_some() && step.percent.is_some();
    before.stage == step.stage
        && before.is_fault == step.is_fault
        && (is_image || before.text == step.text)
}

/// Whether a step changes what the machine is doing.
fn leads_to(stage: Option<Stage>, next: Stage, last: Option<Timestamp>, step: &Step) -> bool {
    let Some(stage) = stage else { return true };
    match next {
        Stage::Dhcp if (Stage::Loader..=Stage::Join).contains(&stage) => {
            last.is_none_or(|last| step.at.duration_since(last) > SAME_BOOT)
        }
        // That the Node of a machine which boots anew is not Ready is known already.
        Stage::NotReady => stage >= Stage::Join,
        _ => true,
    }
}
