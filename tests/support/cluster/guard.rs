//! The shell that runs a cluster's programs, and ends them with this process however it ends.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::support::project;

/// A running `guard.sh`. Dropped, it kills every program it runs, and removes the cluster's folder.
#[derive(Debug)]
pub struct Guard {
    shell: Child,
    requests: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Guard {
    /// Guards a folder, where logs and process IDs go, from now on.
    pub fn of(folder: &Path) -> Guard {
        let mut command = Command::new(project().join("tests/cluster/guard.sh"));
        // In a process group of its own, an interrupt from the terminal does not end it before its work is done.
        command.arg(folder).process_group(0);
        let mut shell = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell");
        Guard {
            requests: shell.stdin.take(),
            answers: BufReader::new(shell.stdout.take().expect("a pipe")),
            shell,
        }
    }

    /// Starts a program under a name; gives its process ID.
    pub fn start(&mut self, name: &str, command: &[String]) -> u32 {
        let words: Vec<String> = command.iter().map(|word| quoted(word)).collect();
        let answer = self.ask(&format!("start {name} {}", words.join(" ")));
        answer.parse().expect("a process ID")
    }

    /// Sends a signal, such as `STOP`, to a program that runs.
    pub fn signal(&mut self, name: &str, signal: &str) {
        self.ask(&format!("signal {name} {signal}"));
    }

    /// Asks a program to end; back when it is gone.
    pub fn stop(&mut self, name: &str) {
        self.ask(&format!("stop {name}"));
    }

    /// Kills a program; back when it is gone.
    pub fn end(&mut self, name: &str) {
        self.ask(&format!("end {name}"));
    }

    fn ask(&mut self, line: &str) -> String {
        let requests = self.requests.as_mut().expect("open");
        writeln!(requests, "{line}").expect("the guard reads");
        let mut answer = String::new();
        self.answers.read_line(&mut answer).expect("an answer");
        answer.trim_end().to_owned()
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.requests = None;
        // It ends by itself; a test that panics already has something better to say than this error.
        let _ = self.shell.wait();
    }
}

/// A word in the syntax of the shell.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}
