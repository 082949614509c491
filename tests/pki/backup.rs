//! Backups: the command of the rendered CronJob against a real etcd and a real API server, restored from the file alone.

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::pki::child::Child;
use crate::pki::folder::Folder;
use crate::support::cluster::guard::Guard;
use crate::support::cluster::programs::{ETCD, build};
use crate::support::farms::{Farm, Objects};
use crate::support::{Finished, kubefarm, kubefarm_command, run};

/// How long a program may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// How many objects are written.
const OBJECTS: usize = 200;

/// A control plane, the programs that open backups, and a pair of keys.
struct Site {
    child: Child,
    programs: PathBuf,
    root: TempDir,
    objects: Objects,
}

impl Site {
    fn start() -> Option<Site> {
        let programs = build(&[ETCD, "etcdctl", "etcdutl", "age", "age-keygen"])?.join("bin");
        let child = Child::new("", 1, 1)?;
        child.install(Folder::of("").path());
        child.start();
        let root = TempDir::with_prefix("kubefarm-backup-").expect("a folder");
        let mut keygen = Command::new(programs.join("age-keygen"));
        run(keygen.arg("-o").arg(root.path().join("key.txt"))).success();
        let mut public = Command::new(programs.join("age-keygen"));
        let public = run(public.arg("-y").arg(root.path().join("key.txt"))).success();
        let recipient = public.trim().to_owned();
        let values = format!(
            "--set pki.mode=builtin,ltsp.publishDHCP=false,kubernetes.etcd.backup.enabled=true,\
             kubernetes.etcd.backup.keepLast=2,kubernetes.etcd.backup.recipients={{{recipient}}}"
        );
        let site = Site {
            objects: Farm::new("backups", &values).objects(),
            child,
            programs,
            root,
        };
        fs::create_dir(site.folder()).expect("made");
        site.mount_secrets();
        Some(site)
    }

    fn folder(&self) -> PathBuf {
        self.root.path().join("data")
    }

    fn key(&self) -> String {
        self.root.path().join("key.txt").display().to_string()
    }

