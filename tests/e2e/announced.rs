//! What pods of the child know of their API server, while its replicas are replaced and killed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::json;

use crate::e2e::Seen;
use crate::e2e::far_side::IMAGE;
use crate::e2e::faults;
use crate::e2e::nodes::PLAIN;
use crate::e2e::release::{Release, is_ready, restarts};
use crate::e2e::writer::Repeated;
use crate::support::run;

/// The pod that calls the API server once a second, by the Service `kubernetes`.
const CALLER: &str = "caller";

/// How many of its calls may fail after the loss of a replica: until then connections go there.
const PATIENCE: usize = 15;

/// A pod calls the API server through a rollout and the loss of a replica; what it finds it by is never empty.
pub fn kept(release: &mut Release) -> Seen {
    start_caller(release);
    let poller = Poller::start(release);
    let before = calls(release);
    release.add_values(&["--set", "kubernetes.apiServer.podAnnotations.rolled=once"]);
    release.apply();
    let rolled = calls_after(release, before);
    assert_eq!(rolled.failed, before.failed, "calls failed in the rollout");

    let victim = faults::an_api_server(release);
    let starts = |release: &Release| restarts(&release.get(&["pod", &victim]));
    let started = starts(release);
    faults::kill(release, &victim, "kube-apiserver");
    release
        .cluster
        .wait_until(&format!("{victim} is back"), || {
            starts(release) > started && release.is_ready()
        });
    let killed = calls_after(release, calls(release));
    let failed = killed.failed - rolled.failed;
    assert!(
        failed < PATIENCE,
        "{failed} calls failed after {victim} was killed"
    );

    let looks = poller.finish(release);
    assert_eq!(looks.empty, 0, "of {} looks", looks.count);
    release
        .child(&["delete", "pod", CALLER, "--wait=false"])
        .success();
    format!(
        "{} calls, none failed in the rollout, {failed} after the loss; {} looks at the slices, none empty",
        killed.made, looks.count
    )
}

/// What the pod has done up to now.
#[derive(Clone, Copy)]
struct Calls {
    made: usize,
    failed: usize,
}

fn start_caller(release: &Release) {
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": { "name": CALLER, "namespace": "default" },
        "spec": {
            "nodeSelector": { "kubernetes.io/hostname": PLAIN[0] },
            "terminationGracePeriodSeconds": 0,
            "containers": [{
                "name": CALLER, "image": IMAGE, "args": ["inclusterclient", "--poll-interval=1"],
            }],
        },
    });
    release.apply_in_child(&[pod]);
    release.cluster.wait_until("the caller runs", || {
        is_ready(&release.child_get(&["pod", CALLER]))
    });
    calls_after(release, Calls { made: 0, failed: 0 });
}

/// Its log, which is on its node: the way there may be lost for a moment.
fn calls(release: &Release) -> Calls {
    let mut log = String::new();
    release.cluster.wait_until("its log is readable", || {
        let finished = release.child(&["logs", CALLER]);
        log = finished.stdout;
        finished.status.success()
    });
    Calls {
        made: log.matches("calling /healthz").count(),
        failed: log.matches("status=failed").count(),
    }
}

/// The same, when there are some more calls that did not fail.
fn calls_after(release: &Release, before: Calls) -> Calls {
    let mut now = before;
    release.cluster.wait_until("its calls succeed", || {
        now = calls(release);
        let failed = now.failed - before.failed;
        now.made > before.made + failed + 3
    });
    now
}

/// A client that looks what the Service `kubernetes` leads to, whatever happens to the API servers.
struct Poller {
    stop: Arc<AtomicBool>,
    count: Arc<AtomicUsize>,
    thread: JoinHandle<Looks>,
}

#[derive(Default)]
struct Looks {
    count: usize,
    empty: usize,
}

impl Poller {
    fn start(release: &Release) -> Poller {
        let kubectl = release
            .cluster
            .inside("kubectl", &release.child_kubeconfig());
        let program = Repeated::new(&kubectl);
        let address = release.address();
        let stop = Arc::new(AtomicBool::new(false));
        let count = Arc::new(AtomicUsize::new(0));
        let thread = std::thread::spawn({
            let (stop, count) = (Arc::clone(&stop), Arc::clone(&count));
            move || {
                let mut looks = Looks::default();
                while !stop.load(Ordering::Relaxed) {
                    if let Some(addresses) = look(&program) {
                        looks.count += 1;
                        looks.empty += usize::from(!addresses.contains(&address));
                        count.store(looks.count, Ordering::Relaxed);
                    }
                    std::thread::sleep(Duration::from_millis(200));
                }
                looks
            }
        });
        Poller {
            stop,
            count,
            thread,
        }
    }

    /// Stops after one more look.
    fn finish(self, release: &Release) -> Looks {
        let target = self.count.load(Ordering::Relaxed) + 1;
        release.cluster.wait_until("there is one more look", || {
            self.count.load(Ordering::Relaxed) >= target
        });
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("the poller panicked")
    }
}

/// The addresses in all slices of the Service; `None` where no API server answers.
fn look(program: &Repeated) -> Option<String> {
    let mut kubectl = program.command();
    kubectl.args(["--request-timeout=2s", "get", "endpointslices"]);
    kubectl.args([
        "-n",
        "default",
        "-l",
        "kubernetes.io/service-name=kubernetes",
    ]);
    kubectl.args(["-o", "jsonpath={.items[*].endpoints[*].addresses}"]);
    let finished = run(&mut kubectl);
    finished.status.success().then_some(finished.stdout)
}
