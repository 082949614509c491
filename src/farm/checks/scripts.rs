//! The user's shell scripts: errors of syntax, and missing files. Both make LTSP stop the boot. They are warnings,
//! because a node may have another shell and files of its own.

use crate::farm::boot::{own_files, shell_text};
use crate::farm::findings::Findings;
use crate::farm::shell::fault;
use crate::farm::spec::{BootConfig, TextMap, Values};
use crate::values::{Path, Problem};

/// Where LTSP finds the files of a farm.
const FOLDER: &str = "/etc/ltsp/";

/// Checks every text that the nodes' shell runs.
pub fn check(config: &BootConfig, values: &Values, findings: &mut Findings) {
    let path = Path::from("ltsp.config");
    for (header, text) in &config.sections {
        let path = path.join("sections").join(header.as_str());
        syntax(&shell_text(text), &path, findings);
    }
    for (name, text) in &config.extra_files {
        if name.ends_with(".sh") && is_for_sh(text) {
            syntax(text, &path.join("extraFiles").join(name.as_str()), findings);
        }
    }
    commands(config, &config.options, &path.join("options"), findings);
    for (tag, options) in &values.tags.ltsp_options {
        let path = Path::from("tags.ltspOptions").join(tag.as_str());
        if let Some(options) = options {
            commands(config, options, &path, findings);
        }
    }
}

/// Whether LTSP evaluates this setting as shell text (ltsp.conf(5), PRE_INIT_* and the like).
pub fn is_command(setting: &str) -> bool {
    setting.starts_with("PRE_") || setting.starts_with("POST_")
}

fn commands(config: &BootConfig, settings: &TextMap, path: &Path, findings: &mut Findings) {
    for (key, text) in settings.iter().filter(|(key, _)| is_command(key)) {
        let path = path.join(key.as_str());
        syntax(text, &path, findings);
        for name in sourced(text).filter(|name| !is_there(config, name)) {
            let problem = Problem::warning(format!(
                "the farm has no file {name}, and a boot stops if `.` finds no file"
            ));
            let help = format!("its text goes into ltsp.config.extraFiles.{name}");
            findings.record(&path, problem.help(help));
        }
    }
}

fn syntax(text: &str, path: &Path, findings: &mut Findings) {
    if let Some(line) = text.split('\n').position(|line| line.ends_with('\r')) {
        let problem = Problem::warning(format!(
            "line {} ends in CR LF, as on Windows: a shell reads the CR as part of the last word",
            line + 1
        ));
        findings.record(path, problem.help("save the file with LF alone: dos2unix"));
    } else if let Some(fault) = fault(text) {
        let problem = Problem::warning(format!(
            "this is not a valid shell script: in line {}, {}",
            fault.line, fault.message
        ));
        findings.record(path, problem.help("check it with `dash -n`"));
    }
}

/// Whether a script is for sh or dash: it names one of them as its program, or none.
fn is_for_sh(text: &str) -> bool {
    let Some(program) = text.strip_prefix("#!") else {
        return true;
    };
    let line = program.lines().next().unwrap_or_default();
    let mut words = line.split_whitespace();
    let is_sh = |word: &str| matches!(word.rsplit('/').next(), Some("sh" | "dash"));
    match words.next() {
        Some(program) if program.ends_with("/env") => words.next().is_some_and(is_sh),
        Some(program) => is_sh(program),
        None => true,
    }
}

/// The files of the farm that `.` reads in any case. A text that mentions a file once more may test first whether it
/// exists.
fn sourced(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices(FOLDER).filter_map(move |(at, _)| {
        let before = text.get(..at)?.trim_end_matches(' ').strip_suffix('.')?;
        let is_command = before.is_empty() || before.ends_with([' ', '\n', ';', '(', '&', '|']);
        let rest = text.get(at + FOLDER.len()..)?;
        let is_in_name = |byte: char| byte.is_ascii_alphanumeric() || "._-".contains(byte);
        let end = rest.find(|byte| !is_in_name(byte)).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        let is_whole = after.is_empty() || after.starts_with([' ', '\n', ';', ')', '&', '|']);
        let is_alone = text.matches(name).count() == 1;
        (is_command && is_whole && is_alone && !name.is_empty()).then_some(name)
    })
}

/// Whether nodes have the file. Files from Secrets and ConfigMaps of the user are not known here.
fn is_there(config: &BootConfig, name: &str) -> bool {
    !config.extra_projected_items.is_empty()
        || config.extra_files.contains_key(name)
        || super::sections::OWN_FILES.contains(&name)
        || own_files(config).contains_key(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_of_other_programs_are_theirs() {
        for text in [
            "a",
            "#!/bin/sh\n",
            "#! /bin/sh -eu\n",
            "#!/usr/bin/env dash\n",
            "#!\n",
        ] {
            assert!(is_for_sh(text), "{text}");
        }
        for text in [
            "#!/bin/bash\n",
            "#!/usr/bin/env python3\n",
            "#!/usr/bin/env -S bash\n",
        ] {
            assert!(!is_for_sh(text), "{text}");
        }
    }

    #[test]
    fn a_file_is_asked_for_where_nothing_is_asked_first() {
        for text in [
            ". /etc/ltsp/a.sh",
            "( . /etc/ltsp/a.sh ) || warn no",
            "true; . /etc/ltsp/a.sh; true",
        ] {
            assert_eq!(sourced(text).collect::<Vec<_>>(), ["a.sh"], "{text}");
        }
        for text in [
            "test ! -r /etc/ltsp/a.sh || . /etc/ltsp/a.sh",
            "cd /etc/ltsp && test -f a.sh && . /etc/ltsp/a.sh",
            ". /etc/ltsp/$NAME",
            ". /etc/ltsp/a/b",
            ". /opt/etc/ltsp/a.sh",
            "cat ./etc/ltsp/a.sh /etc/ltsp/a.sh",
            "sh /etc/ltsp/a.sh",
        ] {
            assert_eq!(sourced(text).count(), 0, "{text}");
        }
    }
}
