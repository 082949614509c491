//! A network segment in a namespace of its own: DHCP servers at a bridge, and machines that ask them.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::support::dnsmasq::Server;
use crate::support::{Finished, program, run, skip};

/// How long anything may take on a busy computer.
const PATIENCE: Duration = Duration::from_secs(120);

/// What a machine was given, by the names of udhcpc: `ip`, `siaddr`, `bootfile`; `vendor` is option 60.
pub type Lease = BTreeMap<String, String>;

/// The segment; it ends with this value, and everything on it.
pub struct Network {
    holder: Child,
    folder: tempfile::TempDir,
    cards: AtomicUsize,
}

/// A DHCP server at the segment.
pub struct Running<'a> {
    network: &'a Network,
    child: Child,
    log: std::path::PathBuf,
}

impl Network {
    /// `None`, and said so, where a program or the right is missing.
    pub fn new() -> Option<Network> {
        let unshare = program("unshare", "util-linux")?;
        for (name, package) in [
            ("ip", "iproute2"),
            ("dnsmasq", "dnsmasq-base"),
            ("busybox", "busybox"),
            ("nsenter", "util-linux"),
        ] {
            program(name, package)?;
        }
        let namespaces = ["--net", "--mount", "--map-root-user"];
        let mut probe = Command::new(&unshare);
        if !run(probe.args(namespaces).arg("true")).status.success() {
            skip("needs the right to make namespaces");
            return None;
        }
        let mut command = Command::new(unshare);
        // It ends with its input, even when this program is killed.
        command
            .args(namespaces)
            .args(["sh", "-c", "echo made; read end"]);
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut holder = command.spawn().expect("started");
        let mut line = [0; 5];
        let made = holder.stdout.as_mut().expect("a pipe");
        std::io::Read::read_exact(made, &mut line).expect("made");
        let network = Network {
            holder,
            folder: tempfile::tempdir().expect("a folder"),
            cards: AtomicUsize::new(0),
        };
        let script = network.folder.path().join("lease.sh");
        fs::write(&script, "#!/bin/sh\ntest \"$1\" != bound || env\n").expect("written");
        network.shell(&format!(
            "chmod +x {}; mount -t tmpfs none /run; mkdir /run/netns; ip link set lo up; \
             ip link add name lan type bridge; ip link set lan up",
            script.display()
        ));
        Some(network)
    }

    fn command(&self, host: Option<&str>) -> Command {
        let mut command = Command::new("nsenter");
        let target = self.holder.id().to_string();
        command
            .args([
                "--user",
                "--net",
                "--mount",
                "--preserve-credentials",
                "--target",
            ])
            .arg(target)
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        if let Some(host) = host {
            command.args(["nsenter", &format!("--net=/run/netns/{host}")]);
        }
        command
    }

    #[track_caller]
    fn shell(&self, script: &str) -> String {
        run(self.command(None).args(["sh", "-ec", script])).success()
    }

    /// Makes a host with one card and says its name.
    fn host(&self, more: &str) -> String {
        let host = format!("h{}", self.cards.fetch_add(1, Ordering::Relaxed));
        self.shell(&format!(
            "ip netns add {host}; ip link add {host} type veth peer name eth1 netns {host}; \
             ip link set {host} master lan up; in='ip -n {host}'; $in link set lo up; {more} $in link set eth1 up"
        ));
        host
    }

    /// Starts a server at `address`, whose files are in `folder`, and waits until it listens.
    #[track_caller]
    pub fn serve(&self, address: &str, server: &Server, folder: &Path) -> Running<'_> {
        let last = address.rsplit('.').next().expect("four numbers");
        let host = self.host(&format!(
            "$in addr add {address}/16 dev eth1; $in addr add fd00:64::{last}/64 dev eth1 nodad;"
        ));
        self.start(&host, server, &folder.join("log"))
    }

    /// Runs a server that ends by itself.
    pub fn run(&self, server: &Server) -> Finished {
        let host = self.host("");
        run(self.command(Some(&host)).args(&server.command))
    }

    #[track_caller]
    fn start(&self, host: &str, server: &Server, log: &Path) -> Running<'_> {
        let file = File::create(log).expect("created");
        let mut command = self.command(Some(host));
        command.args(&server.command).stdin(Stdio::null());
        let command = command.stdout(Stdio::null()).stderr(file);
        let running = Running {
            network: self,
            child: command.spawn().expect("started"),
            log: log.to_owned(),
        };
        running.wait_for("DHCP, ");
        running
    }

    /// A machine with this MAC.
    pub fn machine(&self, mac: &str) -> Machine<'_> {
        let host = self.host(&format!("$in link set eth1 address {mac};"));
        Machine {
            network: self,
            host,
        }
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        // Its namespaces end with the last process in them.
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

