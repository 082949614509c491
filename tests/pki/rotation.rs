//! Rotations of a control plane that runs, with clients that never stop asking.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, RwLock};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::pki::authentication::identity;
use crate::pki::child::{Child, kubeconfig};
use crate::pki::in_cluster::{Data, Farm};
use crate::support::Finished;

const MEMBERS: usize = 3;
const SERVERS: usize = 2;

/// The authorities that are rotated at once: the cluster's, etcd's, and the key that signs tokens.
const ROTATED: [&str; 3] = ["ca", "etcd-ca", "sa"];

/// Clients with the credentials of one moment, as a pod or a person has them until they are fetched anew.
struct Clients {
    /// By what they are called.
    users: BTreeMap<String, (serde_json::Value, String)>,
    trusted: String,
}

impl Clients {
    /// With what the Secrets have now, and a token of a service account that is signed now.
    fn now(child: &Child, data: &BTreeMap<String, Data>) -> Clients {
        let mut users = BTreeMap::new();
        for (client, user) in [
            ("admin-client", "kubefarm-kubernetes-admin-client"),
            ("scheduler-client", "system:kube-scheduler"),
        ] {
            let encoded = |key: &str| STANDARD.encode(&data[client][key]);
            let credentials = json!({
                "client-certificate-data": encoded("tls.crt"),
                "client-key-data": encoded("tls.key"),
            });
            users.insert(client.to_owned(), (credentials, user.to_owned()));
        }
        let token = child.kubectl(
            "admin-client",
            0,
            &["create", "token", "poller", "--duration=1h"],
        );
        let token = json!({ "token": token.success().trim() });
        let account = "system:serviceaccount:default:poller".to_owned();
        users.insert("account".to_owned(), (token, account));
        let trusted = STANDARD.encode(&data["admin-client"]["ca.crt"]);
        Clients { users, trusted }
    }

    /// A kubeconfig of each, for an API server.
    fn kubeconfigs(&self, child: &Child, number: usize, folder: &Path) -> Vec<(PathBuf, String)> {
        let trusted = json!({ "certificate-authority-data": self.trusted });
        let written = self.users.iter().map(|(name, (credentials, user))| {
            let path = folder.join(format!("{name}-{number}"));
            fs::write(
                &path,
                kubeconfig(&child.server(number), &trusted, credentials),
            )
            .expect("written");
            (path, user.clone())
        });
        written.collect()
    }
}

/// Asks without end, through the API servers that take requests.
struct Poll<'a> {
    child: &'a Child,
    /// As a Service has it: one that is being restarted is not among them. Held while a request is under way.
    ready: [RwLock<bool>; SERVERS],
    clients: RwLock<Vec<Clients>>,
    ends: AtomicBool,
    done: AtomicUsize,
    failed: Mutex<Vec<String>>,
}

