//! Defragmenting etcd: one member at a time, and only while every other one is well. Where etcd refuses writes for want
//! of space, the alarm is taken away at the end, once every database has room again: before that it would come back.

use std::fmt;
use std::time::Duration;

use tokio::time::Instant;

use crate::cluster::client::{Api, ClusterError};
use crate::cluster::event::{Event, Observer};
use crate::cluster::record::{Lock, LockError, inventory};
use crate::cluster::state::{Etcd, Members, Unanswered, UnknownEtcd};
use crate::etcd::{Condition, Seen, condition, to_defragment};
use crate::farm::Release;

/// How long a member may take until it takes part again.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often it is asked.
const POLL_INTERVAL: Duration = Duration::from_millis(500);

/// How to defragment.
#[derive(Debug, Clone, Copy)]
pub struct DefragmentOptions {
    /// Only say which members it would be.
    pub dry_run: bool,
    /// Also where nobody is answered meanwhile.
    pub accepts_pause: bool,
    pub concurrency: usize,
}

/// A member that was defragmented, or would be; sizes in bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct Defragmented {
    pub member: String,
    pub before: u64,
    pub after: u64,
}

/// Why etcd was not defragmented, or not all of it.
#[derive(Debug, thiserror::Error)]
pub enum DefragmentError {
    #[error(transparent)]
    Unknown(#[from] UnknownEtcd),
    #[error(transparent)]
    Lock(#[from] LockError),
    #[error("no member may be missing now: {}", .0.join("; "))]
    Hindered(Vec<String>),
    #[error("{member}: {error}")]
    Member { member: String, error: Unanswered },
    #[error("{member} does not take part again after {} s: {}", PATIENCE.as_secs(), reasons.join("; "))]
    Stuck {
        member: String,
        reasons: Vec<String>,
    },
    #[error(
        "{0} still uses nearly all of its quota: delete objects in the child, which etcd accepts, wait 5 minutes \
         for the API server to compact them, and defragment again"
    )]
    StillFull(String),
}

impl From<ClusterError> for DefragmentError {
    fn from(error: ClusterError) -> DefragmentError {
        DefragmentError::Unknown(error.into())
    }
}

/// Defragments the members that are worth it; `None` where the cluster knows no such farm. May be repeated at any time.
///
/// # Errors
/// Where no member may be missing, where one fails, and where there is still no room afterwards.
pub async fn defragment(
    api: &Api,
    release: &Release,
    options: DefragmentOptions,
    observer: &dyn Observer,
) -> Result<Option<Vec<Defragmented>>, DefragmentError> {
    let there = inventory::read(api, release).await;
    if there.map_err(UnknownEtcd::from)?.is_none() {
        return Ok(None);
    }
    if options.dry_run {
        return under_lock(api, release, options, observer).await;
    }
    let lock = Lock::acquire(api, release.lease(), observer).await?;
    let work = async |api: &Api| under_lock(api, release, options, observer).await;
    lock.hold(api, work).await
}

async fn under_lock(
    api: &Api,
    release: &Release,
    options: DefragmentOptions,
    observer: &dyn Observer,
) -> Result<Option<Vec<Defragmented>>, DefragmentError> {
    let Some(members) = Members::of(api, release, options.concurrency).await? else {
        return Ok(None);
    };
    let work = Work {
        api,
        members,
        observer,
    };
    let seen = work.members.look().await?;
    let wanted = to_defragment(&seen.members, seen.quota, options.accepts_pause)
        .map_err(DefragmentError::Hindered)?;
    let mut done = Vec::new();
    for one in wanted {
        if options.dry_run {
            let size = one.answer.as_ref().map(|answer| answer.status.size);
            let size = size.unwrap_or_default();
            done.push(defragmented(&one.name, size, size));
        } else {
            done.push(work.member(&one.name).await?);
        }
    }
    if !options.dry_run {
        work.disarm(&condition(&seen.members)).await?;
    }
    Ok(Some(done))
}

struct Work<'a> {
    api: &'a Api,
    members: Members<'a>,
    observer: &'a dyn Observer,
}