    fn container(&self) -> &Value {
        let job = self
            .objects
            .get("CronJob", "kubefarm-kubernetes-etcd-backup");
        &job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]
    }

    /// The Secrets where the pod has them, each under the name of its folder.
    fn mount_secrets(&self) {
        let secrets = self.root.path().join("secrets");
        fs::create_dir(&secrets).expect("made");
        let mounts = self.container()["volumeMounts"].as_array().expect("mounts");
        let paths = mounts
            .iter()
            .filter_map(|mount| mount["mountPath"].as_str());
        for name in paths.filter_map(|path| path.strip_prefix("/secrets/")) {
            symlink(self.child.file(name), secrets.join(name)).expect("linked");
        }
    }

    /// The command of the CronJob's pod, with what differs on this machine.
    fn command(&self) -> Command {
        let container = self.container();
        let texts = |key: &str| -> Vec<String> {
            let list = container[key].as_array().expect("a list").iter();
            list.map(|text| text.as_str().expect("text").to_owned())
                .collect()
        };
        assert_eq!(texts("command"), ["kubefarm", "agent", "backup"]);
        let client = self.child.file("etcd-healthcheck-client");
        let here = BTreeMap::from([
            ("--endpoint", self.child.member(0)),
            (
                "--secrets",
                self.root.path().join("secrets").display().to_string(),
            ),
            ("--folder", self.folder().display().to_string()),
            ("--namespace", "clusters".to_owned()),
        ]);
        let mut command = kubefarm_command();
        command.args(["agent", "backup"]);
        for flag in texts("args") {
            let (name, value) = flag.split_once('=').expect("a value");
            let value = value.replace("/pki/etcd/client", &client);
            let value = here.get(name).unwrap_or(&value);
            command.arg(format!("{name}={value}"));
        }
        command
    }

    fn fill(&self) {
        let items: Vec<Value> = (0..OBJECTS)
            .map(|number| {
                json!({
                    "apiVersion": "v1", "kind": "ConfigMap",
                    "metadata": {"name": format!("kept-{number}"), "namespace": "default"},
                    "data": {"text": "x".repeat(20_000)},
                })
            })
            .collect();
        let list = json!({"apiVersion": "v1", "kind": "List", "items": items});
        let file = self.root.path().join("objects.json");
        fs::write(&file, list.to_string()).expect("written");
        let file = file.display().to_string();
        let create = ["create", "--validate=false", "-f", &file];
        self.child.kubectl("admin-client", 0, &create).success();
    }

    /// The names in the folder, in order.
    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder()).expect("a folder");
        let names = entries.map(|entry| entry.expect("an entry").file_name());
        let mut names: Vec<String> = names
            .map(|name| name.into_string().expect("UTF-8"))
            .collect();
        names.sort();
        names
    }

    /// The newest backup.
    fn newest(&self) -> PathBuf {
        let names = self.names().into_iter();
        let mut names = names.filter(|name| name.ends_with(".tar.age"));
        self.folder().join(names.next_back().expect("a backup"))
    }

    fn verify(&self, file: &Path, key: Option<&str>) -> Finished {
        let file = file.display().to_string();
        let identity = key.map(|key| ["--identity", key]);
        let identity = identity.iter().flatten().copied();
        kubefarm(
            ["backup", "verify", file.as_str()]
                .into_iter()
                .chain(identity),
        )
    }

    /// Starts an etcd on a restored database; gives how many keys with a prefix it has.
    fn keys_of(&self, snapshot: &Path, prefix: &str) -> String {
        let data = self.root.path().join("restored");
        let ports = [0; 2].map(|_| TcpListener::bind(("127.0.0.1", 0)).expect("a port"));
        let [client, peer] = ports.map(|port| {
            format!(
                "http://127.0.0.1:{}",
                port.local_addr().expect("bound").port()
            )
        });
        let cluster = format!("scratch={peer}");
        let mut restore = Command::new(self.programs.join("etcdutl"));
        restore.args(["snapshot", "restore"]).arg(snapshot).args([
            "--bump-revision=1000000000",
            "--mark-compacted",
            "--name=scratch",
            &format!("--initial-advertise-peer-urls={peer}"),
            &format!("--initial-cluster={cluster}"),
            &format!("--data-dir={}", data.display()),
        ]);
        run(&mut restore).success();
        let logs = TempDir::with_prefix("kubefarm-scratch-")
            .expect("a folder")
            .keep();
        let mut guard = Guard::of(&logs);
        guard.start(
            ETCD,
            &[
                self.programs.join(ETCD).display().to_string(),
                "--name=scratch".to_owned(),
                format!("--data-dir={}", data.display()),
                format!("--listen-client-urls={client}"),
                format!("--advertise-client-urls={client}"),
                format!("--listen-peer-urls={peer}"),
                format!("--initial-advertise-peer-urls={peer}"),
                format!("--initial-cluster={cluster}"),
            ],
        );
        let until = Instant::now() + PATIENCE;
        loop {
            let mut get = Command::new(self.programs.join("etcdctl"));
            get.args(["--endpoints", &client, "get", "--prefix", prefix]);
            let found = run(get.args(["--keys-only", "--command-timeout=5s"]));
            if found.status.success() {
                return found.stdout.split_whitespace().count().to_string();
            }
            assert!(
                Instant::now() < until,
                "etcd is not ready: {}",
                found.stderr
            );
            sleep(Duration::from_millis(100));
        }
    }
}

#[test]
fn a_farm_is_restored_from_the_file_alone() {
    let Some(site) = Site::start() else {
        return;
    };
    site.fill();
    let said = run(&mut site.command());
    assert_eq!(said.code(), 0, "{}", said.stderr);
    assert!(
        said.stderr.contains("revision") && said.stderr.contains(", encrypted"),
        "{}",
        said.stderr
    );
    let file = site.newest();
    let key = site.key();
    let right = site.verify(&file, Some(&key)).success();
    assert!(
        right.contains(": good: clusters/kubefarm-kubernetes of "),
        "{right}"
    );
    assert!(right.contains("etcd 3."), "{right}");
    let without = site.verify(&file, None).success();
    assert!(
        without.contains("as it was written; it is encrypted"),
        "{without}"
    );
    flawed_copies(&site, &file);
    opened_without_kubefarm(&site, &file);
}

