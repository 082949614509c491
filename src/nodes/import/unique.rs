//! No two machines of the listings have a name, a MAC or an address in common.

use std::collections::HashMap;

use super::Found;
use crate::values::{Origin, Problem};

/// Reports what two machines have in common, at the second of them.
pub fn check(found: &[Found], problems: &mut Vec<Problem>) {
    let names = |machine: &Found| machine.name.iter().cloned().collect();
    each_once("name", found, names, problems);
    each_once("MAC", found, |machine| machine.macs.clone(), problems);
    each_once(
        "address",
        found,
        |machine| machine.addresses.clone(),
        problems,
    );
}

fn each_once(
    what: &str,
    found: &[Found],
    values: impl Fn(&Found) -> Vec<String>,
    problems: &mut Vec<Problem>,
) {
    let mut first: HashMap<String, &Origin> = HashMap::new();
    for machine in found {
        for value in values(machine) {
            let key = value.to_ascii_lowercase();
            match first.get(&key) {
                Some(at) => {
                    let problem = Problem::error(format!("the {what} {value} is already used"));
                    let problem = problem.at(machine.origin.clone());
                    problems.push(problem.help(format!("it is written at {at}")));
                }
                None => {
                    first.insert(key, &machine.origin);
                }
            }
        }
    }
}
