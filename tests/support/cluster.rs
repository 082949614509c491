//! A Kubernetes control plane for tests: etcd, kube-apiserver and kube-controller-manager, and nothing else.
//!
//! There is no node: pods stay pending. All programs end, and their folder goes, with the `Cluster`, and with the
//! test process however that ends.

mod addons;
mod audit;
pub mod guard;
mod identities;
pub mod pool;
pub mod programs;

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{LazyLock, Mutex, MutexGuard, Once, PoisonError};
use std::time::{Duration, Instant};

use tempfile::TempDir;

pub use audit::Request;
use guard::Guard;
use identities::Identities;
pub use programs::{API_SERVER, CERT_MANAGER, CONTROLLER_MANAGER, ETCD};

use super::{Finished, run, run_with_stdin};

/// A user in the group `system:masters`, who comes in with this bearer token.
pub const TOKEN: &str = "token-of-the-test-cluster";

/// How long anything may take that the cluster does by itself.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is not as in every other cluster.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Further flags of kube-apiserver, with their dashes; they take the place of ours.
    pub api_server_flags: Vec<String>,
    /// The same of kube-controller-manager.
    pub controller_manager_flags: Vec<String>,
    /// Further names in the certificate of kube-apiserver.
    pub names: Vec<String>,
    /// Leaves kube-controller-manager out: nothing is made of Deployments, and no namespace goes away.
    pub without_controllers: bool,
}

/// A running control plane.
#[derive(Debug)]
pub struct Cluster {
    options: Options,
    /// With `bin` and `crds`, as `build.sh` prints it.
    programs: PathBuf,
    folder: PathBuf,
    address: Ipv4Addr,
    identities: Identities,
    admin: PathBuf,
    guard: Mutex<Guard>,
}

impl Cluster {
    /// Starts a control plane, and waits until it is ready. `None`, as everywhere in these tests, where a program
    /// that it needs is missing and this is not CI.
    pub fn start(options: Options) -> Option<Cluster> {
        let programs = programs::build(&programs::CONTROL_PLANE)?;
        super::program("openssl", "openssl")?;
        let began = Instant::now();
        let folder = TempDir::with_prefix("kubefarm-cluster-").expect("a folder");
        // The guard removes it, because this process may be killed.
        let folder = folder.keep();
        let guard = Guard::of(&folder);
        let address = free_address();
        let server = format!("https://{address}:{}", programs::API_SERVER_PORT);
        let identities = Identities::new(&folder, server, address, &options.names);
        let admin = identities.with_certificate("admin", &["system:masters"], 1);
        let cluster = Cluster {
            options,
            programs,
            folder,
            address,
            identities,
            admin,
            guard: Mutex::new(guard),
        };
        cluster.write_settings();
        cluster.start_etcd();
        cluster.start_apiserver();
        cluster.start_controllers();
        eprintln!("the test cluster is ready after {:.1?}", began.elapsed());
        Some(cluster)
    }

