//! Flags that a program does not have: it does not start with one.

use serde_json::Value;

use super::servers::{Server, left_out, unknown};
use super::successors::{Successor, advice, gone_before, successor};
use crate::farm::findings::Findings;
use crate::farm::known::{Running, Standing};
use crate::farm::spec::scalar_text;
use crate::values::Problem;

/// Takes removed flags out of a program's flags or gives them their new name, and reports those that it never had.
pub fn check(server: &mut Server, findings: &mut Findings) {
    let names: Vec<String> = server.flags.keys().cloned().collect();
    for name in names {
        let what = format!("the flag --{name}");
        match standing(server.running, &name) {
            Standing::Known => {}
            Standing::Removed(since) => removed(server, &name, since, findings),
            // Another version's name for the same flag.
            Standing::Later(_) if successor(server.running, &name).is_some() => {
                removed(server, &name, 0, findings);
            }
            standing => {
                let near = server.running.nearest_flag(&name);
                let problem = unknown(server.running, &what, standing, near);
                findings.record_key(&server.path.join(name.as_str()), problem);
            }
        }
    }
}

fn standing(running: Running, name: &str) -> Standing {
    match running.flag(name) {
        // Whatever the tables, which begin later, do not have.
        Standing::Unknown if gone_before(running.program, name) => Standing::Removed(0),
        standing => standing,
    }
}

fn removed(server: &mut Server, name: &str, since: u32, findings: &mut Findings) {
    let value = server.flags.shift_remove(name).unwrap_or_default();
    // null asks for the flag to be left out, which it is.
    if value == Value::Null {
        return;
    }
    let path = server.path.join(name);
    let running = server.running;
    let what = format!("the flag --{name}");
    let gone = match since {
        0 => format!("{what} is none of {}'s", running.release()),
        since => format!("{what} was removed in {}", running.program.release(since)),
    };
    let problem = match successor(running, name) {
        Some(Successor::Flag(new)) if server.flags.contains_key(&new) => {
            Problem::warning(format!("{gone} and is left out: --{new} is set as well"))
                .help("remove it")
        }
        Some(Successor::Flag(new)) => {
            let problem = Problem::warning(format!("{gone}; --{new} is written in its place"))
                .help(format!("call it {new}"));
            server.flags.insert(new, value);
            problem
        }
        Some(Successor::Gate(gate)) => {
            let on = scalar_text(&value).unwrap_or_default();
            add_gate(server, &gate, &on);
            Problem::warning(format!(
                "{gone}; the feature gate {gate} is set in its place"
            ))
            .help(format!("use feature-gates: {gate}={on}"))
        }
        None => {
            let message = match since {
                0 => format!("{gone} and is left out"),
                since => left_out(running, &what, since),
            };
            Problem::warning(message).help(advice(name))
        }
    };
    findings.record(&path, problem);
}

/// Adds to the feature gates, behind what is set already: there, the last one counts.
fn add_gate(server: &mut Server, gate: &str, on: &str) {
    let gates = server.flags.entry("feature-gates".to_owned()).or_default();
    let before = match gates.as_str() {
        Some(text) if !text.is_empty() => format!(",{text}"),
        _ => String::new(),
    };
    *gates = Value::from(format!("{gate}={on}{before}"));
}
