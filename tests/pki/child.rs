//! A child's control plane: etcd members and API servers on loopback, started with the flags that the farm's own
//! manifest gives them, from the Secrets that it names.

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::cluster::guard::Guard;
use crate::support::cluster::programs::{API_SERVER, ETCD, PORT_FORWARD, build};
use crate::support::farms::{Farm, Objects};
use crate::support::{Finished, run, run_with_stdin};

/// How long a program may take to get ready.
const PATIENCE: Duration = Duration::from_secs(90);

/// What the Secrets of the release `kubefarm` begin with.
const PREFIX: &str = "kubefarm-kubernetes-pki-";

/// The StatefulSet of etcd, whose pods' names are those of the members.
const MEMBER: &str = "kubefarm-kubernetes-etcd";

/// A control plane without controllers.
pub struct Child {
    programs: PathBuf,
    folder: PathBuf,
    objects: Objects,
    members: Vec<Ports>,
    servers: Vec<u16>,
    guard: Mutex<Guard>,
    pids: Mutex<BTreeMap<String, u32>>,
}

#[derive(Clone, Copy)]
struct Ports {
    client: u16,
    peer: u16,
    metrics: u16,
}

impl Child {
    /// Nothing runs yet. `None` where a program is missing.
    pub fn new(values: &str, members: usize, servers: usize) -> Option<Child> {
        let programs = build(&[ETCD, API_SERVER, "etcdctl", "kubectl", PORT_FORWARD])?;
        let folder = TempDir::with_prefix("kubefarm-child-").expect("a folder");
        // The guard removes it, because this process may be killed.
        let folder = folder.keep();
        let guard = Mutex::new(Guard::of(&folder));
        let ports = free_ports(members * 3 + servers);
        let (of_members, of_servers) = ports.split_at(members * 3);
        let members = of_members.chunks(3).map(|ports| Ports {
            client: ports[0],
            peer: ports[1],
            metrics: ports[2],
        });
        let values = format!("--set pki.mode=builtin,ltsp.publishDHCP=false {values}");
        Some(Child {
            objects: Farm::new("the child", &values).objects(),
            programs,
            members: members.collect(),
            servers: of_servers.to_vec(),
            folder,
            guard,
            pids: Mutex::default(),
        })
    }

    /// Puts Secrets in place, one after the other, each in one step, as kubelet does for running pods. They are folders
    /// in a folder, as `--pki-dir` has them.
    pub fn install(&self, from: &Path) {
        let place = self.folder.join("pki");
        fs::create_dir_all(&place).expect("made");
        let version = TempDir::with_prefix_in("version-", &self.folder)
            .expect("a folder")
            .keep();
        for entry in fs::read_dir(from).expect("a folder") {
            let entry = entry.expect("an entry");
            let copy = version.join(entry.file_name());
            fs::create_dir(&copy).expect("made");
            for file in fs::read_dir(entry.path()).expect("a folder") {
                let file = file.expect("an entry");
                fs::copy(file.path(), copy.join(file.file_name())).expect("copied");
            }
            let link = version.join("link");
            symlink(&copy, &link).expect("linked");
            fs::rename(&link, place.join(entry.file_name())).expect("in place");
        }
    }