    /// The cluster that all tests share; each works in namespaces of its own, and changes nothing outside of them.
    pub fn shared() -> Option<&'static Cluster> {
        static SHARED: LazyLock<Option<Cluster>> =
            LazyLock::new(|| Cluster::start(Options::default()));
        SHARED.as_ref()
    }

    /// The same with the CRDs that farms need. Nobody issues certificates there.
    pub fn with_crds() -> Option<&'static Cluster> {
        static READY: Once = Once::new();
        let cluster = Cluster::shared()?;
        READY.call_once(|| cluster.install_crds());
        Some(cluster)
    }

    /// Another one that tests share, where cert-manager runs.
    pub fn with_cert_manager() -> Option<&'static Cluster> {
        static SHARED: LazyLock<Option<Cluster>> = LazyLock::new(|| {
            let cluster = Cluster::start(Options::default())?;
            cluster.install_crds();
            cluster.start_cert_manager();
            Some(cluster)
        });
        SHARED.as_ref()
    }

    /// Where logs, keys and data are.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The address of the API server.
    pub fn address(&self) -> Ipv4Addr {
        self.address
    }

    /// The URL of the API server.
    pub fn server(&self) -> &str {
        self.identities.server()
    }

    /// A kubeconfig that may do everything.
    pub fn kubeconfig(&self) -> &Path {
        &self.admin
    }

    /// A kubeconfig for a user in groups, by client certificate.
    pub fn user_kubeconfig(&self, name: &str, groups: &[&str]) -> PathBuf {
        self.identities.with_certificate(name, groups, 1)
    }

    /// The certificate of a server with a name, and its key.
    pub fn server_certificate(&self, name: &str) -> [PathBuf; 2] {
        self.identities.of_server(name)
    }

    /// A kubeconfig whose client certificate ended yesterday.
    pub fn expired_kubeconfig(&self) -> PathBuf {
        let groups = ["system:masters"];
        self.identities.with_certificate("expired", &groups, -1)
    }

    /// A kubeconfig with a bearer token: [`TOKEN`], one of `kubectl create token`, or a wrong one.
    pub fn token_kubeconfig(&self, token: &str) -> PathBuf {
        self.identities.with_token(token)
    }

    /// A new namespace, whose name starts with `name`.
    pub fn namespace(&self, name: &str) -> String {
        static NUMBER: AtomicU32 = AtomicU32::new(1);
        let namespace = format!("{name}-{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        self.kubectl(&["create", "namespace", &namespace]).success();
        namespace
    }

    /// Runs the pinned kubectl as the admin.
    pub fn kubectl(&self, arguments: &[&str]) -> Finished {
        run(self.command("kubectl", &self.admin).args(arguments))
    }

    /// The same with a text on standard input, e.g. for `apply -f -`.
    pub fn kubectl_with_stdin(&self, arguments: &[&str], input: &str) -> Finished {
        run_with_stdin(self.command("kubectl", &self.admin).args(arguments), input)
    }

    /// The same with another kubeconfig.
    pub fn kubectl_as(&self, kubeconfig: &Path, arguments: &[&str]) -> Finished {
        run(self.command("kubectl", kubeconfig).args(arguments))
    }

    /// Who asked for what up to now, without the control plane's own requests.
    pub fn audit(&self) -> Vec<Request> {
        static NUMBER: AtomicU32 = AtomicU32::new(1);
        // The entry about an answered request may come after the answer: that of a later one says they are there.
        let mark = format!("/version?mark={}", NUMBER.fetch_add(1, Ordering::Relaxed));
        self.kubectl(&["get", "--raw", &mark]).success();
        let log = self.folder.join("audit.log");
        let mut requests = Vec::new();
        self.wait_until("the audit log is written", || {
            requests = audit::requests(&log);
            requests.iter().any(|request| request.uri == mark)
        });
        requests.retain(|request| !request.uri.starts_with("/version?mark="));
        requests
    }

    /// Waits until something holds, and fails with the ends of all logs where it never does.
    #[track_caller]
    pub fn wait_until(&self, what: &str, mut holds: impl FnMut() -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !holds() {
            assert!(
                Instant::now() < deadline,
                "waited in vain until {what}\n{}",
                self.ends_of_logs()
            );
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Where a program is that goes with the cluster, such as `kubeadm`; it is built where it is missing.
    pub fn program(&self, program: &str) -> PathBuf {
        programs::build(&[program]).expect("built, as the control plane is");
        self.programs.join("bin").join(program)
    }

    /// A program of the cluster, with a kubeconfig for it and this folder for its own files.
    pub fn command(&self, program: &str, kubeconfig: &Path) -> Command {
        let mut command = Command::new(self.programs.join("bin").join(program));
        command
            .env("KUBECONFIG", kubeconfig)
            .env("HOME", &self.folder)
            .env_remove("XDG_CACHE_HOME")
            .env_remove("XDG_CONFIG_HOME")
            .env_remove("XDG_DATA_HOME");
        command
    }

    fn guard(&self) -> MutexGuard<'_, Guard> {
        self.guard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn listens_at(&self, address: Ipv4Addr, port: u16) -> bool {
        TcpStream::connect_timeout(&(address, port).into(), Duration::from_secs(1)).is_ok()
    }

    fn ends_of_logs(&self) -> String {
        let programs = [ETCD, API_SERVER, CONTROLLER_MANAGER, CERT_MANAGER];
        let mut ends = String::new();
        for program in programs {
            let log = self.folder.join(format!("{program}.log"));
            let text = std::fs::read_to_string(log).unwrap_or_default();
            let lines: Vec<&str> = text.lines().collect();
            let last = &lines[lines.len().saturating_sub(15)..];
            ends += &format!("--- {program}\n{}\n", last.join("\n"));
        }
        ends
    }
}

/// A loopback address where no other cluster is, so that every cluster has the usual ports to itself.
pub fn free_address() -> Ipv4Addr {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    loop {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let [_, _, high, low] = std::process::id().to_be_bytes();
        // Neither a network's first nor its last address.
        let address = Ipv4Addr::new(127, 64 + (number % 64) as u8, high, low.clamp(1, 254));
        if TcpListener::bind((address, programs::API_SERVER_PORT)).is_ok() {
            return address;
        }
    }
}
