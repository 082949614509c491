//! What all tests need: the program under test and the programs that consume its output.

pub mod cluster;
pub mod dnsmasq;
pub mod farms;
pub mod ltsp;
pub mod sysfs;
pub mod yaml_readers;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Output, Stdio};

/// The names of what is in a folder, sorted.
pub fn names_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let names = entries.map(|entry| entry.expect("an entry").file_name().into_string());
    let mut names: Vec<String> = names.map(|name| name.expect("UTF-8")).collect();
    names.sort();
    names
}

/// What a finished program left behind, as text.
#[derive(Debug)]
pub struct Finished {
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
}

impl Finished {
    /// The exit code; a program ended by a signal fails the test.
    pub fn code(&self) -> i32 {
        self.status.code().expect("ended by a signal")
    }

    /// Standard output of a run that must have succeeded.
    #[track_caller]
    pub fn success(self) -> String {
        assert!(
            self.status.success(),
            "{}\n{}\n{}",
            self.status,
            self.stdout,
            self.stderr
        );
        self.stdout
    }

    /// Fails unless the run ended with `code` and said all `parts` on standard error.
    #[track_caller]
    pub fn failed(&self, code: i32, parts: &[&str]) {
        assert_eq!(self.code(), code, "{}", self.stderr);
        for part in parts {
            let found = self.stderr.contains(part);
            assert!(found, "no {part:?} in\n{}", self.stderr);
        }
    }
}

impl From<Output> for Finished {
    fn from(output: Output) -> Self {
        Self {
            status: output.status,
            stdout: String::from_utf8(output.stdout).expect("stdout is UTF-8"),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// Runs the program under test in the project's folder, with none of the caller's `KUBEFARM_*`
/// variables and nothing on standard input.
pub fn kubefarm<I, S>(args: I) -> Finished
where
    I: IntoIterator<Item = S>,
    S: AsRef<std::ffi::OsStr>,
{
    kubefarm_with_stdin(args, "")
}

/// The same, with `input` on standard input.
pub fn kubefarm_with_stdin<I, S>(args: I, input: impl AsRef<[u8]>) -> Finished
where
    I: IntoIterator<Item = S>,
    S: AsRef<std::ffi::OsStr>,
{
    let mut command = kubefarm_command();
    command.args(args);
    run_with_stdin(&mut command, input)
}

/// The program under test, ready for arguments. Tests that are not about values need not give any.
pub fn kubefarm_command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kubefarm"));
    command.current_dir(project());
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("KUBEFARM_") {
            command.env_remove(name);
        }
    }
    command.env("KUBEFARM_ALLOW_EMPTY", "true");
    command
}

/// Runs a command to its end with `input` on standard input.
pub fn run_with_stdin(command: &mut Command, input: impl AsRef<[u8]>) -> Finished {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let mut stdin = child.stdin.take().expect("a pipe");
    let input = input.as_ref();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            // A program that ends before it has read everything closes the pipe: not our concern.
            let _ = stdin.write_all(input);
        });
        child.wait_with_output().expect("waited").into()
    })
}

/// Runs a command to its end with nothing on standard input.
pub fn run(command: &mut Command) -> Finished {
    run_with_stdin(command, "")
}

/// The project's folder.
pub fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Finds an external program on `PATH` or in the system's `sbin` folders.
///
/// Where it is missing, the test fails in CI (the variable `CI` is set) and says elsewhere that
/// it was skipped, and which Debian package has the program.
pub fn program(name: &str, debian_package: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/sbin".into(), "/usr/local/sbin".into()])
        .map(|folder| folder.join(name))
        .find(|candidate| candidate.is_file());
    if found.is_none() {
        skip(&format!("needs {name} (Debian package {debian_package})"));
    }
    found
}

/// Says why a test cannot run here; in CI that is a failure.
pub fn skip(reason: &str) {
    assert!(std::env::var_os("CI").is_none(), "{reason}");
    let thread = std::thread::current();
    eprintln!("SKIPPED {}: {reason}", thread.name().unwrap_or("a test"));
}
