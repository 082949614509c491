//! LTSP: texts that its configuration reader and the shell would read as syntax.

use serde_json::Value;

use super::{accounts, local_disk, sections, settings};
use crate::farm::boot::toml_text;
use crate::farm::findings::Findings;
use crate::farm::spec::{BootConfig, ContainerdConfig, Values};
use crate::farm::timezones;
use crate::values::{self, Path, Problem, slip};

/// Checks the nodes' boot configuration.
pub fn check(config: &BootConfig, values: &Values, findings: &mut Findings) {
    let path = Path::from("ltsp.config");
    settings::check(config, values, findings);
    sections::check(config, values, findings);
    containerd(config, &path.join("containerdConfig"), findings);
    lines(config, &path, findings);
    default_modules(config, &path.join("modules"), findings);
    timezone(config, &path.join("timezone"), findings);
    accounts::check(config, values, findings);
    local_disk::check(&config.local_disk, &path.join("localDisk"), findings);
}

/// Values that become a line of a file.
fn lines(config: &BootConfig, path: &Path, findings: &mut Findings) {
    let broken = |text: &str| text.chars().any(char::is_control);
    for (index, module) in config.modules.iter().enumerate() {
        let path = path.join("modules").join(index);
        if broken(module) || module.trim().is_empty() {
            findings.error(&path, "a module is one line: its name");
        } else if let Some((name, parameters)) = module.trim().split_once(char::is_whitespace)
            && !name.starts_with(['#', ';'])
        {
            let problem = Problem::error(format!(
                "`{module}` is not a module: modules-load.d(5) has names, without parameters"
            ));
            findings.record(
                &path,
                problem.help(format!(
                    "write {name} here, and `{name}.{}` into KERNEL_PARAMETERS",
                    parameters.trim()
                )),
            );
        }
    }
    for (key, value) in &config.sysctls {
        let path = path.join("sysctls").join(key.as_str());
        if key.is_empty()
            || !key
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_./:*".contains(&byte))
        {
            findings.key_error(&path, format!("`{key}` is not a sysctl"));
        } else if broken(value) {
            findings.error(&path, "a sysctl's value is one line");
        }
    }
}

/// Values that TOML does not have: null in a list, and integers above 2^63 - 1 (toml.io, v1.0.0).
fn containerd(config: &BootConfig, path: &Path, findings: &mut Findings) {
    let Some(ContainerdConfig::Map(map)) = &config.containerd_config else {
        return;
    };
    let mut found = Vec::new();
    for (key, value) in map {
        unwritable(value, path.join(key.as_str()), &mut found);
    }
    for (path, fault) in &found {
        findings.error(path, *fault);
    }
    let text = config.containerd_config.as_ref().map(toml_text);
    if let (true, Some(Err(error))) = (found.is_empty(), text) {
        findings.error(path, format!("this cannot be written as TOML: {error}"));
    }
}

fn unwritable(value: &Value, path: Path, found: &mut Vec<(Path, &'static str)>) {
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                let path = path.join(index);
                match item {
                    Value::Null => found.push((path, "TOML has no null in a list")),
                    item => unwritable(item, path, found),
                }
            }
        }
        Value::Object(map) => {
            for (key, value) in map {
                unwritable(value, path.join(key.as_str()), found);
            }
        }
        Value::Number(number) if number.is_u64() && !number.is_i64() => {
            found.push((path, "TOML has no integer above 9223372036854775807"));
        }
        _ => {}
    }
}

/// The modules that pods need, which are in the charts' default (kubernetes.io, "Container Runtimes").
const NEEDED: [&str; 2] = ["br_netfilter", "overlay"];

/// A list replaces the default list. A module that is left out on purpose can be listed as a comment.
fn default_modules(config: &BootConfig, path: &Path, findings: &mut Findings) {
    let is_list = |node: &values::Node| matches!(node.value, values::Value::List(_));
    if !findings.node(path).is_some_and(is_list) {
        return;
    }
    let names = config
        .modules
        .iter()
        .map(|module| module.trim_start_matches(['#', ';', ' ']).trim_end());
    let names: Vec<&str> = names.collect();
    let missing: Vec<&str> = NEEDED
        .into_iter()
        .filter(|needed| !names.iter().any(|name| name.replace('-', "_") == *needed))
        .collect();
    if !missing.is_empty() {
        let missing = missing.join(" and ");
        let problem = Problem::warning(format!(
            "this list replaces the default one: nodes do not load {missing}"
        ));
        let help = format!("add {missing}; or write a # before it, if it is not wanted");
        findings.record(path, problem.help(help));
    }
}

fn timezone(config: &BootConfig, path: &Path, findings: &mut Findings) {
    const HELP: &str = "a path below /usr/share/zoneinfo, such as Europe/Berlin";
    let Some(zone) = config.timezone.as_deref() else {
        return;
    };
    let is_plain = |part: &str| {
        let is_in_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-+_".contains(&byte);
        !part.is_empty() && part.bytes().all(is_in_name)
    };
    if !zone.split('/').all(is_plain) {
        let problem = Problem::error(format!("`{zone}` is not a time zone"));
        findings.record(path, problem.help(HELP));
    } else if !timezones::names().any(|known| known == zone) {
        // An image may have zones of its own.
        let problem = Problem::warning(format!("there is no time zone `{zone}`"));
        let city = |zone: &str| zone.rsplit('/').next().unwrap_or_default().to_lowercase();
        let near = slip(zone, timezones::names())
            .or_else(|| timezones::names().find(|known| city(known) == city(zone)));
        let help = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => HELP.to_owned(),
        };
        findings.record(path, problem.help(help));
    }
}
