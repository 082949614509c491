//! Who works on a farm: this process, distinguished from every other one.

use std::fs;

use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};

/// A process on some machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// For people: `anna@build-7 (process 4711)`.
    pub name: String,
    /// For programs: boot id, process namespace, process id, and the time it started, in clock ticks since the boot
    /// (proc(5)). Empty where the system does not say.
    pub mark: String,
}

impl Process {
    /// This process.
    pub fn current() -> Process {
        let id = std::process::id();
        let user = std::env::var("USER").unwrap_or_else(|_| "somebody".to_owned());
        let host = rustix::system::uname();
        let host = host.nodename().to_string_lossy();
        Process {
            name: format!("{user}@{host} (process {id})"),
            mark: mark(id).unwrap_or_default(),
        }
    }
}

/// Whether a mark is that of a process of this machine, since its boot, that has ended.
pub fn has_ended(process_mark: &str) -> bool {
    let mut parts = process_mark.split('/');
    let (Some(boot), Some(namespace), Some(id)) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let Ok(id) = id.parse::<u32>() else {
        return false;
    };
    let here = boot_id().as_deref() == Some(boot) && namespace_id().as_deref() == Some(namespace);
    match mark(id) {
        _ if !here => false,
        Some(found) => found != process_mark,
        None => is_gone(id),
    }
}

/// Whether there is no process of this id. /proc does not show those of others where it is mounted with `hidepid`
/// (proc(5)); that one exists which may not be sent a signal shows too (kill(2), EPERM).
fn is_gone(id: u32) -> bool {
    let id = i32::try_from(id).ok().and_then(Pid::from_raw);
    id.is_none_or(|id| test_kill_process(id) == Err(Errno::SRCH))
}

fn mark(id: u32) -> Option<String> {
    // The name in parentheses may hold spaces, so fields are counted after it; the 22nd is the start time.
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let after_name = stat.rsplit_once(')')?.1;
    let started = after_name.split_whitespace().nth(19)?;
    Some(format!("{}/{}/{id}/{started}", boot_id()?, namespace_id()?))
}

fn boot_id() -> Option<String> {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(id.trim().to_owned())
}

/// `pid:[4026531836]`
fn namespace_id() -> Option<String> {
    let link = fs::read_link("/proc/self/ns/pid").ok()?;
    Some(link.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_runs_has_not_ended_and_one_that_ran_has() {
        assert!(!has_ended(&Process::current().mark));
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .unwrap();
        let childs_mark = mark(child.id()).unwrap();
        assert!(!has_ended(&childs_mark));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(has_ended(&childs_mark));
    }

    #[test]
    fn processes_of_other_machines_never_count_as_ended() {
        assert!(!has_ended("another-boot/pid:[1]/1/1"));
        assert!(!has_ended(""));
    }
}
