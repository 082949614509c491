//! One process at a time: a Lease that a process holds while it changes a farm.

use std::pin::pin;
use std::time::Duration;

use jiff::{Timestamp, fmt::temporal::DateTimePrinter};
use serde_json::{Map, Value as Json, json};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::process::{Process, has_ended};
use crate::cluster::client::{Api, ClusterError, DeleteParams, Interrupt, Resource, Tenure, only};
use crate::cluster::event::{Event, Observer};
use crate::farm::Release;
use crate::manifest::Key;
use crate::manifest::json::{into_object, text_at};

/// A holder that does not renew for this long has died.
const DURATION: Duration = Duration::from_secs(15);
/// How long a renewal lets its holder send requests: shorter, so that what was sent last is answered before another
/// process takes the Lease (`RenewDeadline` of client-go's leader election, which has the same figures).
const TENURE: Duration = Duration::from_secs(10);
const RENEWAL_INTERVAL: Duration = Duration::from_secs(4);
/// How often to check whether it was released.
const POLL_INTERVAL: Duration = Duration::from_millis(500);
/// How long releasing it may take after the user interrupted.
const RELEASE_TIMEOUT: Duration = Duration::from_secs(3);
const PROCESS: &str = "kubefarm.io/process";

fn leases() -> Resource {
    Resource::well_known("coordination.k8s.io", "Lease", "leases")
}

impl Release {
    /// The key of the Lease that a process holds while it changes the farm.
    pub fn lease(&self) -> Key {
        leases().key(&self.namespace, &self.parent_name())
    }
}

/// Why the farm cannot be changed now.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    #[error("{holder} works on this farm since {since}; nothing was changed")]
    Held { holder: String, since: String },
    #[error(transparent)]
    Cluster(#[from] ClusterError),
}

/// A Lease that we hold.
pub struct Lock {
    resource: Resource,
    key: Key,
    process: Process,
    acquired: String,
    version: String,
    /// When it was last taken or renewed; by our clock, before the request was sent.
    renewed: Instant,
}

/// Why the Lease was not renewed this time.
enum RenewalFailure {
    /// This holder has it now.
    Lost(String),
    Refused(ClusterError),
}

impl Lock {
    /// Takes the Lease; waits for another holder until the API's deadline. A holder that died is replaced: at once where it
    /// ran on this machine, else when it did not renew for 15 s.
    ///
    /// # Errors
    /// The holder, where it did not end in time; or the cluster's refusal.
    pub async fn acquire(api: &Api, key: Key, observer: &dyn Observer) -> Result<Lock, LockError> {
        let mut lock = Lock {
            key,
            resource: leases(),
            process: Process::current(),
            acquired: now(),
            version: String::new(),
            renewed: Instant::now(),
        };
        let mut observed = ObservedLease::default();
        loop {
            lock.renewed = Instant::now();
            if let Some(version) = lock.create(api).await? {
                lock.version = version;
                return Ok(lock);
            }
            let Some(found) = api.get(&lock.resource, &lock.key).await? else {
                continue;
            };
            let is_ours = mark(&found) == lock.process.mark && !lock.process.mark.is_empty();
            if is_ours || has_ended(mark(&found)) || observed.is_dead(&found) {
                lock.renewed = Instant::now();
                if let Some(version) = lock.take(api, &found).await? {
                    lock.version = version;
                    return Ok(lock);
                }
                continue;
            }
            if observed.is_new_holder(&found) {
                observer.observe(&Event::Held {
                    holder: holder(&found),
                });
            }
            if Instant::now() + POLL_INTERVAL >= api.deadline() {
                return Err(LockError::Held {
                    holder: holder(&found).to_owned(),
                    since: text_at(&found, &["spec", "acquireTime"]).to_owned(),
                });
            }
            api.interrupt().pause(POLL_INTERVAL).await?;
        }
    }

    /// Does `work` while holding the Lease, renewing it, and releases it at the end. Where renewals fail, the requests
    /// of `work` wait until one succeeds, which shows that nobody else had the Lease meanwhile. Where none can, they
    /// fail, with [`ClusterError::LeaseLost`].
    pub async fn hold<T>(mut self, api: &Api, work: impl AsyncFnOnce(&Api) -> T) -> T {
        let (tenure, receiver) = watch::channel(Tenure::Until(self.renewed + TENURE));
        let guarded = api.within(receiver);
        let mut work = pin!(work(&guarded));
        let ended = tokio::select! {
            done = &mut work => Ok(done),
            reason = self.keep_renewing(api, &tenure) => Err(reason),
        };
        match ended {
            Ok(done) => {
                self.release(api).await;
                done
            }
            Err(reason) => {
                tenure.send_replace(Tenure::Over(reason));
                work.await
            }
        }
    }

