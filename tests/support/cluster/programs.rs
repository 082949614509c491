//! The programs of the control plane: how each is started, killed, paused.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::{Cluster, TOKEN};
use crate::support::{project, skip};

/// The names of the programs, for [`Cluster::kill`] and its like.
pub const ETCD: &str = "etcd";
pub const API_SERVER: &str = "kube-apiserver";
pub const CONTROLLER_MANAGER: &str = "kube-controller-manager";
pub const CERT_MANAGER: &str = "cert-manager";
pub const PORT_FORWARD: &str = "port-forward";

/// What every cluster needs.
pub const CONTROL_PLANE: [&str; 4] = [ETCD, API_SERVER, CONTROLLER_MANAGER, "kubectl"];

/// The exit code of `build.sh` where the machine lacks what it builds with.
const MISSING: i32 = 3;

pub const API_SERVER_PORT: u16 = 6443;
const ETCD_PORT: u16 = 2379;
const ETCD_PEER_PORT: u16 = 2380;

/// Builds programs, as far as they are not built yet: minutes the first time. Gives the folder with `bin`.
pub fn build(programs: &[&str]) -> Option<PathBuf> {
    let mut command = Command::new(project().join("tests/cluster/build.sh"));
    let output = command
        .args(programs)
        .stderr(Stdio::inherit())
        .output()
        .expect("a shell");
    if output.status.code() == Some(MISSING) {
        skip("needs go 1.21 or newer (Debian package golang-go)");
        return None;
    }
    assert!(output.status.success(), "build.sh: {}", output.status);
    let folder = String::from_utf8(output.stdout).expect("UTF-8");
    Some(PathBuf::from(folder.trim_end()))
}

impl Cluster {
    /// Starts etcd, again with the data that it had; back when it listens.
    pub fn start_etcd(&self) {
        let url = |port| format!("http://{}:{port}", self.address);
        let (client, peer) = (url(ETCD_PORT), url(ETCD_PEER_PORT));
        let data = self.identities.file("etcd-data");
        let command = [
            format!("--data-dir={data}"),
            format!("--listen-client-urls={client}"),
            format!("--advertise-client-urls={client}"),
            format!("--listen-peer-urls={peer}"),
            format!("--initial-advertise-peer-urls={peer}"),
            format!("--initial-cluster=default={peer}"),
            "--unsafe-no-fsync".to_owned(),
        ];
        self.run(ETCD, &command);
        self.wait_until("etcd listens", || self.listens_at(self.address, ETCD_PORT));
    }

    /// Starts kube-apiserver, again where it was; back when it is ready.
    pub fn start_apiserver(&self) {
        self.start_replica(API_SERVER, self.address, &[]);
    }

    /// Starts a kube-apiserver under a name, at an address of its own and with further flags; back when it is ready.
    pub fn start_replica(&self, name: &str, address: Ipv4Addr, further: &[String]) {
        let mut command = self.apiserver_flags(address);
        override_flags(&mut command, &self.options.api_server_flags);
        override_flags(&mut command, further);
        self.run_as(name, API_SERVER, &command);
        let server = format!("--server=https://{address}:{API_SERVER_PORT}");
        // The certificate has the address of the first only.
        let known_as = format!("--tls-server-name={}", self.address);
        let ready = ["get", "--raw", "/readyz", &server, &known_as];
        self.wait_until(&format!("{name} is ready"), || {
            self.listens_at(address, API_SERVER_PORT) && self.kubectl(&ready).status.success()
        });
    }