    /// A file of a Secret, such as `admin-client/tls.crt`.
    pub fn file(&self, name: &str) -> String {
        self.folder.join("pki").join(name).display().to_string()
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// `https://127.0.0.1:34567`
    pub fn server(&self, number: usize) -> String {
        format!("https://127.0.0.1:{}", self.servers[number])
    }

    /// The same of an etcd member.
    pub fn member(&self, number: usize) -> String {
        format!("https://127.0.0.1:{}", self.members[number].client)
    }

    /// Starts every member of etcd at once, and the API servers; back when all are ready.
    pub fn start(&self) {
        (0..self.members.len()).for_each(|number| self.start_member(number));
        (0..self.members.len()).for_each(|number| self.wait_for_member(number));
        (0..self.servers.len()).for_each(|number| self.start_server(number));
        (0..self.servers.len()).for_each(|number| self.wait_for_server(number));
    }

    /// Restarts a member of etcd, and waits until it is ready.
    pub fn restart_member(&self, number: usize) {
        self.stop_member(number);
        self.start_member(number);
        self.wait_for_member(number);
    }

    /// Forwards ports of pods, as the kubelet of a node does: those for clients of etcd's members. Gives its own port.
    pub fn forward_members(&self) -> u16 {
        let port = free_ports(1)[0];
        let mut command = vec![
            self.programs
                .join("bin")
                .join(PORT_FORWARD)
                .display()
                .to_string(),
            format!("127.0.0.1:{port}"),
            self.file("apiserver-server/tls.crt"),
            self.file("apiserver-server/tls.key"),
        ];
        let members = self.members.iter().enumerate();
        command.extend(
            members.map(|(number, ports)| {
                format!("{MEMBER}-{number}:2379=127.0.0.1:{}", ports.client)
            }),
        );
        let mut guard = self.guard.lock().expect("alive");
        guard.start(PORT_FORWARD, &command);
        port
    }

    /// Sends a member of etcd a signal: with `STOP` it takes connections, and answers nothing.
    pub fn signal_member(&self, number: usize, signal: &str) {
        let name = format!("{ETCD}-{number}");
        self.guard.lock().expect("alive").signal(&name, signal);
    }

    /// Ends a member of etcd.
    pub fn stop_member(&self, number: usize) {
        self.stop(&format!("{ETCD}-{number}"));
    }

    pub fn objects(&self) -> &Objects {
        &self.objects
    }

    /// Ends an API server, as the end of a pod does: with time to finish what it does.
    pub fn stop_server(&self, number: usize) {
        self.stop(&format!("{API_SERVER}-{number}"));
    }

    /// Starts a stopped API server, and waits until it is ready.
    pub fn restart_server(&self, number: usize) {
        self.start_server(number);
        self.wait_for_server(number);
    }

    fn start_member(&self, number: usize) {
        let Ports {
            client,
            peer,
            metrics,
        } = self.members[number];
        let peers = self.members.iter().enumerate();
        let peers: Vec<String> = peers
            .map(|(number, ports)| format!("{MEMBER}-{number}=https://127.0.0.1:{}", ports.peer))
            .collect();
        let data = self.folder.join(format!("data-{number}"));
        let own = BTreeMap::from([
            ("name", format!("{MEMBER}-{number}")),
            ("data-dir", data.display().to_string()),
            ("listen-client-urls", format!("https://127.0.0.1:{client}")),
            ("listen-peer-urls", format!("https://127.0.0.1:{peer}")),
            ("listen-metrics-urls", format!("http://127.0.0.1:{metrics}")),
            (
                "advertise-client-urls",
                format!("https://127.0.0.1:{client}"),
            ),
            (
                "initial-advertise-peer-urls",
                format!("https://127.0.0.1:{peer}"),
            ),
            ("initial-cluster", peers.join(",")),
            ("unsafe-no-fsync", "true".to_owned()),
        ]);
        self.run(ETCD, number, "StatefulSet", MEMBER, &own);
    }

    fn start_server(&self, number: usize) {
        let members: Vec<String> = (0..self.members.len())
            .map(|number| self.member(number))
            .collect();
        let own = BTreeMap::from([
            ("bind-address", "127.0.0.1".to_owned()),
            ("secure-port", self.servers[number].to_string()),
            ("etcd-servers", members.join(",")),
            // Its own address may not be a loopback one in an EndpointSlice.
            ("endpoint-reconciler-type", "none".to_owned()),
            ("advertise-address", "127.0.0.1".to_owned()),
            // There is a load balancer in the tests that need one.
            ("shutdown-delay-duration", "0s".to_owned()),
        ]);
        self.run(
            API_SERVER,
            number,
            "Deployment",
            "kubefarm-kubernetes-apiserver",
            &own,
        );
    }

    /// Starts a program with the flags of its container, but for our own.
    fn run(
        &self,
        program: &str,
        number: usize,
        kind: &str,
        name: &str,
        own: &BTreeMap<&str, String>,
    ) {
        let workload = self.objects.get(kind, name);
        let pod = &workload["spec"]["template"]["spec"];
        let container = &pod["containers"][0];
        let mut command = vec![
            self.programs
                .join("bin")
                .join(program)
                .display()
                .to_string(),
        ];
        for flag in container["args"].as_array().expect("arguments") {
            let flag = flag.as_str().expect("text");
            let (flag, value) = flag.split_once('=').expect("a value");
            if !own.contains_key(flag.trim_start_matches('-')) {
                command.push(format!(
                    "{flag}={}",
                    self.on_this_machine(pod, container, value)
                ));
            }
        }
        command.extend(own.iter().map(|(flag, value)| format!("--{flag}={value}")));
        let name = format!("{program}-{number}");
        let pid = self.guard.lock().expect("alive").start(&name, &command);
        self.pids.lock().expect("alive").insert(name, pid);
    }

    /// A path in a container, as a path here.
    fn on_this_machine(&self, pod: &Value, container: &Value, value: &str) -> String {
        let mounts = container["volumeMounts"].as_array().expect("mounts").iter();
        let mut mounts = mounts.filter_map(|mount| {
            let inside = value
                .strip_prefix(mount["mountPath"].as_str()?)?
                .strip_prefix('/')?;
            Some((mount["name"].as_str()?, inside))
        });
        let Some((volume, inside)) = mounts.next() else {
            return value.to_owned();
        };
        let volumes = pod["volumes"].as_array().expect("volumes");
        let volume = volumes
            .iter()
            .find(|one| one["name"] == volume)
            .expect("a volume");
        if let Some(secret) = volume["secret"]["secretName"].as_str() {
            let short = secret.strip_prefix(PREFIX).expect("a Secret of the farm");
            return self.file(&format!("{short}/{inside}"));
        }
        let map = volume["configMap"]["name"].as_str().expect("a ConfigMap");
        let path = self.folder.join(format!("{map}-{inside}"));
        fs::write(&path, self.objects.file(map, inside)).expect("written");
        path.display().to_string()
    }

    fn stop(&self, name: &str) {
        let pid = self
            .pids
            .lock()
            .expect("alive")
            .remove(name)
            .expect("it runs");
        let mut guard = self.guard.lock().expect("alive");
        guard.signal(name, "TERM");
        let until = Instant::now() + Duration::from_secs(30);
        while is_running(pid) && Instant::now() < until {
            sleep(Duration::from_millis(50));
        }
        guard.end(name);
    }

    #[track_caller]
    fn wait_for_member(&self, number: usize) {
        let url = format!("http://127.0.0.1:{}/readyz", self.members[number].metrics);
        let is_ready = || {
            run(Command::new("curl").args(["-sf", "-m", "2", &url]))
                .status
                .success()
        };
        self.wait(&format!("{ETCD}-{number}"), is_ready);
    }

    #[track_caller]
    pub fn wait_for_server(&self, number: usize) {
        let name = format!("{API_SERVER}-{number}");
        self.wait(&name, || {
            self.kubectl("admin-client", number, &["get", "--raw", "/readyz"])
                .status
                .success()
        });
    }

    #[track_caller]
    fn wait(&self, name: &str, is_ready: impl Fn() -> bool) {
        let until = Instant::now() + PATIENCE;
        while !is_ready() {
            let log =
                || fs::read_to_string(self.folder.join(format!("{name}.log"))).unwrap_or_default();
            assert!(Instant::now() < until, "{name} is not ready\n{}", log());
            sleep(Duration::from_millis(100));
        }
    }

    /// Runs kubectl with a client's certificate against an API server.
    pub fn kubectl(&self, client: &str, number: usize, arguments: &[&str]) -> Finished {
        self.kubectl_with(&self.kubeconfig(client, number), arguments)
    }

    pub fn kubectl_with(&self, kubeconfig: &Path, arguments: &[&str]) -> Finished {
        let mut command = Command::new(self.programs.join("bin/kubectl"));
        command
            .env("KUBECONFIG", kubeconfig)
            .env("HOME", &self.folder)
            .arg("--request-timeout=20s")
            .args(arguments);
        run(&mut command)
    }

    /// A kubeconfig that names a client's files, which may change.
    fn kubeconfig(&self, client: &str, number: usize) -> PathBuf {
        let path = self.folder.join(format!("{client}-{number}.kubeconfig"));
        let user = json!({
            "client-certificate": self.file(&format!("{client}/tls.crt")),
            "client-key": self.file(&format!("{client}/tls.key")),
        });
        let trusted = json!({ "certificate-authority": self.file("admin-client/ca.crt") });
        fs::write(&path, kubeconfig(&self.server(number), &trusted, &user)).expect("written");
        path
    }

    /// Runs etcdctl against a member with a client's certificate, or with none.
    pub fn etcdctl(&self, client: Option<&str>, arguments: &[&str]) -> Finished {
        run(&mut self.etcdctl_command(client, arguments))
    }

    /// The same with a client's certificate and a text on standard input.
    pub fn etcdctl_reading(&self, client: &str, arguments: &[&str], text: &str) -> Finished {
        run_with_stdin(&mut self.etcdctl_command(Some(client), arguments), text)
    }

    fn etcdctl_command(&self, client: Option<&str>, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.programs.join("bin/etcdctl"));
        command
            .args([
                "--endpoints",
                &self.member(0),
                "--dial-timeout=3s",
                "--command-timeout=5s",
                "--cacert",
            ])
            .arg(self.file("etcd-ca/ca.crt"))
            .args(arguments);
        if let Some(client) = client {
            command.args(["--cert", &self.file(&format!("{client}/tls.crt"))]);
            command.args(["--key", &self.file(&format!("{client}/tls.key"))]);
        }
        command
    }
}

/// A kubeconfig with one cluster and one user.
pub fn kubeconfig(server: &str, trusted: &Value, user: &Value) -> String {
    let mut cluster = trusted.clone();
    cluster["server"] = server.into();
    let content = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{ "name": "child", "cluster": cluster }],
        "users": [{ "name": "user", "user": user }],
        "contexts": [{ "name": "child", "context": { "cluster": "child", "user": "user" } }],
        "current-context": "child",
    });
    content.to_string()
}

/// Whether a process runs; one that ended and that nobody waited for does not.
fn is_running(pid: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    status
        .lines()
        .any(|line| line.starts_with("State:") && !line.contains('Z'))
}

/// Ports of loopback where nobody listens.
fn free_ports(count: usize) -> Vec<u16> {
    let listeners: Vec<TcpListener> = (0..count)
        .map(|_| TcpListener::bind(("127.0.0.1", 0)).expect("a port"))
        .collect();
    let ports = listeners
        .iter()
        .map(|listener| listener.local_addr().expect("bound").port());
    ports.collect()
}