impl Work<'_> {
    async fn member(&self, name: &str) -> Result<Defragmented, DefragmentError> {
        self.follow(name).await?;
        // Not while somebody else may have taken the Lease.
        self.api.wait_for_tenure().await?;
        let failed = |error| failure(name, error);
        let mut connected = self.members.connect(name).await.map_err(failed)?;
        let member = &mut connected.member;
        let before = member
            .status()
            .await
            .map_err(|error| failed(error.into()))?;
        let began = Instant::now();
        let defragmented_it = member.defragment().await;
        defragmented_it.map_err(|error| failed(error.into()))?;
        let took = began.elapsed();
        let after = member
            .status()
            .await
            .map_err(|error| failed(error.into()))?;
        let seconds = took.as_secs_f64();
        let done = defragmented(name, before.size, after.size);
        self.observer
            .observe(&Event::Note(&format!("{done}, in {seconds:.1} s")));
        self.wait_until_well(name).await?;
        Ok(done)
    }

    /// Has another member lead, so that requests are answered while this one is defragmented.
    async fn follow(&self, name: &str) -> Result<(), DefragmentError> {
        let until = Instant::now() + PATIENCE;
        loop {
            let seen = self.members.look().await?;
            let leads = |one: &Seen| one.answer.as_ref().is_ok_and(|answer| answer.leads());
            let is_leader = seen
                .members
                .iter()
                .any(|one| one.name == name && leads(one));
            let mut others = seen.members.iter().filter(|one| one.name != name);
            let successor = others.find_map(|one| one.answer.as_ref().ok());
            let Some(successor) = successor.filter(|_| is_leader) else {
                return Ok(());
            };
            let target = successor.status.header.member_id;
            let connected = self.members.connect(name).await;
            let mut connected = connected.map_err(|error| failure(name, error))?;
            // Asked again: it may be no leader any more.
            let handed = connected.member.hand_over_to(target).await;
            if let Err(error) = handed
                && Instant::now() > until
            {
                return Err(failure(name, error.into()));
            }
            self.api.interrupt().pause(POLL_INTERVAL).await?;
        }
    }

    async fn wait_until_well(&self, name: &str) -> Result<Etcd, DefragmentError> {
        let until = Instant::now() + PATIENCE;
        loop {
            let seen = self.members.look().await?;
            let mut reasons = condition(&seen.members).others;
            reasons.extend(seen.members.iter().filter_map(Seen::hindrance));
            if reasons.is_empty() {
                return Ok(seen);
            }
            if Instant::now() > until {
                let member = name.to_owned();
                return Err(DefragmentError::Stuck { member, reasons });
            }
            self.api.interrupt().pause(POLL_INTERVAL).await?;
        }
    }

    /// Takes away the alarms for want of space that were there, once there is space.
    async fn disarm(&self, before: &Condition) -> Result<(), DefragmentError> {
        if before.full.is_empty() {
            return Ok(());
        }
        let seen = self.members.look().await?;
        let full = seen
            .members
            .iter()
            .find(|one| !one.faults(seen.quota).is_empty());
        if let Some(full) = full {
            return Err(DefragmentError::StillFull(full.name.clone()));
        }
        self.api.wait_for_tenure().await?;
        let first = seen.members.iter().find(|one| one.answer.is_ok());
        let name = first.map(|one| one.name.as_str()).unwrap_or_default();
        let failed = |error| failure(name, error);
        let mut connected = self.members.connect(name).await.map_err(failed)?;
        // Those of now: another one may have got full meanwhile.
        let full = condition(&seen.members).full;
        for member in &full {
            let disarmed = connected.member.disarm(member.id).await;
            disarmed.map_err(|error| failed(error.into()))?;
        }
        let text = "the alarm NOSPACE is taken away: etcd accepts writes";
        self.observer.observe(&Event::Note(text));
        Ok(())
    }
}

fn failure(member: &str, error: Unanswered) -> DefragmentError {
    DefragmentError::Member {
        member: member.to_owned(),
        error,
    }
}

fn defragmented(member: &str, before: u64, after: u64) -> Defragmented {
    Defragmented {
        member: member.to_owned(),
        before,
        after,
    }
}

/// `farm-etcd-1: 961 MiB are 480 MiB`
impl fmt::Display for Defragmented {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mib = |bytes: u64| bytes / (1024 * 1024);
        let (before, after) = (mib(self.before), mib(self.after));
        write!(f, "{}: {before} MiB are {after} MiB", self.member)
    }
}
