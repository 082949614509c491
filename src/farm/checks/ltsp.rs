//! LTSP: what its configuration reader and the shell behind it would take as syntax.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::scripts::is_command;
use super::sections;
use crate::farm::boot::toml_text;
use crate::farm::findings::Findings;
use crate::farm::spec::{BootConfig, ContainerdConfig, TextMap, Values};
use crate::farm::syntax::is_variable_name;
use crate::values::{Path, Problem};

/// Checks the nodes' boot configuration.
pub fn check(config: &BootConfig, values: &Values, findings: &mut Findings) {
    let path = Path::from("ltsp.config");
    settings(&config.options, &path.join("options"), findings);
    for (tag, options) in &values.tags.ltsp_options {
        let path = Path::from("tags.ltspOptions").join(tag.as_str());
        if let Some(options) = options {
            settings(options, &path, findings);
        }
    }
    overruled(config, values, &path.join("options"), findings);
    sections::check(config, values, findings);
    containerd(config, &path.join("containerdConfig"), findings);
    lines(config, &path, findings);
    accounts(config, &path, findings);
}

fn settings(settings: &TextMap, path: &Path, findings: &mut Findings) {
    for (key, value) in settings {
        let path = path.join(key.as_str());
        if !is_variable_name(key) {
            findings.key_error(&path, format!("`{key}` is not a setting of LTSP: a shell variable's name, letters, digits and `_`"));
        } else if key.eq_ignore_ascii_case("include") {
            let problem = Problem::error("LTSP would read this setting as an include");
            findings.record_key(&path, problem.help("give the nodes' pool the tag instead"));
        } else if READERS_OWN.contains(&key.as_str()) || key.starts_with("section_") {
            findings.key_error(
                &path,
                format!("`{key}` is a variable of the program that reads ltsp.conf"),
            );
        }
        if value.contains('\0') {
            findings.error(&path, "a setting may not hold a NUL character");
        } else if key == "KERNEL_PARAMETERS" && value.contains(['\'', '\n']) {
            findings.error(&path, "kernel parameters may not hold single quotes or line breaks, which GRUB cannot read");
        } else if key == "MENU_TIMEOUT" {
            menu_timeout(value, &path, findings);
        }
        expansion(key, value, &path, findings);
    }
}

/// Variables by which dash works while it reads a setting (dash(1)).
const READERS_OWN: [&str; 2] = ["IFS", "OPTIND"];

fn menu_timeout(value: &str, path: &Path, findings: &mut Findings) {
    // GRUB counts seconds in an int.
    const LONGEST: u64 = 1000 * i32::MAX as u64;
    match value.parse::<u64>() {
        Ok(time) if time <= LONGEST => {}
        _ if value.is_empty() => {}
        _ if value.bytes().all(|byte| byte.is_ascii_digit()) => findings.error(
            path,
            format!("{value} milliseconds are more than GRUB can count, {LONGEST}"),
        ),
        _ => findings.warning(
            path,
            format!("`{value}` is not a number of milliseconds, so the menu does not wait"),
        ),
    }
}

/// The old chart's settings were expanded when LTSP read them; these are literal (decision 12).
fn expansion(key: &str, value: &str, path: &Path, findings: &mut Findings) {
    if !is_command(key)
        && let Some(sign) = ["${", "$(", "`"].iter().find(|sign| value.contains(**sign))
    {
        let problem = Problem::warning(format!(
            "`{sign}` stays as it is: settings are not expanded when LTSP reads them"
        ));
        findings.record(
            path,
            problem
                .help("write the text out, or set it in ltsp.config.sections, as a shell script"),
        );
    }
}

/// LTSP reads `[clients]`, where the tag `all` stands, before `[common]`, where the options stand.
fn overruled(config: &BootConfig, values: &Values, options: &Path, findings: &mut Findings) {
    let all = values.tags.ltsp_options.get("all").and_then(Option::as_ref);
    for (key, value) in all.into_iter().flatten() {
        if config
            .options
            .get(key)
            .is_some_and(|option| option != value)
        {
            let path = Path::from("tags.ltspOptions.all").join(key.as_str());
            let place = findings.place(&options.join(key.as_str()));
            let problem = Problem::warning(format!(
                "ltsp.config.options.{key} wins over this: LTSP reads it later"
            ));
            findings.record(
                &path,
                problem.help(format!("it is set at {place}; change it there")),
            );
        }
    }
}