impl Running<'_> {
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).expect("a log")
    }

    /// Waits for a text in what it says.
    #[track_caller]
    pub fn wait_for(&self, text: &str) {
        self.wait_for_times(text, 1);
    }

    /// Waits until it has said a text so many times.
    #[track_caller]
    pub fn wait_for_times(&self, text: &str, times: usize) {
        wait_until(&|| self.log().matches(text).count() >= times, &|| {
            format!("not {times} times {text:?} in\n{}", self.log())
        });
    }

    /// As Kubernetes ends a pod, with patience.
    #[track_caller]
    pub fn stop(mut self) -> String {
        let id = self.child.id().to_string();
        // nsenter starts the server in its own place.
        run(self.network.command(None).args(["kill", "-TERM", &id])).success();
        let start = Instant::now();
        while self.child.try_wait().expect("waited").is_none() {
            assert!(start.elapsed() < PATIENCE, "{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
        self.log()
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if !matches!(self.child.try_wait(), Ok(None)) {
            return;
        }
        // The shell passes this on to dnsmasq.
        let id = self.child.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &id]).status();
        let _ = self.child.wait();
    }
}

/// A machine at the segment.
pub struct Machine<'a> {
    network: &'a Network,
    host: String,
}

impl Machine<'_> {
    /// Asks as firmware of this architecture does. `None` where nobody answers for a while.
    pub fn boot(&self, architecture: u16) -> Option<Lease> {
        let architecture = format!("0x5d:{architecture:04x}");
        self.ask(&["-x", &architecture, "-V", "PXEClient"])
    }

    /// Runs a program on it, at `address` and with this address of its own link (RFC 4291, section 2.5.6).
    pub fn run_at(&self, address: &str, link_local: &str, words: &[&str]) -> Finished {
        let script = format!(
            "ip addr add {address}/16 dev eth1; ip addr add {link_local}/64 dev eth1 nodad; exec \"$@\""
        );
        let mut command = self.network.command(Some(&self.host));
        run(command.args(["sh", "-ec", &script, "sh"]).args(words))
    }

    /// As it is when it starts.
    pub fn forget_address(&self) {
        let mut command = self.network.command(Some(&self.host));
        run(command.args(["ip", "addr", "flush", "dev", "eth1"])).success();
    }

    /// Asks with these further arguments of udhcpc.
    pub fn ask(&self, more: &[&str]) -> Option<Lease> {
        let mut command = self.network.command(Some(&self.host));
        let script = self.network.folder.path().join("lease.sh");
        command
            .args(["busybox", "udhcpc", "-i", "eth1", "-f", "-q", "-n", "-s"])
            .arg(script)
            .args(["-t", "6", "-T", "4"]);
        for option in ["bootfile", "tftp", "mtu", "ntpsrv", "60"] {
            command.args(["-O", option]);
        }
        let finished: Finished = run(command.args(more));
        finished.status.success().then(|| {
            let lines = finished.stdout.lines();
            let variables = lines.filter_map(|line| line.split_once('='));
            variables
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect()
        })
    }
}

/// Looks until it is true.
#[track_caller]
pub fn wait_until(check: &dyn Fn() -> bool, reason: &dyn Fn() -> String) {
    let start = Instant::now();
    while !check() {
        assert!(start.elapsed() < PATIENCE, "{}", reason());
        std::thread::sleep(Duration::from_millis(50));
    }
}