    /// Renews for ever; returns when that is no longer possible, and why.
    async fn keep_renewing(&mut self, api: &Api, tenure: &watch::Sender<Tenure>) -> String {
        let mut pause = RENEWAL_INTERVAL;
        loop {
            sleep(pause).await;
            let begun = Instant::now();
            // Not interrupted by the user: that ends the work, and with it this.
            let attempt = api.until(begun + RENEWAL_INTERVAL, Interrupt::never());
            pause = match self.renew(&attempt).await {
                Ok(()) => {
                    self.renewed = begun;
                    tenure.send_replace(Tenure::Until(begun + TENURE));
                    RENEWAL_INTERVAL
                }
                Err(RenewalFailure::Lost(holder)) => return format!("was taken over by {holder}"),
                Err(RenewalFailure::Refused(error))
                    if self.renewed + TENURE <= Instant::now() && !error.may_pass() =>
                {
                    let seconds = TENURE.as_secs();
                    return format!(
                        "could not be renewed for {seconds} s, and another process may take it: {error}"
                    );
                }
                // If it lasts, the work's own requests report what is wrong with the cluster.
                Err(RenewalFailure::Refused(_)) => POLL_INTERVAL,
            };
        }
    }

    async fn renew(&mut self, api: &Api) -> Result<(), RenewalFailure> {
        let object = self.object(Some(&self.version));
        let error = match api.replace(&self.resource, &self.key, &object).await {
            Ok(answer) => {
                self.version = version(&answer.object).to_owned();
                return Ok(());
            }
            Err(error) if error.is_not_found() => {
                return Err(RenewalFailure::Lost("somebody who deleted it".to_owned()));
            }
            Err(error) => error,
        };
        if error.status().is_some_and(|status| status.code == 409) {
            let found = api.get(&self.resource, &self.key).await;
            match found.map_err(RenewalFailure::Refused)? {
                // Our own renewal, whose answer was lost: the next one has its version.
                Some(found) if mark(&found) == self.process.mark => {
                    self.version = version(&found).to_owned();
                }
                Some(found) => return Err(RenewalFailure::Lost(holder(&found).to_owned())),
                None => return Err(RenewalFailure::Lost("somebody who deleted it".to_owned())),
            }
        }
        Err(RenewalFailure::Refused(error))
    }

    /// Deletes the Lease, so that nothing is left of an apply that changed nothing. What goes wrong here does no harm:
    /// the Lease ends by itself.
    async fn release(self, api: &Api) {
        let api = api.until(Instant::now() + RELEASE_TIMEOUT, Interrupt::never());
        let ours = api.get(&self.resource, &self.key).await;
        let Ok(Some(found)) = ours else { return };
        if mark(&found) != self.process.mark {
            return;
        }
        let uid = text_at(&found, &["metadata", "uid"]);
        let params = only(uid, DeleteParams::background());
        let _ = api.delete(&self.resource, &self.key, &params).await;
    }

    /// Creates the Lease; `None` where there is one.
    async fn create(&self, api: &Api) -> Result<Option<String>, ClusterError> {
        let object = self.object(None);
        let namespace = &self.key.namespace;
        match api.create(&self.resource, namespace, &object, false).await {
            Ok(answer) => Ok(Some(version(&answer.object).to_owned())),
            Err(error) if error.status().is_some_and(|status| status.code == 409) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Replaces what was found; `None` where another process was faster.
    async fn take(
        &self,
        api: &Api,
        found: &Map<String, Json>,
    ) -> Result<Option<String>, ClusterError> {
        let object = self.object(Some(version(found)));
        match api.replace(&self.resource, &self.key, &object).await {
            Ok(answer) => Ok(Some(version(&answer.object).to_owned())),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) if error.status().is_some_and(|status| status.code == 409) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn object(&self, version: Option<&str>) -> Map<String, Json> {
        into_object(json!({
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {
                "name": self.key.name,
                "namespace": self.key.namespace,
                "resourceVersion": version,
                "annotations": { PROCESS: self.process.mark },
            },
            "spec": {
                "holderIdentity": self.process.name,
                "leaseDurationSeconds": DURATION.as_secs(),
                "acquireTime": self.acquired,
                "renewTime": now(),
            },
        }))
    }
}

/// The Lease of another holder, as seen so far. Its age is measured by our clock alone, since clocks disagree.
#[derive(Default)]
struct ObservedLease {
    version: String,
    since: Option<Instant>,
    holder: String,
}

impl ObservedLease {
    fn is_dead(&mut self, found: &Map<String, Json>) -> bool {
        if self.version != version(found) {
            version(found).clone_into(&mut self.version);
            self.since = Some(Instant::now());
        }
        self.since.is_some_and(|since| since.elapsed() > DURATION)
    }

    fn is_new_holder(&mut self, found: &Map<String, Json>) -> bool {
        let is_new = self.holder != holder(found);
        holder(found).clone_into(&mut self.holder);
        is_new
    }
}

fn version(lease: &Map<String, Json>) -> &str {
    text_at(lease, &["metadata", "resourceVersion"])
}

fn mark(lease: &Map<String, Json>) -> &str {
    text_at(lease, &["metadata", "annotations", PROCESS])
}

fn holder(lease: &Map<String, Json>) -> &str {
    match text_at(lease, &["spec", "holderIdentity"]) {
        "" => "somebody",
        name => name,
    }
}

/// The time as `meta/v1.MicroTime` wants it: microseconds, UTC.
fn now() -> String {
    const PRINTER: DateTimePrinter = DateTimePrinter::new().precision(Some(6));
    PRINTER.timestamp_to_string(&Timestamp::now())
}