    fn apiserver_flags(&self, address: Ipv4Addr) -> Vec<String> {
        let file = |name| self.identities.file(name);
        let mut command = vec![
            format!("--etcd-servers=http://{}:{ETCD_PORT}", self.address),
            format!("--bind-address={address}"),
            format!("--advertise-address={address}"),
            format!("--secure-port={API_SERVER_PORT}"),
            format!("--tls-cert-file={}", file("server.crt")),
            format!("--tls-private-key-file={}", file("server.key")),
            format!("--client-ca-file={}", file("ca.crt")),
            format!("--service-account-key-file={}", file("accounts.pub")),
            format!(
                "--service-account-signing-key-file={}",
                file("accounts.key")
            ),
            format!("--token-auth-file={}", file("tokens.csv")),
            format!("--audit-log-path={}", file("audit.log")),
        ];
        let policy = project().join("tests/cluster/audit-policy.yaml");
        command.push(format!("--audit-policy-file={}", policy.display()));
        let fixed = [
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
            "--service-cluster-ip-range=10.96.0.0/12",
            "--authorization-mode=Node,RBAC",
            "--anonymous-auth=false",
            "--allow-privileged=true",
            // Its own address may not be a loopback one in an EndpointSlice.
            "--endpoint-reconciler-type=none",
        ];
        command.extend(fixed.map(str::to_owned));
        command
    }

    /// Asks a program to end, as a kubelet does; back when it is gone.
    pub fn stop(&self, name: &str) {
        self.guard().stop(name);
    }

    /// Starts kube-controller-manager, unless the options leave it out; back when pods can be made.
    pub fn start_controllers(&self) {
        if self.options.without_controllers {
            return;
        }
        let user = "system:kube-controller-manager";
        let kubeconfig = self.user_kubeconfig(user, &[]);
        let file = |name| self.identities.file(name);
        let mut command = vec![
            format!("--kubeconfig={}", kubeconfig.display()),
            format!("--root-ca-file={}", file("ca.crt")),
            format!("--cluster-signing-cert-file={}", file("ca.crt")),
            format!("--cluster-signing-key-file={}", file("ca.key")),
            format!(
                "--service-account-private-key-file={}",
                file("accounts.key")
            ),
            "--use-service-account-credentials=true".to_owned(),
            "--leader-elect=false".to_owned(),
            "--secure-port=0".to_owned(),
        ];
        override_flags(&mut command, &self.options.controller_manager_flags);
        self.run(CONTROLLER_MANAGER, &command);
        let account = ["get", "serviceaccount", "default", "--namespace=default"];
        self.wait_until("namespaces get their service account", || {
            self.kubectl(&account).status.success()
        });
    }

    /// Kills kube-apiserver; back when it is gone.
    pub fn stop_apiserver(&self) {
        self.kill(API_SERVER);
    }

    /// Kills etcd; back when it is gone.
    pub fn stop_etcd(&self) {
        self.kill(ETCD);
    }

    /// Kills a program that this cluster started; back when it is gone.
    pub fn kill(&self, program: &str) {
        self.guard().end(program);
    }

    /// Lets a program hang: its ports take connections, and nothing answers.
    pub fn pause(&self, program: &str) {
        self.guard().signal(program, "STOP");
    }

    /// Lets a paused program go on.
    pub fn resume(&self, program: &str) {
        self.guard().signal(program, "CONT");
    }

    /// Starts a program of the cluster with these flags; gives its process ID.
    pub(super) fn run(&self, program: &str, flags: &[String]) -> u32 {
        self.run_as(program, program, flags)
    }

    fn run_as(&self, name: &str, program: &str, flags: &[String]) -> u32 {
        let path = self.programs.join("bin").join(program);
        let mut command = vec![path.display().to_string()];
        command.extend_from_slice(flags);
        self.guard().start(name, &command)
    }

    /// Writes the files that the flags name, but for keys and certificates.
    pub(super) fn write_settings(&self) {
        let tokens = format!("{TOKEN},token-user,token-user,\"system:masters\"\n");
        std::fs::write(self.folder.join("tokens.csv"), tokens).expect("written");
    }
}

/// Adds flags, and takes away those of the same names; `anonymous-auth` goes with the file that says the same.
fn override_flags(command: &mut Vec<String>, flags: &[String]) {
    let name = |flag: &str| flag.split('=').next().unwrap_or_default().to_owned();
    let mut names: Vec<String> = flags.iter().map(|flag| name(flag)).collect();
    if names.iter().any(|name| name == "--authentication-config") {
        names.push("--anonymous-auth".to_owned());
    }
    command.retain(|flag| !names.contains(&name(flag)));
    command.extend_from_slice(flags);
}