/// Copies of a good backup with a flaw each.
fn flawed_copies(site: &Site, file: &Path) {
    let key = site.key();
    let bytes = fs::read(file).expect("read");
    let copy = site.root.path().join("copy.tar.age");
    let verify = |bytes: &[u8], key: &str| {
        fs::write(&copy, bytes).expect("written");
        site.verify(&copy, Some(key))
    };
    assert_eq!(verify(&bytes, &key).code(), 0);
    for length in [0, 1, 100, 300, 70_000, bytes.len() / 2, bytes.len() - 1] {
        let found = verify(&bytes[..length], &key);
        assert_eq!(found.code(), 1, "cut at {length}: {}", found.stdout);
    }
    for at in [5, 60, 150, 400, bytes.len() / 3, bytes.len() - 1] {
        let mut changed = bytes.clone();
        changed[at] ^= 4;
        let found = verify(&changed, &key);
        assert_eq!(found.code(), 1, "byte {at}: {}", found.stdout);
    }
    let other = site.root.path().join("other.txt");
    let mut keygen = Command::new(site.programs.join("age-keygen"));
    run(keygen.arg("-o").arg(&other)).success();
    let found = verify(&bytes, &other.display().to_string());
    assert!(
        found
            .stdout
            .contains("it is encrypted for other keys than those in"),
        "{}",
        found.stdout
    );
    // Nobody has said what it should be.
    let found = site.verify(&copy, None);
    assert_eq!(found.code(), 1);
    assert!(
        found.stdout.contains("nothing was checked"),
        "{}",
        found.stdout
    );
    // Another one under its name: it is right by itself, and its record knows.
    let record = fs::read(format!("{}.json", file.display())).expect("a record");
    fs::write(format!("{}.json", copy.display()), record).expect("written");
    assert_eq!(site.verify(&copy, None).code(), 0);
    sleep(Duration::from_secs(1)); // A name has seconds.
    assert_eq!(run(&mut site.command()).code(), 0);
    let newer = fs::read(site.newest()).expect("read");
    assert_ne!(newer, bytes);
    let found = verify(&newer, &key);
    assert!(
        found.stdout.contains("it was changed or swapped"),
        "{}",
        found.stdout
    );
}

/// age and tar open it, and etcd has what was in it.
fn opened_without_kubefarm(site: &Site, file: &Path) {
    let out = site.root.path().join("opened");
    fs::create_dir(&out).expect("made");
    let mut age = Command::new(site.programs.join("age"));
    age.args(["-d", "-i", &site.key(), "-o"]);
    run(age.arg(out.join("all.tar")).arg(file)).success();
    run(Command::new("tar")
        .arg("-xf")
        .arg(out.join("all.tar"))
        .current_dir(&out))
    .success();
    for name in [
        "ca/tls.key",
        "etcd-ca/tls.crt",
        "front-proxy-ca/tls.key",
        "sa/tls.key",
    ] {
        let kept = fs::read(out.join("secrets").join(name)).expect("it is in the backup");
        assert!(
            kept == fs::read(site.child.file(name)).expect("read"),
            "{name}"
        );
    }
    let sum = fs::read_to_string(out.join("manifest.json.sha256")).expect("read");
    let checked =
        crate::support::run_with_stdin(Command::new("sha256sum").arg("-c").current_dir(&out), sum);
    checked.success();
    let prefix = "/registry/configmaps/default/kept-";
    let found = site.keys_of(&out.join("etcd/snapshot.db"), prefix);
    assert_eq!(found, OBJECTS.to_string());
}

