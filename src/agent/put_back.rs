//! `kubefarm agent put-back`: what nodes need of a child comes back when somebody deleted or changed it.
//!
//! It applies what `kubefarm agent bootstrap` applies, but the user's manifests, and only while that is what was applied
//! last: after a change of the values, the files of a pod may be older than what the Job has applied.

mod watched;

use std::cell::RefCell;
use std::collections::HashMap;
use std::time::Duration;

use tokio::time::{Instant, timeout};

use self::watched::Watched;
use super::bootstrap::{Bootstrap, apply_addons, prepare, selector_of_addons};
use super::error::AgentError;
use super::faults::Faults;
use super::waiting::JobContext;
use crate::cluster::change::ApplyError;
use crate::cluster::{Action, Event, Interrupt, Observer, Target};
use crate::manifest::Key;

/// What is deleted together is put back together.
const GATHERING: Duration = Duration::from_millis(500);
/// Who changes the same again and again is answered less and less often, ...
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// ... until it was left alone for so long.
const MEMORY: Duration = Duration::from_secs(300);
/// When something that failed is tried again.
const RETRY: Duration = Duration::from_secs(5);
/// When to look again whether the files are those that were applied: the kubelet renews them once a minute.
const OUTDATED: Duration = Duration::from_secs(30);
/// How long the first answers of the watches may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Puts back what is missing or different, and does so again whenever something of it changes, until it is interrupted.
/// What fails is reported, and tried again.
pub async fn put_back(admin: Target, child: Target, wanted: &Bootstrap, context: &JobContext<'_>) {
    let interrupt = &context.interrupt;
    let mut history = History::default();
    let faults = Faults::new(context.observer);
    while !interrupt.is_set() {
        let repairs = Repairs {
            observer: context.observer,
            keys: RefCell::default(),
        };
        let (fault, wait) =
            match round(admin.clone(), child.clone(), wanted, context, &repairs).await {
                Ok(mut watched) => {
                    tokio::select! {
                        () = watched.change(context.observer) => {}
                        () = interrupt.wait() => return,
                    }
                    let pause = history.add(repairs.keys.take(), Instant::now());
                    (None, pause)
                }
                Err(AgentError::Apply(error)) if matches!(*error, ApplyError::Other) => {
                    let note = "something else was applied than this pod's files have; waiting for \
                            the same";
                    (Some(note.to_owned()), OUTDATED)
                }
                Err(error) => (Some(format!("{}; trying again", said(&error))), RETRY),
            };
        if !interrupt.is_set() {
            faults.state("put-back", fault);
        }
        sleep(interrupt, wait).await;
    }
}

/// Watches, and then applies: no change after that is missed.
async fn round(
    admin: Target,
    child: Target,
    wanted: &Bootstrap,
    context: &JobContext<'_>,
    repairs: &Repairs<'_>,
) -> Result<Watched, AgentError> {
    let client = child.connect().await?.client;
    let prepared = prepare(admin, child, wanted, context).await?;
    let (api, addons) = (&prepared.api, prepared.addons);
    let mut watched = Watched::new(&client, &api.resources, &addons, &selector_of_addons());
    let ready = watched.ready(context.observer);
    tokio::select! {
        ready = timeout(PATIENCE, ready) => ready.map_err(|_| {
            AgentError::TooLate("the child cluster does not say what there is".to_owned())
        })?,
        () = context.interrupt.wait() => {}
    }
    apply_addons(api, addons, wanted.concurrency, true, repairs).await?;
    Ok(watched)
}

/// Why it failed, with the objects that were refused.
fn said(error: &AgentError) -> String {
    let AgentError::Apply(apply) = error else {
        return error.to_string();
    };
    let ApplyError::Refused(refusals) = &**apply else {
        return error.to_string();
    };
    let refused: Vec<String> = refusals.iter().map(|(key, _)| key.to_string()).collect();
    format!("{error}: {}", refused.join(", "))
}

async fn sleep(interrupt: &Interrupt, time: Duration) {
    // An interruption ends the loop that waits here.
    let _ = interrupt.pause(time).await;
}

/// What was put back lately.
#[derive(Debug, Default)]
struct History {
    /// When last, and how often.
    repairs: HashMap<Key, (Instant, u32)>,
}

impl History {
    /// Adds what was put back; gives how long to wait before the next time.
    fn add(&mut self, keys: Vec<Key>, now: Instant) -> Duration {
        self.repairs
            .retain(|_, (last, _)| now.duration_since(*last) < MEMORY);
        let mut most = 0;
        for key in keys {
            let (last, count) = self.repairs.entry(key).or_insert((now, 0));
            (*last, *count) = (now, count.saturating_add(1));
            most = most.max(*count);
        }
        let doubled = 2_u32.saturating_pow(most.saturating_sub(1));
        GATHERING.saturating_mul(doubled).min(LONGEST_PAUSE)
    }
}

/// Passes on what was put back, and not that everything was compared first.
struct Repairs<'a> {
    observer: &'a dyn Observer,
    keys: RefCell<Vec<Key>>,
}

impl Observer for Repairs<'_> {
    fn observe(&self, event: &Event<'_>) {
        let (key, action) = match event {
            Event::Object { key, action } => (*key, action),
            Event::Waiting { .. } | Event::Held { .. } | Event::Note(_) => {
                return self.observer.observe(event);
            }
            // The Job reports warnings.
            Event::Stage { .. } | Event::Taken { .. } | Event::Warning { .. } => return,
        };
        let what = match action {
            Action::Created => "was not there; put back",
            Action::Changed => "was not as it has to be; put right",
            Action::Replaced => "was not as it has to be; replaced",
            Action::Deleted => "is not to be there; deleted",
            Action::Checked | Action::Unchanged | Action::Kept(_) | Action::Ready => return,
        };
        self.keys.borrow_mut().push(key.clone());
        self.observer
            .observe(&Event::Note(&format!("{key} {what}")));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_again_is_waited_for_longer() {
        let key = |name: &str| Key::core("ConfigMap", "kube-system", name);
        let start = Instant::now();
        let mut history = History::default();
        let mut pause = |names: &[&str], seconds| {
            let keys = names.iter().map(|name| key(name)).collect();
            history.add(keys, start + Duration::from_secs(seconds))
        };
        assert_eq!(pause(&["a"], 0), GATHERING);
        assert_eq!(pause(&["b"], 1), GATHERING);
        assert_eq!(pause(&["a", "c"], 2), GATHERING * 2);
        assert_eq!(pause(&[], 3), GATHERING);
        assert_eq!(pause(&["a"], 4), GATHERING * 4);
        for _ in 0..100 {
            pause(&["a"], 5);
        }
        assert_eq!(pause(&["a"], 6), LONGEST_PAUSE);
        assert_eq!(pause(&["b"], 7), GATHERING * 2);
        assert_eq!(pause(&["a"], 7 + MEMORY.as_secs()), GATHERING);
    }
}
