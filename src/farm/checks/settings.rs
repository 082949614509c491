//! Settings of ltsp.conf: what LTSP would read as syntax, and what it would ignore.

mod names;

use super::scripts::is_command;
use crate::farm::findings::Findings;
use crate::farm::spec::{BootConfig, TextMap, Values};
use crate::farm::syntax::is_variable_name;
use crate::values::{Path, Problem};

/// Checks the settings for all nodes and those of tags.
pub fn check(config: &BootConfig, values: &Values, findings: &mut Findings) {
    let options = Path::from("ltsp.config.options");
    settings(&config.options, &options, findings);
    for (tag, settings_of_tag) in &values.tags.ltsp_options {
        let path = Path::from("tags.ltspOptions").join(tag.as_str());
        if let Some(settings_of_tag) = settings_of_tag {
            settings(settings_of_tag, &path, findings);
        }
    }
    overruled(config, values, &options, findings);
}

fn settings(settings: &TextMap, path: &Path, findings: &mut Findings) {
    for (key, value) in settings {
        let path = path.join(key.as_str());
        if !is_variable_name(key) {
            findings.key_error(&path, format!("`{key}` is not a setting of LTSP: a shell variable's name, letters, digits and `_`"));
        } else if key.eq_ignore_ascii_case("include") {
            let problem = Problem::error("LTSP would read this setting as an include");
            findings.record_key(&path, problem.help("add the tag to the node pool instead"));
        } else if READERS_OWN.contains(&key.as_str()) || key.starts_with("section_") {
            findings.key_error(
                &path,
                format!("`{key}` is a variable that LTSP itself uses"),
            );
        }
        if value.contains('\0') {
            findings.error(&path, "a setting must not contain a NUL character");
        } else if key == "KERNEL_PARAMETERS" && value.contains(['\'', '\n']) {
            findings.error(&path, "kernel parameters must not contain single quotes or line breaks, which GRUB cannot read");
        } else if key == "MENU_TIMEOUT" {
            menu_timeout(value, &path, findings);
        }
        if is_variable_name(key) {
            names::check(key, &path, findings);
        }
        expansion(key, value, &path, findings);
    }
}

/// Variables that dash itself uses while it reads a setting (dash(1)).
const READERS_OWN: [&str; 2] = ["IFS", "OPTIND"];

fn menu_timeout(value: &str, path: &Path, findings: &mut Findings) {
    // GRUB counts seconds in an int.
    const LONGEST: u64 = 1000 * i32::MAX as u64;
    match value.parse::<u64>() {
        Ok(time) if time <= LONGEST => {}
        _ if value.is_empty() => {}
        _ if value.bytes().all(|byte| byte.is_ascii_digit()) => findings.error(
            path,
            format!("{value} milliseconds are more than the {LONGEST} that GRUB can count"),
        ),
        _ => findings.warning(
            path,
            format!("`{value}` is not a number of milliseconds, so the menu does not wait"),
        ),
    }
}

/// LTSP expanded the old chart's settings when it read them; now they are literal (decision 12).
fn expansion(key: &str, value: &str, path: &Path, findings: &mut Findings) {
    if !is_command(key)
        && let Some(sign) = expanded(value)
    {
        let problem = Problem::warning(format!(
            "`{sign}` is not expanded: LTSP takes settings as they are written"
        ));
        let help = format!(
            "write the text out; or set {key} in a section such as `10.64.*` under ltsp.config.sections, as a shell script"
        );
        findings.record(path, problem.help(help));
    }
}

/// The first expansion in a text, except in hashed passwords, whose parts begin with a `$` too (crypt(5)).
fn expanded(text: &str) -> Option<String> {
    if let Some(sign) = ["${", "$(", "`"].iter().find(|sign| text.contains(**sign)) {
        return Some((*sign).to_owned());
    }
    let after_signs = || {
        text.match_indices('$')
            .filter_map(|(at, _)| text.get(at + 1..))
    };
    let word = |rest: &str, length: usize| rest.get(..length).map(str::to_owned);
    let is_hash = after_signs().any(|rest| {
        let id = rest.find('$').and_then(|end| word(rest, end));
        id.is_some_and(|id| {
            (1..=3).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric())
        })
    });
    let mut names = after_signs().filter_map(|rest| {
        let is_in_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
        let end = rest
            .find(|letter| !is_in_name(letter))
            .unwrap_or(rest.len());
        word(rest, end).filter(|name| is_variable_name(name))
    });
    names
        .next()
        .filter(|_| !is_hash)
        .map(|name| format!("${name}"))
}

/// LTSP reads `[clients]`, with the tag `all`, before `[common]`, with the options.
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
                "ltsp.config.options.{key} overrides this: LTSP reads it later"
            ));
            findings.record(
                &path,
                problem.help(format!("it is set at {place}; change it there")),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::expanded;

    #[test]
    fn what_a_shell_would_expand() {
        for (text, sign) in [
            ("--node-ip=$IP_ADDRESS", "$IP_ADDRESS"),
            ("a ${B} $C", "${"),
            ("$(id)", "$("),
            ("é$a", "$a"),
        ] {
            assert_eq!(expanded(text).as_deref(), Some(sign), "{text}");
        }
        for text in [
            "",
            "$",
            "5 $ a",
            "$6$abc$def/gh.",
            "root/$6$abc",
            "a$1",
            "100%",
        ] {
            assert_eq!(expanded(text), None, "{text}");
        }
    }
}
