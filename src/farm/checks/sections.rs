//! The user's sections of ltsp.conf and files of /etc/ltsp, beside those that are written for the farm.

use std::collections::BTreeMap;

use crate::farm::boot::{node_sections, own_files, section_file, split_section};
use crate::farm::findings::Findings;
use crate::farm::spec::{BootConfig, Values};
use crate::farm::syntax::is_file_key;
use crate::farm::tag_settings::{TagSettings, fold};
use crate::glob::Glob;
use crate::values::{Path, Problem};

/// Files of /etc/ltsp that only kubefarm may write.
pub const OWN_FILES: [&str; 17] = [
    "ltsp.conf",
    "init.sh",
    "memory.sh",
    "kubelet-room.sh",
    "kubelet-settings.sh",
    "local-disk.sh",
    "kubeadm-join.conf",
    "kubeadm-join.service",
    "kubeadm-join.sh",
    "kubefarm-boot.service",
    "kubefarm-ca.crt",
    "kubefarm-disk.service",
    "kubefarm-room.service",
    "kubefarm-syslog.service",
    "kubefarm-goodbye.service",
    "kubefarm-goodbye.sh",
    "kubefarm-report.sh",
];

/// Settings that create a file, which `extraFiles` can replace.
const MADE_FILES: [(&str, &str); 5] = [
    ("authorized_keys", "sshAuthorizedKeys"),
    ("containerd.toml", "containerdConfig"),
    ("docker.json", "dockerConfig"),
    ("modules", "modules"),
    ("sysctl.conf", "sysctls"),
];

/// Checks sections and files.
pub fn check(config: &BootConfig, values: &Values, findings: &mut Findings) {
    let path = Path::from("ltsp.config");
    if !config.sections.is_empty() {
        sections(config, &written(values), &path.join("sections"), findings);
    }
    if !config.extra_files.is_empty() {
        files(config, &path, findings);
    }
}

/// A section that is written for the farm.
struct Written {
    header: String,
    /// Its name in messages.
    title: String,
    is_node: bool,
}

/// The sections that follow the user's.
fn written(values: &Values) -> Vec<Written> {
    let tags = TagSettings::new(&values.tags);
    let sections = tags.sections().into_iter().map(|tag| Written {
        title: match tag.section.strip_prefix("tag_") {
            Some(tag) => format!("the tag `{tag}`"),
            None => format!("`[{}]`", tag.section),
        },
        // As ini2sh reads headers.
        header: tag.section.to_ascii_lowercase(),
        is_node: false,
    });
    let nodes = node_sections(&values.node_pools, &tags).into_iter();
    let nodes = nodes.map(|node| Written {
        title: format!("the node `{}`", node.section),
        header: node.section,
        is_node: true,
    });
    sections.chain(nodes).collect()
}

/// Section names become shell functions; two that become the same name would silently merge.
fn sections(config: &BootConfig, written: &[Written], path: &Path, findings: &mut Findings) {
    let mut folded = reserved(written);
    for (header, text) in &config.sections {
        let path = path.join(header.as_str());
        let plain = !header.is_empty()
            && header
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-*./:?@_|".contains(&byte));
        if !plain {
            findings.key_error(
                &path,
                format!("`{header}` is not a section name: letters, digits and any of -*./:?@_|"),
            );
            continue;
        }
        let name = fold(header);
        match folded.get(&name) {
            Some(_) if header == "init/" => {}
            Some(other) => findings.key_error(&path, format!("to LTSP, the section `{header}` and {other} are \
                                                              the same: it changes both names to `{name}`")),
            None => {
                folded.insert(name, format!("the section `{header}`"));
                covered(header, written, &path, findings);
            }
        }
        body(text, &path, findings);
    }
}

