//! `kubefarm etcd`: real members, asked through ports that the API server of an admin cluster forwards.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::apply::site::Site;
use crate::pki::FARM;
use crate::pki::child::Child;
use crate::support::cluster::{Cluster, Options};
use crate::support::{Finished, kubefarm, program, run};

const SET: &str = "kubefarm-kubernetes-etcd";
const SECRET: &str = "kubefarm-kubernetes-pki-etcd-healthcheck-client";
const CLIENT: &str = "etcd-healthcheck-client";
const RUNNING: &str =
    r#"{"status":{"phase":"Running","conditions":[{"type":"Ready","status":"True"}]}}"#;
const VALUES: &str = "--set kubernetes.etcd.replicaCount=3";

/// A farm whose pods of etcd are said to run on a node of this machine, and its members here.
struct Farm {
    site: Site,
    child: Child,
}

impl Farm {
    fn new(further: &str) -> Option<Farm> {
        program("curl", "curl")?;
        let values = format!("{VALUES}{further}");
        let child = Child::new(&values, 3, 0)?;
        // With a node, which other tests do not expect.
        let cluster: &'static Cluster = Box::leak(Box::new(Cluster::start(Options::default())?));
        let site = Site::of(cluster, "etcd");
        site.run(&format!("apply -q {FARM} {values} --set pki.mode=builtin"))
            .success();
        let folder = child.folder().join("exported");
        let folder = folder.display();
        site.run(&format!("pki export kubefarm {folder} --layout pki-dir"))
            .success();
        child.install(folder.to_string().as_ref());
        child.start();
        let farm = Farm { site, child };
        farm.place_pods();
        Some(farm)
    }

    /// Does what a scheduler and a kubelet do for the API server to forward ports.
    fn place_pods(&self) {
        let port = self.child.forward_members();
        let node = json!({
            "apiVersion": "v1", "kind": "Node", "metadata": { "name": "here" },
            "status": {
                "addresses": [{ "type": "InternalIP", "address": "127.0.0.1" }],
                "daemonEndpoints": { "kubeletEndpoint": { "Port": port } },
            },
        });
        self.site.kubectl_with("create -f -", &node).success();
        for number in 0..3 {
            let pod = format!("{SET}-{number}");
            self.site
                .cluster
                .wait_until(&format!("there is {pod}"), || {
                    self.site.has(&format!("pod {pod}"))
                });
            let binding = json!({
                "apiVersion": "v1", "kind": "Binding", "metadata": { "name": pod },
                "target": { "kind": "Node", "name": "here" },
            });
            let namespace = &self.site.namespace;
            let path = format!("/api/v1/namespaces/{namespace}/pods/{pod}/binding");
            self.site
                .cluster
                .kubectl_with_stdin(&["create", "--raw", &path, "-f", "-"], &binding.to_string())
                .success();
            self.site
                .kubectl(&format!(
                    "patch pod {pod} --subresource=status -p {RUNNING}"
                ))
                .success();
        }
    }

    fn status(&self) -> Finished {
        self.site.run("etcd status kubefarm")
    }

    fn json(&self, code: i32) -> Value {
        let status = self.site.run("etcd status kubefarm -o json");
        assert_eq!(status.code(), code, "{}\n{}", status.stdout, status.stderr);
        serde_json::from_str(&status.stdout).expect("JSON")
    }

    /// Asks a member for what etcdctl has no command for.
    fn post(&self, path: &str, body: &Value) {
        let mut curl = Command::new("curl");
        curl.args(["-sSf", "--cacert", &self.child.file("etcd-ca/ca.crt")]);
        curl.args([
            "--cert",
            &self.child.file("etcd-healthcheck-client/tls.crt"),
        ]);
        curl.args(["--key", &self.child.file("etcd-healthcheck-client/tls.key")]);
        let url = format!("{}{path}", self.child.member(0));
        run(curl.args(["-d", &body.to_string(), &url])).success();
    }
}

