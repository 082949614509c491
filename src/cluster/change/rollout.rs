//! The rollout of a plan, wave by wave: each wave in parallel, none after a failure.

use std::cell::Cell;
use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use futures::stream::{self, StreamExt};

use super::apply_object::{apply_planned, report};
use super::error::ApplyError;
use super::options::ApplyOptions;
use super::planned::{Planned, Step};
use super::upgrade::Upgrade;
use super::waves::Wave;
use crate::cluster::client::{Api, ClusterError, FIELD_MANAGER};
use crate::cluster::event::{Event, Observer, Stage};
use crate::cluster::fields::helm;
use crate::cluster::fields::managed_fields::digest;
use crate::cluster::record::{Parent, inventory};
use crate::cluster::state::wait;
use crate::farm::Release;
use crate::manifest::Key;

/// How often, and how long apart, to discover a kind whose definition is established.
const DISCOVERIES: usize = 50;
const DISCOVERY_INTERVAL: Duration = Duration::from_millis(100);

/// The rollout of a plan, as far as it has come.
pub(super) struct Rollout<'a> {
    api: Api,
    options: &'a ApplyOptions,
    observer: &'a dyn Observer,
    pub planned: Vec<Planned>,
    /// The objects that are done, with the digests of what was applied.
    pub digests: BTreeMap<Key, String>,
}