/// Whether the base64 text of a public key begins with the type that stands before it, and has all of its parts: each
/// behind its length (RFC 4253, section 6.6). Options may stand before the type (sshd(8)).
fn is_whole_key(key: &str) -> bool {
    let is_type = |word: &&str| {
        ["ssh-", "ecdsa-", "sk-"]
            .iter()
            .any(|start| word.starts_with(start))
    };
    let mut words = key.split_whitespace().skip_while(|word| !is_type(word));
    let (Some(kind), Some(text)) = (words.next(), words.next()) else {
        return false;
    };
    let Ok(blob) = STANDARD.decode(text) else {
        return false;
    };
    let mut rest = blob.as_slice();
    let mut parts = Vec::new();
    while let Some((length, after)) = rest.split_first_chunk() {
        let length = usize::try_from(u32::from_be_bytes(*length));
        let Some((part, after)) = length
            .ok()
            .and_then(|length| after.split_at_checked(length))
        else {
            return false;
        };
        parts.push(part);
        rest = after;
    }
    rest.is_empty() && parts.len() > 1 && parts.first() == Some(&kind.as_bytes())
}

/// Whether it has the form `$ID$…` of a hashed password (crypt(5)).
fn is_hash(password: &str) -> bool {
    let id = password
        .strip_prefix('$')
        .and_then(|rest| rest.split_once('$'));
    id.is_some_and(|(id, _)| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

/// Values that become a line of a file of their own.
fn lines(config: &BootConfig, path: &Path, findings: &mut Findings) {
    let broken = |text: &str| text.chars().any(char::is_control);
    for (index, key) in config.ssh_authorized_keys.iter().enumerate() {
        let path = path.join("sshAuthorizedKeys").join(index);
        if broken(key.trim_end()) {
            findings.error(&path, "a key is one line");
        } else if key.split_whitespace().count() < 2 {
            findings.error(&path, format!("`{key}` is not a public key: expected a type and its base64 text, as in a .pub file"));
        } else if !is_whole_key(key) {
            let problem = Problem::warning(
                "this key is cut short or not one at all: sshd passes over the line, and nobody can log in with it",
            );
            findings.record(&path, problem.help("copy the whole line of the .pub file"));
        }
    }
    for (index, module) in config.modules.iter().enumerate() {
        let path = path.join("modules").join(index);
        if broken(module) || module.trim().is_empty() {
            findings.error(&path, "a module is one line: its name");
        } else if let Some((name, parameters)) = module.trim().split_once(char::is_whitespace)
            && !name.starts_with(['#', ';'])
        {
            let problem = Problem::error(format!(
                "`{module}` is not a module: modules-load.d(5) takes names, without parameters"
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

/// What has no place in TOML: null in a list, and integers above 2^63 - 1 (toml.io, v1.0.0).
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

fn accounts(config: &BootConfig, path: &Path, findings: &mut Findings) {
    if let Some(zone) = &config.timezone {
        let plain = zone.split('/').all(|part| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-+_".contains(&byte))
        });
        if !plain {
            findings.error(&path.join("timezone"), format!("`{zone}` is not a time zone: a path below /usr/share/zoneinfo, such as Europe/Berlin"));
        }
    }
    if let Some(password) = &config.root_passwd {
        if password.chars().any(char::is_control) || password.contains(':') {
            findings.error(
                &path.join("rootPasswd"),
                "a hashed password holds no colon and no line break (crypt(5))",
            );
        } else if !is_hash(password) && !matches!(password.as_str(), "*" | "!") {
            let problem =
                Problem::warning("this is not a hashed password, so nobody can log in with it");
            findings.record(
                &path.join("rootPasswd"),
                problem.help("write what `openssl passwd -6` prints"),
            );
        }
    }
}
