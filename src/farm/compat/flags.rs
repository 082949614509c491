//! Flags that a program does not have, and with which it does not start.

use serde_json::Value;

use super::servers::{Server, left_out, unknown};
use super::successors::{Successor, advice, gone_before, successor};
use crate::farm::findings::Findings;
use crate::farm::known::{ProgramVersion, Support};
use crate::farm::spec::scalar_text;
use crate::values::Problem;

/// Removes or renames obsolete flags of a program, and reports those that it never had.
pub fn check(server: &mut Server, findings: &mut Findings) {
    let names: Vec<String> = server.flags.keys().cloned().collect();
    for name in names {
        let what = format!("the flag --{name}");
        match support(server.version, &name) {
            Support::Supported => {}
            Support::RemovedIn(since) => removed(server, &name, since, findings),
            // The name of the same flag in another version.
            Support::AddedIn(_) if successor(server.version, &name).is_some() => {
                removed(server, &name, 0, findings);
            }
            support => {
                let near = server.version.nearest_flag(&name);
                let problem = unknown(server.version, &what, support, near);
                findings.record_key(&server.path.join(name.as_str()), problem);
            }
        }
    }
}

fn support(version: ProgramVersion, name: &str) -> Support {
    match version.flag(name) {
        // The tables begin later, and do not have these.
        Support::Unknown if gone_before(version.program, name) => Support::RemovedIn(0),
        support => support,
    }
}

fn removed(server: &mut Server, name: &str, since: u32, findings: &mut Findings) {
    let value = server.flags.shift_remove(name).unwrap_or_default();
    // null leaves the flag out, as is wanted.
    if value == Value::Null {
        return;
    }
    let path = server.path.join(name);
    let version = server.version;
    let what = format!("the flag --{name}");
    let gone = match since {
        0 => format!("{what} does not exist in {}", version.release()),
        since => format!("{what} was removed in {}", version.program.release(since)),
    };
    let problem = match successor(version, name) {
        Some(Successor::Flag(new)) if server.flags.contains_key(&new) => {
            Problem::warning(format!("{gone} and is left out: --{new} is set as well"))
                .help("remove it")
        }
        Some(Successor::Flag(new)) => {
            let problem = Problem::warning(format!("{gone}; --{new} is used instead"))
                .help(format!("rename it to {new}"));
            server.flags.insert(new, value);
            problem
        }
        Some(Successor::Gate(gate)) => {
            let on = scalar_text(&value).unwrap_or_default();
            add_gate(server, &gate, &on);
            Problem::warning(format!("{gone}; the feature gate {gate} is used instead"))
                .help(format!("use feature-gates: {gate}={on}"))
        }
        None => {
            let message = match since {
                0 => format!("{gone} and is left out"),
                since => left_out(version, &what, since),
            };
            Problem::warning(message).help(advice(name))
        }
    };
    findings.record(&path, problem);
}

/// Adds a feature gate at the end of those that are set: the last one counts.
fn add_gate(server: &mut Server, gate: &str, on: &str) {
    let gates = server.flags.entry("feature-gates".to_owned()).or_default();
    let before = match gates.as_str() {
        Some(text) if !text.is_empty() => format!(",{text}"),
        _ => String::new(),
    };
    *gates = Value::from(format!("{gate}={on}{before}"));
}