impl<'a> Rollout<'a> {
    pub fn new(api: Api, options: &'a ApplyOptions, observer: &'a dyn Observer) -> Rollout<'a> {
        Rollout {
            api,
            options,
            observer,
            planned: Vec::new(),
            digests: BTreeMap::new(),
        }
    }

    /// Applies everything, wave by wave; of an upgrade, the workloads of the control plane step by step, each step once
    /// the one before is ready.
    pub async fn apply_waves(
        &mut self,
        mut planned: Vec<Planned>,
        upgrade: Option<&Upgrade>,
    ) -> Result<(), ApplyError> {
        let turn = |planned: &Planned| {
            let wave = wave_of(planned);
            let in_steps = upgrade.filter(|_| wave == Wave::Workloads);
            (wave, in_steps.map(|upgrade| upgrade.position(&planned.key)))
        };
        planned.sort_by_key(turn);
        self.planned = planned;
        let mut start = 0;
        while let Some(first) = self.planned.get(start) {
            let now = turn(first);
            let remaining = self.planned.get(start..).unwrap_or_default();
            let count = remaining
                .iter()
                .take_while(|planned| turn(planned) == now)
                .count();
            let end = start + count;
            let (wave, step) = now;
            let step = step.and_then(|step| upgrade?.name(step));
            self.observer.observe(&Event::Stage {
                stage: Stage::Wave(step.unwrap_or(wave.name())),
                count,
            });
            self.apply_some(start..end).await?;
            if wave == Wave::CustomResourceDefinitions {
                self.learn_kinds(start..end).await?;
            } else if step.is_some() {
                self.ready(start..end).await?;
            }
            start = end;
        }
        Ok(())
    }

    /// Applies some of the objects in parallel; after a failure, those under way are finished and no other is begun.
    async fn apply_some(&mut self, range: std::ops::Range<usize>) -> Result<(), ApplyError> {
        let failed = Cell::new(false);
        let (api, failed, observer) = (&self.api, &failed, self.observer);
        let some = self.planned.get(range).unwrap_or_default();
        let results = stream::iter(some).map(|planned| async move {
            if failed.get() || api.interrupt().is_set() {
                return None;
            }
            let result = apply_planned(api, planned).await;
            match &result {
                Ok((_, action)) => report(observer, planned, action),
                Err(_) => failed.set(true),
            }
            Some((planned.key.clone(), result))
        });
        let results: Vec<_> = results
            .buffer_unordered(self.options.concurrency)
            .collect()
            .await;
        let mut failure = None;
        for (key, result) in results.into_iter().flatten() {
            match result {
                Ok((object, _)) => {
                    self.digests.insert(key, digest(&object, FIELD_MANAGER));
                }
                Err(error) => failure = failure.or(Some((Some(key), error))),
            }
        }
        if failure.is_none() && self.api.interrupt().is_set() {
            failure = Some((None, ClusterError::Interrupted));
        }
        match failure {
            None => Ok(()),
            Some((key, error)) => Err(self.stopped(key, error)),
        }
    }

    pub fn stopped(&self, key: Option<Key>, error: ClusterError) -> ApplyError {
        let keys = self.planned.iter().map(|planned| planned.key.clone());
        let (done, not_done) = keys.partition(|key| self.digests.contains_key(key));
        ApplyError::Stopped {
            key,
            error,
            done,
            not_done,
        }
    }

    /// Waits until some of the objects are ready, or there is no time left.
    async fn ready(&self, range: std::ops::Range<usize>) -> Result<(), ApplyError> {
        let some = self.planned.get(range).unwrap_or_default();
        let keys: Vec<Key> = some.iter().map(|planned| planned.key.clone()).collect();
        let unready = wait(&self.api, &keys, self.options.concurrency, self.observer).await;
        let unready = unready.map_err(|error| self.stopped(None, error))?;
        if let Some(unready) = unready.into_iter().next() {
            let error = ClusterError::NotReady {
                reason: unready.reason,
                details: unready.details,
            };
            return Err(self.stopped(Some(unready.key), error));
        }
        Ok(())
    }

    /// Waits until the new kinds are served, and learns their names.
    async fn learn_kinds(&mut self, range: std::ops::Range<usize>) -> Result<(), ApplyError> {
        self.ready(range).await?;
        // Discovery lags a little behind the condition.
        for _ in 0..DISCOVERIES {
            let discovered = self.api.discover().await;
            discovered.map_err(|error| self.stopped(None, error))?;
            let mut all_known = true;
            for planned in &mut self.planned {
                if planned.resource.is_none() {
                    // In the version it is written in, which need not be the one that the cluster prefers.
                    planned.resource = self.api.resources.of(&planned.content).cloned();
                    all_known &= planned.resource.is_some();
                }
            }
            if all_known {
                break;
            }
            let paused = self.api.interrupt().pause(DISCOVERY_INTERVAL).await;
            paused.map_err(|error| self.stopped(None, error))?;
        }
        Ok(())
    }

    /// Re-applies unchanged objects that were deleted during the apply. Skipped if the apply changed nothing: the plan is
    /// fresh then.
    pub async fn apply_vanished(
        &mut self,
        release: &Release,
        announced: &Parent,
    ) -> Result<(), ApplyError> {
        let was_there = |planned: &Planned| matches!(planned.step, Step::Nothing);
        let there = self.planned.iter().filter(|planned| was_there(planned));
        if [0, self.planned.len()].contains(&there.count()) {
            return Ok(());
        }
        let concurrency = self.options.concurrency;
        let members = inventory::members(&self.api, release, announced, concurrency).await;
        let members = members.map_err(|error| self.stopped(None, error))?;
        let members: HashSet<Key> = members.into_iter().map(|member| member.key).collect();
        let mut vanished = Vec::new();
        for (position, planned) in self.planned.iter_mut().enumerate() {
            if was_there(planned) && !members.contains(&planned.key) {
                planned.step = Step::Unseen;
                vanished.push(position);
            }
        }
        for position in vanished {
            self.apply_some(position..position + 1).await?;
        }
        Ok(())
    }

    pub fn helm_releases(&self) -> Vec<String> {
        let adopted = self.planned.iter().filter_map(|planned| {
            let live = planned.live.as_ref()?;
            matches!(planned.step, Step::Adopt(_)).then(|| helm::release(live))?
        });
        let mut releases: Vec<String> = adopted.map(str::to_owned).collect();
        releases.sort();
        releases.dedup();
        releases
    }
}

fn wave_of(planned: &Planned) -> Wave {
    Wave::of_object(&planned.key, &planned.content)
}