impl<'a> Poll<'a> {
    fn of(child: &'a Child) -> Poll<'a> {
        Poll {
            child,
            ready: [RwLock::new(true), RwLock::new(true)],
            clients: RwLock::default(),
            ends: AtomicBool::new(false),
            done: AtomicUsize::new(0),
            failed: Mutex::default(),
        }
    }

    /// Every client, old and new, through one API server after the other: who it is, and for the admin a change.
    fn run(&self) {
        let folder = tempfile::tempdir().expect("a folder");
        while !self.ends.load(Ordering::Relaxed) {
            for number in 0..SERVERS {
                let clients = self.clients.read().expect("alive");
                for one in clients.iter() {
                    for (path, user) in one.kubeconfigs(self.child, number, folder.path()) {
                        let ready = self.ready[number].read().expect("alive");
                        if *ready {
                            self.ask(&path, &user);
                        }
                    }
                }
            }
        }
    }

    /// A request, again where etcd was without a leader: members restart here, and on a busy machine an election takes
    /// longer than a request. That is not a matter of trust.
    fn ask_once(&self, kubeconfig: &Path, arguments: &[&str]) -> Finished {
        let mut tries = 0..5;
        loop {
            let answer = self.child.kubectl_with(kubeconfig, arguments);
            let has_no_leader = [
                "etcdserver: request timed out",
                "etcdserver: leader changed",
            ]
            .iter()
            .any(|message| answer.stderr.contains(message));
            if !has_no_leader || tries.next().is_none() {
                return answer;
            }
        }
    }

    fn ask(&self, kubeconfig: &Path, user: &str) {
        let whoami = self.ask_once(kubeconfig, &["auth", "whoami", "-o", "json"]);
        let fine = |finished: &Finished| finished.status.success();
        let mut answers = vec![whoami];
        if user.ends_with("admin-client") {
            let number = self.done.load(Ordering::Relaxed);
            let mark = format!("poll={number}");
            let write = ["annotate", "serviceaccount", "poller", &mark, "--overwrite"];
            answers.push(self.ask_once(kubeconfig, &write));
        }
        for answer in answers {
            self.done.fetch_add(1, Ordering::Relaxed);
            let text = format!("{user}: {}", answer.stderr);
            let is_fine =
                fine(&answer) && (!answer.stdout.starts_with('{') || identity(answer).0 == user);
            if !is_fine {
                self.failed.lock().expect("alive").push(text);
            }
        }
    }

    #[track_caller]
    fn assert_fine(&self, when: &str) {
        let failed = self.failed.lock().expect("alive");
        assert!(failed.is_empty(), "{when}: {failed:?}");
    }

    /// Restarts everything, one after the other, as pods with a new checksum are.
    fn roll(&self) {
        for number in 0..MEMBERS.max(SERVERS) {
            if number < MEMBERS {
                self.child.restart_member(number);
            }
            if let Some(ready) = self.ready.get(number) {
                *ready.write().expect("alive") = false;
                self.child.stop_server(number);
                self.child.restart_server(number);
                *ready.write().expect("alive") = true;
            }
        }
    }
}

/// Takes a step for every authority, and brings what it gave to the control plane that runs.
fn take(farm: &Farm, poll: &Poll<'_>, step: &str) {
    for authority in ROTATED {
        farm.run(&format!("pki rotate-ca {authority} --step {step}"))
            .success();
    }
    bring(farm, poll.child);
    // Nothing is restarted yet: what reads its files anew does, and the rest has the old ones.
    std::thread::sleep(Duration::from_secs(3));
    poll.roll();
}

/// The farm's Secrets become the child's files.
fn bring(farm: &Farm, child: &Child) {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path().join("pki");
    let words = format!("pki export kubefarm {} --layout pki-dir", dir.display());
    let said = farm.site.run(&words);
    assert_eq!(said.code(), 0, "{}", said.stderr);
    child.install(&dir);
}

/// The rotation as the command's help describes it, step by step.
fn rotate(farm: &Farm, poll: &Poll<'_>) {
    let renew =
        || *poll.clients.write().expect("alive") = vec![Clients::now(poll.child, &farm.data())];
    let add = || {
        let new = Clients::now(poll.child, &farm.data());
        poll.clients.write().expect("alive").push(new);
    };
    renew();
    take(farm, poll, "trust");
    poll.assert_fine("trust");
    // All clients fetch the trusted authorities.
    renew();
    take(farm, poll, "reissue");
    poll.assert_fine("reissue");
    // Old and new certificates are accepted side by side, until all clients have the new ones.
    add();
    std::thread::sleep(Duration::from_secs(5));
    poll.assert_fine("both");
    renew();
    take(farm, poll, "drop");
    std::thread::sleep(Duration::from_secs(3));
    poll.assert_fine("drop");
}

#[test]
fn no_request_fails_while_authorities_are_rotated() {
    let Some(child) = Child::new("", MEMBERS, SERVERS) else {
        return;
    };
    let Some(farm) = Farm::applied("rotated") else {
        return;
    };
    let old = farm.data();
    bring(&farm, &child);
    child.start();
    child
        .kubectl("admin-client", 0, &["create", "serviceaccount", "poller"])
        .success();
    let before = Clients::now(&child, &old);
    let poll = Poll::of(&child);
    std::thread::scope(|scope| {
        scope.spawn(|| poll.run());
        let result =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| rotate(&farm, &poll)));
        poll.ends.store(true, Ordering::Relaxed);
        if let Err(panic) = result {
            std::panic::resume_unwind(panic);
        }
    });
    poll.assert_fine("at the end");
    let done = poll.done.load(Ordering::Relaxed);
    eprintln!("{done} requests");
    assert!(done > 200, "{done}");

    // The old ones are worthless now, as they should be: the test would notice a request that fails.
    let folder = tempfile::tempdir().expect("a folder");
    for (path, user) in before.kubeconfigs(&child, 0, folder.path()) {
        let finished = child.kubectl_with(&path, &["auth", "whoami"]);
        assert_ne!(finished.code(), 0, "{user}: {}", finished.stdout);
    }
    let new = farm.data();
    for authority in ROTATED {
        assert_ne!(new[authority]["tls.key"], old[authority]["tls.key"]);
        assert_eq!(new[authority]["ca.crt"].matches("BEGIN").count(), 1);
    }
}