fn body(text: &str, path: &Path, findings: &mut Findings) {
    let (includes, _) = split_section(text);
    for include in includes.iter().filter(|name| !is_section_reference(name)) {
        findings.error(
            path,
            format!(
                "`INCLUDE={include}` is not the name of a section: letters, digits and any of -./:_"
            ),
        );
    }
    if text.contains('\0') {
        findings.error(path, "a section must not contain a NUL character");
    }
}

fn is_section_reference(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-./:_".contains(&byte))
}

/// The shell names of the sections that always exist, and their names in messages.
fn reserved(written: &[Written]) -> BTreeMap<String, String> {
    let own = ["common", "init/", "unnamed", "call", "list"];
    let own = own.map(|own| (fold(own), format!("`[{own}]`")));
    let written = written
        .iter()
        .map(|section| (fold(&section.header), section.title.clone()));
    own.into_iter().chain(written).collect()
}

/// LTSP uses the first section whose name matches, as a pattern of the shell's `case`, and the user's come before those
/// of tags and nodes.
fn covered(header: &str, written: &[Written], path: &Path, findings: &mut Findings) {
    let header = header.to_ascii_lowercase();
    if !header.contains(['*', '?', '|']) {
        return;
    }
    let covers = |section: &&Written| {
        let mut patterns = header.split('|');
        patterns.any(|pattern| Glob::Case.matches(pattern, &section.header))
    };
    let Some(first) = written.iter().find(covers) else {
        return;
    };
    let message = format!(
        "LTSP takes this section for {} too, instead of the one that is written for it",
        first.title
    );
    if first.is_node {
        let help = "the settings of its tags are lost then; name the machines one by one, or write INCLUDE=tag_… here";
        findings.record_key(path, Problem::warning(message).help(help));
    } else {
        findings.key_error(path, message)
    }
}

/// The limit of all files of a ConfigMap together, in bytes (Kubernetes, "ConfigMaps").
const CONFIG_MAP: usize = 1024 * 1024;

/// The files are in one ConfigMap. The largest is reported: it is the one to deliver in another way.
fn size(config: &BootConfig, parent: &Path, findings: &mut Findings) {
    let files = config.extra_files.iter();
    let sum: usize = files.clone().map(|(_, text)| text.len()).sum();
    let largest = files.max_by_key(|(_, text)| text.len());
    if let Some((name, text)) = largest.filter(|_| sum > CONFIG_MAP) {
        let problem = Problem::error(format!(
            "this file has {} bytes, all files together have {sum}: nodes get them from a ConfigMap, which \
             can have {CONFIG_MAP}",
            text.len()
        ));
        let help = "put it into the image, or fetch it at boot";
        findings.record_key(
            &parent.join("extraFiles").join(name.as_str()),
            problem.help(help),
        );
    }
}

fn files(config: &BootConfig, parent: &Path, findings: &mut Findings) {
    size(config, parent, findings);
    let made = own_files(config);
    for name in config.extra_files.keys() {
        let path = parent.join("extraFiles").join(name.as_str());
        let setting = MADE_FILES.iter().find(|(file, _)| file == name);
        if !is_file_key(name) {
            findings.key_error(&path, format!("`{name}` is not a file name here: letters, digits, `-`, `_` and `.`, without folders"));
        } else if let Some((_, setting)) = setting {
            if made.contains_key(name) {
                let place = findings.place(&parent.join(*setting));
                let problem = Problem::warning(format!(
                    "this replaces the file that ltsp.config.{setting} creates"
                ));
                let help = format!("that is set at {place}; keep one of the two");
                findings.record_key(&path, problem.help(help));
            }
        } else if OWN_FILES.contains(&name.as_str()) || is_section_file(config, name) {
            let problem = Problem::error(format!("the file {name} is written by kubefarm"));
            findings.record_key(
                &path,
                problem.help("use ltsp.config.options, ltsp.config.sections or another name"),
            );
        }
    }
}

fn is_section_file(config: &BootConfig, name: &str) -> bool {
    let mut headers = config.sections.keys();
    headers.any(|header| section_file(header) == name)
}