#[test]
fn members_say_how_they_are() {
    let Some(farm) = Farm::new("") else {
        return;
    };
    let status = farm.json(0);
    let members = status["members"].as_array().expect("members");
    let names = members.iter().map(|member| member["name"].as_str());
    let names: Vec<&str> = names.flatten().collect();
    assert_eq!(
        names,
        ["0", "1", "2"].map(|number| format!("{SET}-{number}"))
    );
    let leaders = members.iter().filter(|member| member["role"] == "leader");
    assert_eq!(leaders.count(), 1, "{status:#}");
    let own = farm
        .child
        .etcdctl(Some(CLIENT), &["endpoint", "status", "-w", "json"]);
    let own: Value = serde_json::from_str(&own.success()).expect("JSON");
    let (own, first) = (&own[0]["Status"], &members[0]);
    let id = own["header"]["member_id"].as_u64().expect("an ID");
    assert_eq!(first["id"], format!("{id:x}"));
    for (ours, theirs) in [
        ("version", "version"),
        ("storageVersion", "storageVersion"),
        ("size", "dbSize"),
        ("quota", "dbSizeQuota"),
        ("raftTerm", "raftTerm"),
    ] {
        assert_eq!(first[ours], own[theirs], "{ours}\n{own:#}");
    }

    // etcd has an alarm, and then a member that does not answer.
    let space = json!({ "action": "ACTIVATE", "memberID": id.to_string(), "alarm": "NOSPACE" });
    farm.post("/v3/maintenance/alarm", &space);
    let expected = format!("alarm NOSPACE of {SET}-0: etcd refuses writes");
    assert_eq!(farm.json(1)["problems"], json!([expected]));
    let none = json!({ "action": "DEACTIVATE", "memberID": id.to_string(), "alarm": "NOSPACE" });
    farm.post("/v3/maintenance/alarm", &none);
    assert_eq!(farm.json(0)["problems"], json!([]));
    farm.child.stop_member(2);
    let text = farm.status();
    assert_eq!(text.code(), 1, "{}", text.stdout);
    let row = text
        .stdout
        .lines()
        .find(|line| line.starts_with(&format!("{SET}-2")));
    let row = row.unwrap_or_else(|| panic!("no row\n{}", text.stdout));
    assert!(row.contains(" -  "), "{row}");
    // One more would be missing while its members are replaced.
    let next = "--set pki.mode=builtin,kubernetes.etcd.image.tag=3.8.0-0 --dry-run=server";
    let refused = farm.site.run(&format!("apply {FARM} {VALUES} {next}"));
    let not_well = format!("would become 3.8.0 while it is not well: {SET}-2 ");
    refused.failed(1, &[&not_well, "--accept=etcd-version"]);
    farm.child.stop_member(1);
    let problems = farm.json(1)["problems"].clone();
    let expected = "no majority: of 3 voters, 1 answer, and 2 are needed";
    assert_eq!(problems, json!([expected]));

    // A certificate of another authority is refused, and one that is gone is named.
    for key in ["tls.crt", "tls.key"] {
        let other =
            farm.site.get("secret/kubefarm-kubernetes-pki-admin-client")["data"][key].clone();
        let patch = json!({ "data": { key: other } }).to_string();
        farm.site
            .kubectl(&format!("patch secret {SECRET} --type=merge -p {patch}"))
            .success();
    }
    let refused = farm.json(1)["members"][0]["problems"].to_string();
    assert!(refused.contains("127.0.0.1: "), "{refused}");
    farm.site
        .kubectl(&format!("delete secret {SECRET}"))
        .success();
    farm.status().failed(1, &[SECRET, "tls.crt is missing"]);
}

/// Writes 1 MB a key, beginning with this one, until etcd refuses; gives the key that it refused.
fn fill(farm: &Farm, first: usize) -> usize {
    let value = "x".repeat(1_000_000);
    for number in first..100 {
        let key = format!("/fill/{number}");
        let put = farm.child.etcdctl_reading(CLIENT, &["put", &key], &value);
        if !put.status.success() {
            assert!(
                put.stderr.contains("database space exceeded"),
                "{}",
                put.stderr
            );
            return number;
        }
    }
    panic!("etcd takes more than its quota");
}

