//! A pod that runs on as a process, such as that of the farm's agent, with the command and the files of its Deployment.

use std::net::{Ipv4Addr, TcpListener};
use std::process::Child as Process;

use rustix::process::{Pid, Signal, kill_process};

use crate::agent::child::{AGENT, Child};
use crate::agent::site::{Pod, Site};
use crate::support::Finished;

/// An agent that runs.
pub struct Agent {
    process: Option<Process>,
    /// Where machines ask it.
    pub port: u16,
    /// Where one asks how far machines are.
    pub metrics: u16,
    /// Its files.
    _pod: Pod,
}

impl Agent {
    pub fn start(site: &Site, child: &Child) -> Option<Agent> {
        let free = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let (one, other) = (free(), free());
        let [port, metrics] =
            [one, other].map(|free| free.local_addr().expect("an address").port());
        let pod = site.pod_of(AGENT, child)?.at_ports(port, metrics);
        let process = Some(pod.start());
        Some(Agent {
            process,
            port,
            metrics,
            _pod: pod,
        })
    }

    /// The pod that puts back what nodes need.
    pub fn that_puts_back(site: &Site, child: &Child) -> Option<Agent> {
        let pod = site.pod_of("kubefarm-kubernetes-admin", child)?;
        let process = Some(pod.start());
        Some(Agent {
            process,
            port: 0,
            metrics: 0,
            _pod: pod,
        })
    }

    /// The memory that it has at most had, in KiB (proc(5), VmHWM).
    pub fn memory(&self) -> String {
        let id = self.program();
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).expect("runs");
        let mut lines = status.lines();
        let peak = lines.find_map(|line| line.strip_prefix("VmHWM:"));
        let peak = peak.expect("a peak").trim().trim_end_matches("kB");
        peak.trim().to_owned()
    }

    /// The program is the one child of what made its namespaces.
    fn program(&self) -> i32 {
        let id = self.process.as_ref().expect("runs").id();
        let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children"));
        children.expect("runs").trim().parse().expect("one child")
    }

    /// Ends it as the kubelet does; gives what it reported.
    pub fn end(mut self) -> Finished {
        let child = Pid::from_raw(self.program()).expect("an id");
        let process = self.process.take().expect("runs");
        kill_process(child, Signal::TERM).expect("a signal");
        process.wait_with_output().expect("an end").into()
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        // The test has failed: what the agent reported may say why.
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            if let Ok(ended) = process.wait_with_output() {
                eprintln!("{}", String::from_utf8_lossy(&ended.stderr));
            }
        }
    }
}
