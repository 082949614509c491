//! Names of machines for which a listing has none.

use super::{Format, Found, read_name};
use crate::values::Problem;

/// How machines are named.
#[derive(Debug, Clone, Default)]
pub struct Names {
    /// A text with `{mac}`, `{slot}`, `{node}`, `{system}` and `{file}`.
    pub pattern: Option<String>,
    /// What stands before every name that is made here.
    pub prefix: String,
}

impl Names {
    /// Names a machine that has no name.
    pub(super) fn give(&self, machine: &mut Found, format: Format, problems: &mut Vec<Problem>) {
        if machine.name.is_some() {
            return;
        }
        let usual = match format {
            Format::Csv => "",
            Format::Moonshot => "{node}",
            Format::DnsmasqLeases => "{mac}",
            Format::Redfish => "{system}",
        };
        let pattern = self.pattern.as_deref().unwrap_or(usual);
        if pattern.is_empty() {
            let problem = Problem::error("a machine without a name").at(machine.origin.clone());
            problems.push(
                problem.help("name it in the listing, or all such machines with --name '{mac}'"),
            );
            return;
        }
        match filled(pattern, machine) {
            Ok(name) => {
                let name = format!("{}{name}", self.prefix);
                machine.name = read_name(&name, &machine.origin, problems);
            }
            Err(problem) => problems.push(problem.at(machine.origin.clone())),
        }
    }
}

/// The pattern with what is known of a machine in its places.
fn filled(pattern: &str, machine: &Found) -> Result<String, Problem> {
    let mut name = String::new();
    let mut rest = pattern;
    while let Some((before, after)) = rest.split_once('{') {
        name.push_str(before);
        let Some((place, behind)) = after.split_once('}') else {
            return Err(Problem::error(format!("`{pattern}` has no }} for its {{")));
        };
        name.push_str(&fact(place, machine)?);
        rest = behind;
    }
    name.push_str(rest);
    Ok(name)
}

fn fact(place: &str, machine: &Found) -> Result<String, Problem> {
    let mac = machine.macs.first().map(|mac| ("mac", mac.clone()));
    let mut facts = machine.facts.iter().cloned().chain(mac);
    if let Some((_, fact)) = facts.find(|(name, _)| *name == place) {
        return Ok(as_name(&fact));
    }
    let known = machine.facts.iter().map(|(name, _)| *name).chain(["mac"]);
    let known: Vec<&str> = known.collect();
    let problem = Problem::error(format!("{{{place}}} is not known of this machine"));
    Err(problem.help(format!("known are {}", known.join(", "))))
}

/// A text as a part of a host name: `02-00-00-40-07-0a`.
fn as_name(text: &str) -> String {
    let sign = |sign: char| match sign.to_ascii_lowercase() {
        sign if sign.is_ascii_alphanumeric() => sign,
        _ => '-',
    };
    let name: String = text.chars().map(sign).collect();
    name.trim_matches('-').to_owned()
}