#[test]
fn no_half_backup_has_a_name_and_no_other_file_goes() {
    let Some(site) = Site::start() else {
        return;
    };
    site.fill();
    killed_in_the_middle(&site);
    let full = on_a_full_volume(&site);
    assert!(
        full.contains("it cannot be written: No space left on device"),
        "{full}"
    );
    assert!(full.trim_end().ends_with("left:"), "{full}");
    // What others have there, also if it looks like a backup.
    let others = [
        "clusters.kubefarm-kubernetes-20200101T000000Z.tar.age",
        "etcd-backup-29000000-abcde.db",
        "other.kubefarm-kubernetes-20200101T000000Z.tar.age",
        "other.kubefarm-kubernetes-20200101T000000Z.tar.age.json",
    ];
    for name in others {
        fs::write(site.folder().join(name), "x").expect("written");
    }
    for _ in 0..3 {
        let said = run(&mut site.command());
        assert_eq!(said.code(), 0, "{}", said.stderr);
        sleep(Duration::from_secs(1)); // A name has seconds.
    }
    let names = site.names();
    let left = names.iter().filter(|name| !others.contains(&name.as_str()));
    // Two of keepLast, each with its record.
    assert_eq!(left.count(), 4, "{names:?}");
    assert!(
        others
            .iter()
            .all(|name| names.contains(&(*name).to_owned())),
        "{names:?}"
    );
    // etcd does not answer: an error, and nothing goes.
    site.child.signal_member(0, "KILL");
    let said = run(&mut site.command());
    assert_eq!(said.code(), 1);
    assert!(said.stderr.contains("no healthy member"), "{}", said.stderr);
    assert_eq!(site.names(), names);
}

/// A run that is killed leaves a file without a name, and the next one removes it.
fn killed_in_the_middle(site: &Site) {
    let is_half = |name: &String| name.ends_with(".kubefarm-new");
    // One that ends before it is seen leaves a whole backup.
    let caught = (0..20).any(|_| {
        let mut running = site
            .command()
            .stderr(Stdio::null())
            .spawn()
            .expect("started");
        let until = Instant::now() + PATIENCE;
        while !site.names().iter().any(is_half) && running.try_wait().expect("asked").is_none() {
            assert!(Instant::now() < until, "it neither begins nor ends");
        }
        running.kill().expect("killed");
        running.wait().expect("gone");
        let names = site.names();
        let caught = names.iter().any(is_half);
        if !caught {
            for name in names {
                fs::remove_file(site.folder().join(name)).expect("removed");
            }
        }
        caught
    });
    assert!(caught, "every run was over before it could be killed");
    assert_eq!(site.names().len(), 1);
    let said = run(&mut site.command());
    assert!(
        said.stderr
            .contains("half-written files of a stopped run removed"),
        "{}",
        said.stderr
    );
    let names = site.names();
    assert!(!names.iter().any(is_half), "{names:?}");
    for name in names {
        fs::remove_file(site.folder().join(name)).expect("removed");
    }
}

/// What a run says, and what it leaves, on a volume that is too small.
fn on_a_full_volume(site: &Site) -> String {
    let command = site.command();
    let folder = site.folder().display().to_string();
    let script = format!(
        "mount -t tmpfs -o size=512k none {folder} && {{ \"$@\" 2>&1; echo left: $(ls -A {folder}); }}"
    );
    let mut shell = Command::new("unshare");
    shell.args([
        "--user",
        "--map-root-user",
        "--mount",
        "sh",
        "-c",
        &script,
        "sh",
    ]);
    shell
        .env("KUBEFARM_ALLOW_EMPTY", "true")
        .arg(command.get_program())
        .args(command.get_args());
    run(&mut shell).success()
}

#[test]
fn recipients_are_told_from_private_keys() {
    let values = "kubernetes.etcd.backup.recipients={AGE-SECRET-KEY-1QQQ}";
    let said = kubefarm(["render", "--set", values]);
    assert_eq!(said.code(), 2);
    assert!(
        said.stderr.contains("this is a private key"),
        "{}",
        said.stderr
    );
}