#[test]
fn a_full_etcd_is_defragmented_and_accepts_writes_again() {
    let Some(farm) = Farm::new(",kubernetes.etcd.extraArgs.quota-backend-bytes=33554432") else {
        return;
    };
    let defrag = || farm.site.run("etcd defrag kubefarm");
    let nothing = defrag();
    assert!(
        nothing.stderr.contains("nothing to defragment"),
        "{}",
        nothing.stderr
    );
    nothing.success();
    let etcdctl = |words: &[&str]| farm.child.etcdctl(Some(CLIENT), words);

    // Until nothing is free: the alarm stays then, and defrag says what to do.
    let mut keys = 0;
    let refused = loop {
        keys = fill(&farm, keys);
        let done = defrag();
        if done.code() != 0 {
            break done;
        }
        etcdctl(&["put", "/a", "b"]).success();
    };
    let advice = "still uses nearly all of its quota: delete objects";
    refused.failed(1, &[advice]);
    assert_ne!(etcdctl(&["put", "/a", "b"]).code(), 0);

    etcdctl(&["del", "--prefix", "/fill/"]).success();
    let revision = farm.json(1)["revision"].to_string();
    etcdctl(&["compaction", &revision]).success();
    let dry = farm.site.run("etcd defrag kubefarm --dry-run");
    assert_eq!(
        dry.stderr.matches("would defragment").count(),
        3,
        "{}",
        dry.stderr
    );
    dry.success();
    let leader = |status: &Value| -> String {
        let members = status["members"].as_array().expect("members").iter();
        let mut leaders = members.filter(|member| member["role"] == "leader");
        leaders.next().expect("a leader")["name"].to_string()
    };
    let before = leader(&farm.json(1));
    let done = defrag();
    assert_eq!(
        done.stderr.matches(" MiB are 0 MiB, in ").count(),
        3,
        "{}",
        done.stderr
    );
    let mut lines = done
        .stderr
        .lines()
        .filter(|line| line.contains(" MiB are "));
    let last = lines.next_back().expect("a line");
    assert!(
        last.contains(before.trim_matches('"')),
        "the leader is not the last: {before}\n{}",
        done.stderr
    );
    done.success();
    etcdctl(&["put", "/a", "b"]).success();
    let after = farm.json(0);
    assert_ne!(
        leader(&after),
        before,
        "the leader was defragmented while it led"
    );
    for member in after["members"].as_array().expect("members") {
        assert!(member["size"].as_u64() < Some(1 << 20), "{member}");
    }

    farm.child.stop_member(1);
    defrag().failed(1, &["no member may be missing now", &format!("{SET}-1 ")]);
}

#[test]
fn a_snapshot_is_saved_whole_or_not_at_all() {
    let Some(farm) = Farm::new("") else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("saved.db");
    let snapshot = || {
        let output = file.display();
        farm.site
            .run(&format!("etcd snapshot kubefarm -o {output}"))
    };
    let names = || fs::read_dir(folder.path()).expect("a folder").count();
    // A member that does not answer is passed over.
    farm.child.stop_member(0);
    let saved = snapshot();
    assert!(
        saved
            .stderr
            .contains(&format!(" bytes of {SET}-1, etcd 3.")),
        "{}",
        saved.stderr
    );
    saved.success();
    let path = file.display().to_string();
    let said = kubefarm(["backup", "verify", &path]).success();
    assert!(said.contains("good: a snapshot of etcd alone"), "{said}");
    assert_eq!(fs::metadata(&file).expect("a file").mode() & 0o777, 0o600);
    // What is there is not replaced.
    snapshot().failed(1, &["exists already"]);
    let mut bytes = fs::read(&file).expect("read");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&file, bytes).expect("written");
    let flipped = kubefarm(["backup", "verify", &path]);
    assert_eq!(flipped.code(), 1);
    assert!(
        flipped.stdout.contains("not the SHA-256 of the rest"),
        "{}",
        flipped.stdout
    );
    // Without a majority there is no leader, and what one member has may not be what was acknowledged.
    fs::remove_file(&file).expect("removed");
    farm.child.stop_member(1);
    let until = Instant::now() + Duration::from_secs(60);
    while farm.json(1)["members"][2]["problems"]
        .as_array()
        .is_some_and(Vec::is_empty)
    {
        assert!(
            Instant::now() < until,
            "the last member believes in its leader"
        );
    }
    snapshot().failed(1, &["no member is healthy", "knows no leader"]);
    assert_eq!(names(), 0);
}
