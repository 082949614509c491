//! A client that watches the child cluster as controllers do: a list, and a watch that goes on where it ended.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::Value;

use crate::e2e::release::Release;
use crate::e2e::writer::Repeated;
use crate::support::run;

const PATH: &str = "/api/v1/namespaces/default/configmaps";

/// Watches ConfigMaps of the namespace `default` until it is stopped.
pub struct Watcher {
    stop: Arc<AtomicBool>,
    seen: Arc<Mutex<Seen>>,
    thread: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Seen {
    added: Vec<String>,
    watches: usize,
}

impl Watcher {
    /// Starts to watch; back when its first watch has begun.
    pub fn start(release: &Release) -> Watcher {
        let kubeconfig = release.child_kubeconfig();
        let program = Repeated::new(&release.cluster.inside("kubectl", &kubeconfig));
        let stop = Arc::new(AtomicBool::new(false));
        let seen = Arc::default();
        let mut list = program.command();
        let list: Value =
            serde_json::from_str(&run(list.args(["get", "--raw", PATH])).success()).expect("JSON");
        let version = list["metadata"]["resourceVersion"]
            .as_str()
            .expect("a version")
            .to_owned();
        let thread = std::thread::spawn({
            let (stop, seen) = (Arc::clone(&stop), Arc::clone(&seen));
            move || watch(&program, version, &stop, &seen)
        });
        Watcher { stop, seen, thread }
    }

    /// Stops once the API server that it began with is gone, and everything that was acknowledged has come, each object
    /// once. Returns how many watches it took.
    #[track_caller]
    pub fn finish(self, release: &Release, acknowledged: &[String]) -> usize {
        let seen = || self.seen.lock().expect("no panic");
        let cluster = release.cluster;
        cluster.wait_until("the watch went on at another API server", || {
            seen().watches > 1
        });
        let last = "end-of-the-watch".to_owned();
        release.child(&["create", "configmap", &last]).success();
        cluster.wait_until("the watch has every object", || {
            let seen = seen();
            let mut all = acknowledged.iter().chain([&last]);
            all.all(|name| seen.added.contains(name))
        });
        self.stop.store(true, Ordering::Relaxed);
        // Ends the wait for the next event.
        release.child(&["delete", "configmap", &last]).success();
        self.thread.join().expect("the watch went on");
        let seen = self.seen.lock().expect("no panic");
        let once: BTreeSet<&String> = seen.added.iter().collect();
        assert_eq!(once.len(), seen.added.len(), "{:?}", seen.added);
        seen.watches
    }
}

/// One watch after the other, each from the version of the last event.
fn watch(program: &Repeated, mut version: String, stop: &AtomicBool, seen: &Mutex<Seen>) {
    while !stop.load(Ordering::Relaxed) {
        seen.lock().expect("no panic").watches += 1;
        let path = format!("{PATH}?watch=1&allowWatchBookmarks=true&resourceVersion={version}");
        let mut command = program.command();
        let command = command.args(["get", "--raw", &path]);
        let mut running = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("kubectl starts");
        let events = BufReader::new(running.stdout.take().expect("a pipe"));
        for line in events.lines() {
            // A connection that ends in the middle of a line: the next watch sends it again.
            let Ok(event) = line.and_then(|line| Ok(serde_json::from_str::<Value>(&line)?)) else {
                break;
            };
            assert_ne!(event["type"], "ERROR", "{event}");
            let metadata = &event["object"]["metadata"];
            version = metadata["resourceVersion"]
                .as_str()
                .expect("a version")
                .to_owned();
            if event["type"] == "ADDED" {
                let name = metadata["name"].as_str().expect("a name").to_owned();
                seen.lock().expect("no panic").added.push(name);
            }
            if stop.load(Ordering::Relaxed) {
                break;
            }
        }
        // Ends a watch that this side has left.
        let _ = running.kill();
        let _ = running.wait();
        std::thread::sleep(Duration::from_millis(200));
    }
}
