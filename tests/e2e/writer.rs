//! A client that writes into the child cluster once a second, whatever happens there.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::e2e::release::Release;
use crate::support::run;

/// Writes ConfigMaps, each with its own number, until it is stopped.
pub struct Writer {
    stop: Arc<AtomicBool>,
    /// How many writes were acknowledged up to now.
    count: Arc<AtomicUsize>,
    thread: JoinHandle<Written>,
}

/// What was written.
#[derive(Debug, Default)]
pub struct Written {
    /// The names of the objects that the child acknowledged.
    acknowledged: Vec<String>,
    /// What the others were answered.
    pub failures: Vec<String>,
    /// The longest time from one acknowledgement to the next.
    longest_gap: Duration,
}

impl Written {
    /// The longest time that nobody could write, in seconds; it has to be shorter than `patience`.
    #[track_caller]
    pub fn gap_below(&self, patience: Duration, lost: &str) -> f64 {
        let gap = self.longest_gap;
        let failures = &self.failures;
        assert!(
            gap < patience,
            "{lost}: nobody could write for {gap:?}: {failures:?}"
        );
        gap.as_secs_f64()
    }
}

impl Writer {
    /// Starts to write under names that begin with `prefix`; back when the first is acknowledged.
    pub fn start(release: &Release, prefix: &'static str) -> Writer {
        let kubeconfig = release.child_kubeconfig();
        let program = Repeated::new(&release.cluster.inside("kubectl", &kubeconfig));
        let stop = Arc::new(AtomicBool::new(false));
        let count = Arc::new(AtomicUsize::new(0));
        let thread = std::thread::spawn({
            let (stop, count) = (Arc::clone(&stop), Arc::clone(&count));
            move || write(&program, prefix, &stop, &count)
        });
        let writer = Writer {
            stop,
            count,
            thread,
        };
        writer.wait_for(release, 1);
        writer
    }

    /// Stops after one more write, and requires that everything that was acknowledged is there.
    #[track_caller]
    pub fn finish(self, release: &Release) -> Written {
        self.wait_for(release, 1);
        self.stop.store(true, Ordering::Relaxed);
        let written = self.thread.join().expect("the writer panicked");
        let there = release
            .child(&["get", "configmaps", "-o", "name"])
            .success();
        for name in &written.acknowledged {
            let is_there = there
                .lines()
                .any(|line| line == format!("configmap/{name}"));
            assert!(is_there, "{name} was acknowledged and is lost");
        }
        written
    }

    /// Waits until so many more writes are acknowledged.
    #[track_caller]
    pub fn wait_for(&self, release: &Release, writes: usize) {
        let target = self.count.load(Ordering::Relaxed) + writes;
        let reached = || self.count.load(Ordering::Relaxed) >= target;
        release
            .cluster
            .wait_until("writes are acknowledged", reached);
    }
}

impl Written {
    /// The names of the objects that were acknowledged.
    pub fn acknowledged(&self) -> &[String] {
        &self.acknowledged
    }

    /// How many objects were acknowledged.
    pub fn count(&self) -> usize {
        self.acknowledged.len()
    }
}

/// A command that can be run many times.
pub struct Repeated {
    program: PathBuf,
    arguments: Vec<std::ffi::OsString>,
    environment: Vec<(std::ffi::OsString, std::ffi::OsString)>,
}

impl Repeated {
    pub fn new(command: &Command) -> Repeated {
        let environment = command.get_envs();
        Repeated {
            program: Path::new(command.get_program()).to_owned(),
            arguments: command.get_args().map(Into::into).collect(),
            environment: environment
                .filter_map(|(name, value)| Some((name.into(), value?.into())))
                .collect(),
        }
    }

    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .envs(self.environment.iter().cloned());
        command
    }
}

fn write(program: &Repeated, prefix: &str, stop: &AtomicBool, count: &AtomicUsize) -> Written {
    let mut written = Written::default();
    let mut last = Instant::now();
    let mut number = 0;
    while !stop.load(Ordering::Relaxed) {
        let began = Instant::now();
        number += 1;
        let name = format!("{prefix}-{number}");
        let mut command = program.command();
        command.args(["--request-timeout=5s", "create", "configmap", &name]);
        let finished = run(&mut command);
        if finished.status.success() {
            written.longest_gap = written.longest_gap.max(last.elapsed());
            last = Instant::now();
            written.acknowledged.push(name);
            count.fetch_add(1, Ordering::Relaxed);
        } else {
            written.failures.push(finished.stderr.trim().to_owned());
        }
        std::thread::sleep(Duration::from_secs(1).saturating_sub(began.elapsed()));
    }
    written.longest_gap = written.longest_gap.max(last.elapsed());
    written
}
