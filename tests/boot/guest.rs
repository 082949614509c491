//! A bare machine: QEMU, mostly without disks, on the network of the admin cluster.
//!
//! It is emulated (`tcg`), since not every computer that runs tests can do more, with one processor: with two, one boot
//! in eight ended in the kernel (multi-threaded emulation against code that the kernel patches).

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::boot::firmware::Firmware;
use crate::e2e::admin_cluster::AdminCluster;
use crate::support::{Finished, run};

/// How long a guest may take from power-on to a login prompt.
pub const LOGIN: Duration = Duration::from_secs(300);

/// A machine to be.
pub struct Machine<'a> {
    pub name: &'a str,
    /// Of its network cards; it boots from the first.
    pub macs: &'a [&'a str],
    /// In MiB.
    pub memory: u32,
    pub firmware: Firmware,
    /// A file that is its only disk.
    pub disk: Option<PathBuf>,
}

impl<'a> Machine<'a> {
    /// With the memory that a node takes which runs no pods.
    pub fn new(name: &'a str, macs: &'a [&'a str], firmware: Firmware) -> Machine<'a> {
        Machine {
            name,
            macs,
            memory: 1536,
            firmware,
            disk: None,
        }
    }
}

/// A machine that is powered on, until it is dropped.
pub struct Guest<'a> {
    cluster: &'a AdminCluster,
    pub name: String,
    qemu: Child,
    console: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
    began: Instant,
    log: PathBuf,
    taps: Vec<String>,
}

impl<'a> Guest<'a> {
    /// Switches a machine on.
    pub fn power_on(cluster: &'a AdminCluster, machine: &Machine) -> Guest<'a> {
        let name = machine.name.to_owned();
        let taps: Vec<String> = (0..machine.macs.len())
            .map(|card| tap(&name, card))
            .collect();
        for tap in &taps {
            for arguments in [
                &["tuntap", "add", "dev", tap, "mode", "tap"][..],
                &["link", "set", tap, "master", "lan", "up"],
            ] {
                run(in_network(cluster, "ip").args(arguments)).success();
            }
        }
        let log = cluster.scratch().join(format!("{name}.console"));
        let errors = File::create(log.with_extension("errors")).expect("a file");
        // The farm's servers come first: they would have processors of their own.
        let mut command = in_network(cluster, "nice");
        command.args(["-n", "10", "qemu-system-x86_64"]);
        command.args(common(machine, &taps));
        command.args(machine.firmware.flags(cluster, &name));
        command.args(machine.disk.iter().flat_map(|file| disk(file)));
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(errors);
        let mut qemu = command.spawn().expect("QEMU");
        let console = Arc::new(Mutex::new(String::new()));
        let output = qemu.stdout.take().expect("a pipe");
        let reader = read(output, Arc::clone(&console), &log);
        Guest {
            cluster,
            name,
            qemu,
            console,
            reader: Some(reader),
            began: Instant::now(),
            log,
            taps,
        }
    }

    /// What it shows, and the time that it takes, count from here on.
    pub fn count_anew(&mut self) {
        self.console.lock().expect("its reader is alive").clear();
        self.began = Instant::now();
    }

    /// What the console has shown, without control sequences.
    pub fn console(&self) -> String {
        self.console.lock().expect("its reader is alive").clone()
    }

    /// Waits until the console shows a text, and says how long after power-on that was.
    #[track_caller]
    pub fn wait_for(&mut self, text: &str, limit: Duration) -> Duration {
        let console = Arc::clone(&self.console);
        let shown = || console.lock().expect("its reader is alive").contains(text);
        self.wait_until(&format!("the console shows {text:?}"), limit, shown)
    }

    /// Waits until something holds while the machine is on; `limit` counts from power-on, as does what is returned.
    #[track_caller]
    pub fn wait_until(
        &mut self,
        what: &str,
        limit: Duration,
        mut holds: impl FnMut() -> bool,
    ) -> Duration {
        let deadline = self.began + limit;
        loop {
            let ended = self.has_ended();
            if holds() {
                return self.began.elapsed();
            }
            assert!(!ended, "{} ended before {what}{}", self.name, self.state());
            let late = Instant::now() > deadline;
            assert!(!late, "{}: in vain until {what}{}", self.name, self.state());
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// Waits until the machine starts anew, which ends QEMU here.
    #[track_caller]
    pub fn wait_for_end(&mut self, limit: Duration) {
        let deadline = self.began + limit;
        while !self.has_ended() {
            let late = Instant::now() > deadline;
            assert!(!late, "{} goes on{}", self.name, self.state());
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// Whether QEMU has ended; all that it wrote has been read then.
    fn has_ended(&mut self) -> bool {
        let ended = self.qemu.try_wait().expect("a process").is_some();
        if ended && let Some(reader) = self.reader.take() {
            reader.join().expect("it only reads");
        }
        ended
    }

    /// What helps to understand a failure.
    fn state(&self) -> String {
        let errors = std::fs::read_to_string(self.log.with_extension("errors"));
        format!(
            "; the end of its console ({}):\n{}\n{}",
            self.log.display(),
            last_lines(&self.console(), 40),
            errors.unwrap_or_default(),
        )
    }

    /// Runs a command in the machine over SSH, as root.
    pub fn shell(&self, address: &str, command: &str) -> Finished {
        run(&mut self.ssh(address, command))
    }

    fn ssh(&self, address: &str, command: &str) -> Command {
        let mut ssh = in_network(self.cluster, "ssh");
        ssh.arg("-i").arg(key(self.cluster));
        for option in [
            "BatchMode=yes",
            "ConnectTimeout=20",
            "LogLevel=ERROR",
            "StrictHostKeyChecking=no",
            "UserKnownHostsFile=/dev/null",
        ] {
            ssh.args(["-o", option]);
        }
        ssh.arg(format!("root@{address}")).arg(command);
        ssh
    }
}

impl Drop for Guest<'_> {
    fn drop(&mut self) {
        // It may have ended by itself, and its tap may be gone with the network.
        let _ = self.qemu.kill();
        let _ = self.qemu.wait();
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
        for tap in &self.taps {
            let _ = in_network(self.cluster, "ip")
                .args(["link", "del", tap])
                .stderr(Stdio::null())
                .status();
        }
    }
}

/// The private key whose public half the farm's values have; it is made on the way.
pub fn key(cluster: &AdminCluster) -> PathBuf {
    let key = cluster.scratch().join("ssh-key");
    if !key.exists() {
        let mut keygen = Command::new("ssh-keygen");
        keygen.args(["-q", "-t", "ed25519", "-N", "", "-C", "boot-test", "-f"]);
        run(keygen.arg(&key)).success();
    }
    key
}

/// Hardware that all machines have.
fn common(machine: &Machine, taps: &[String]) -> Vec<String> {
    let memory = machine.memory.to_string();
    let mut flags = [
        "-accel",
        "tcg,thread=multi",
        "-machine",
        "q35",
        // Without virtualization of its own, which a module would be loaded for.
        "-cpu",
        "qemu64,-svm",
        "-smp",
        "1",
        "-m",
        &memory,
        "-nodefaults",
        "-vga",
        "none",
        "-device",
        "virtio-rng-pci",
        "-display",
        "none",
        "-serial",
        "stdio",
        "-boot",
        machine.firmware.start(),
    ]
    .map(str::to_owned)
    .to_vec();
    for (number, (tap, mac)) in taps.iter().zip(machine.macs).enumerate() {
        flags.push("-netdev".to_owned());
        flags.push(format!(
            "tap,id=n{number},ifname={tap},script=no,downscript=no"
        ));
        flags.push("-device".to_owned());
        flags.push(machine.firmware.card(number, mac));
    }
    flags
}

/// A disk that nothing boots from.
fn disk(file: &Path) -> [String; 4] {
    [
        "-drive".to_owned(),
        format!("if=none,id=disk,format=raw,file={}", file.display()),
        "-device".to_owned(),
        "virtio-blk-pci,drive=disk,serial=kubefarm-test".to_owned(),
    ]
}

/// Copies the console into a file and a text, until it ends.
fn read(
    mut output: impl Read + Send + 'static,
    console: Arc<Mutex<String>>,
    log: &PathBuf,
) -> JoinHandle<()> {
    let mut file = File::create(log).expect("a file");
    std::thread::spawn(move || {
        let mut buffer = [0; 8192];
        while let Ok(count @ 1..) = output.read(&mut buffer) {
            let text = String::from_utf8_lossy(&buffer[..count]);
            // A full disk only costs the copy.
            let _ = file.write_all(text.as_bytes());
            let text = text.replace('\r', "");
            console
                .lock()
                .expect("nobody panics with it")
                .push_str(&text);
        }
    })
}

/// The port of the bridge. Names of interfaces have 15 characters at most.
fn tap(name: &str, card: usize) -> String {
    format!("tap{card}-{name}").chars().take(15).collect()
}

/// A program in the network of the admin cluster, which ends with it.
pub fn in_network(cluster: &AdminCluster, program: &str) -> Command {
    let mut command = cluster.in_network(&cluster.kubeconfig());
    command.arg(program);
    command
}

fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}
