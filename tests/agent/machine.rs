//! A root file system of its own, in which a program finds files at the paths of its arguments.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use tempfile::TempDir;

use crate::support::{program, project, run, skip};

/// A folder that is the root of a container, or of a node. Programs in it share this machine's network.
pub struct Machine(TempDir);

impl Machine {
    /// With files that every system has. `None`, and said so, where there are no namespaces to have.
    pub fn new() -> Option<Machine> {
        static MAY: LazyLock<bool> = LazyLock::new(|| {
            let probe = unshare().map(|mut probe| run(probe.arg("true")));
            probe.is_some_and(|probe| probe.status.success())
        });
        if !*MAY {
            skip("needs the right to make namespaces");
            return None;
        }
        let machine = Machine(tempfile::tempdir().expect("a folder"));
        machine.write("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\n");
        machine.write("/etc/nsswitch.conf", "hosts: files\n");
        Some(machine)
    }

    /// Writes a file, with the folders above it.
    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.path(path);
        let folder = path.parent().expect("a folder");
        fs::create_dir_all(folder).expect("a folder");
        fs::write(path, content).expect("written");
    }

    /// Makes a folder, with those above it.
    pub fn make_folder(&self, path: &str) {
        fs::create_dir_all(self.path(path)).expect("a folder");
    }

    /// The text of a file.
    #[track_caller]
    pub fn read(&self, path: &str) -> String {
        let path = self.path(path);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// Where a file of the machine is on this one.
    pub fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path.trim_start_matches('/'))
    }

    /// Words to run in it, with these programs of ours; the environment is empty but for `PATH`. When the command is
    /// killed, all that it started is.
    pub fn command(&self, programs: &[PathBuf], words: &[String]) -> Command {
        let mut command = unshare().expect("was there before");
        command
            .arg(project().join("tests/support/machine.sh"))
            .arg(self.0.path())
            .args(programs)
            .arg("--")
            .args(words)
            .env_clear()
            .env("PATH", "/opt:/usr/sbin:/usr/bin:/sbin:/bin");
        command
    }
}

fn unshare() -> Option<Command> {
    let mut command = Command::new(program("unshare", "util-linux")?);
    command.args([
        "--mount",
        "--pid",
        "--fork",
        "--kill-child",
        "--map-root-user",
    ]);
    Some(command)
}

/// The program under test.
pub fn kubefarm() -> PathBuf {
    Path::new(env!("CARGO_BIN_EXE_kubefarm")).to_owned()
}
