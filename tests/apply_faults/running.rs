//! An `apply` that runs, watched line by line, so that a test can step in at a known moment.

use std::io::{BufRead, BufReader, Lines, Read};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::Value;

use crate::support::{Finished, run};

/// A started `kubefarm apply -o json`. Dropped, it is killed.
pub struct Running {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    pub events: Vec<Event>,
}

/// A line of its standard output.
#[derive(Debug, Clone)]
pub struct Event(pub Value);

impl Event {
    /// The name of the wave that begins, or `prune`.
    pub fn stage(&self) -> Option<&str> {
        match self.0["stage"].as_str()? {
            "wave" => self.0["name"].as_str(),
            other => Some(other),
        }
    }

    /// Whether an object was created, changed, deleted or found to be as it should: not only checked.
    pub fn is_step(&self) -> bool {
        self.0["event"] == "object" && self.0["action"] != "checked"
    }

    pub fn is(&self, action: &str) -> bool {
        self.0["event"] == "object" && self.0["action"] == action
    }

    /// `Service/kubefarm-etcd`
    pub fn object(&self) -> String {
        let text = |field: &str| self.0["object"][field].as_str().unwrap_or_default();
        format!("{}/{}", text("kind"), text("name"))
    }
}

impl Running {
    /// Starts a command that prints a JSON document a line.
    pub fn start(mut command: Command) -> Running {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("started");
        let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        Running {
            child,
            lines,
            events: Vec::new(),
        }
    }

    /// The next line; `None` at the end of the output.
    pub fn next(&mut self) -> Option<&Event> {
        let line = self.lines.next()?.expect("a line");
        let event = serde_json::from_str(&line).expect("a JSON document a line");
        self.events.push(Event(event));
        self.events.last()
    }

    /// Reads up to the first event that is wanted.
    #[track_caller]
    pub fn until(&mut self, wanted: impl Fn(&Event) -> bool) {
        if !self.comes_to(wanted) {
            let finished = self.read_to_end();
            panic!("it ended before:\n{finished:?}\n{:?}", self.events);
        }
    }

    /// The same; whether there was one.
    pub fn comes_to(&mut self, wanted: impl Fn(&Event) -> bool) -> bool {
        while let Some(event) = self.next() {
            if wanted(event) {
                return true;
            }
        }
        false
    }

    /// Sends a signal, such as `INT`.
    pub fn signal(&self, signal: &str) {
        let process = self.child.id().to_string();
        run(Command::new("kill").args(["-s", signal, &process])).success();
    }

    /// SIGKILL; back when it is gone.
    pub fn kill(mut self) -> Vec<Event> {
        self.child.kill().expect("killed");
        self.child.wait().expect("gone");
        std::mem::take(&mut self.events)
    }

    pub fn process(&self) -> u32 {
        self.child.id()
    }

    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("asked").is_some()
    }

    /// How it ended, once it has.
    pub fn finish(mut self) -> (Finished, Vec<Event>) {
        let finished = self.read_to_end();
        (finished, std::mem::take(&mut self.events))
    }

    fn read_to_end(&mut self) -> Finished {
        while self.next().is_some() {}
        let mut stderr = String::new();
        let mut pipe = self.child.stderr.take().expect("a pipe");
        pipe.read_to_string(&mut stderr).expect("UTF-8");
        Finished {
            status: self.child.wait().expect("waited"),
            stdout: String::new(),
            stderr,
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
