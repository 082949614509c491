//! The kubelets' flags, in the settings KUBELET_EXTRA_ARGS of nodes.

use super::servers::kubelet_version;
use super::successors::advice;
use crate::farm::findings::Findings;
use crate::farm::known::{ProgramVersion, Support};
use crate::farm::spec::{TextMap, Values};
use crate::values::{Path, Problem};

const SETTING: &str = "KUBELET_EXTRA_ARGS";

/// Warns of flags that kubelet does not have. They are delivered all the same: a node's image may have another version.
pub fn check(values: &Values, findings: &mut Findings) {
    let version = kubelet_version(&values.kubernetes.version);
    settings(
        &values.ltsp.config.options,
        &Path::from("ltsp.config.options"),
        version,
        findings,
    );
    for (tag, options) in &values.tags.ltsp_options {
        let path = Path::from("tags.ltspOptions").join(tag.as_str());
        if let Some(options) = options {
            settings(options, &path, version, findings);
        }
    }
}

fn settings(options: &TextMap, path: &Path, version: ProgramVersion, findings: &mut Findings) {
    for (key, value) in options {
        let is_for_kubelet = key
            .strip_prefix(SETTING)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('_'));
        if !is_for_kubelet {
            continue;
        }
        for name in flags_in(value) {
            if let Some(problem) = problem(name, version) {
                findings.record(&path.join(key.as_str()), problem);
            }
        }
    }
}

/// The names of the flags in a command line.
fn flags_in(text: &str) -> impl Iterator<Item = &str> {
    let words = text
        .split_whitespace()
        .filter_map(|word| word.strip_prefix("--"));
    let names = words.map(|word| word.split('=').next().unwrap_or_default());
    names.filter(|name| {
        !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    })
}

fn problem(flag: &str, version: ProgramVersion) -> Option<Problem> {
    let release = version.release();
    Some(match version.flag(flag) {
        Support::Supported => return None,
        Support::RemovedIn(since) => {
            let since = version.program.release(since);
            let message = format!(
                "kubelet's flag --{flag} was removed in {since}: the kubelet of {release} does not start with it"
            );
            Problem::warning(message).help(advice(flag))
        }
        Support::AddedIn(since) => {
            let since = version.program.release(since);
            let message = format!(
                "kubelet's flag --{flag} was added in {since}: the kubelet of {release} does not start with it"
            );
            Problem::warning(message).help("remove it")
        }
        Support::Unknown => {
            let problem = Problem::warning(format!(
                "kubelet has no flag --{flag} and does not start with it"
            ));
            match version.nearest_flag(flag) {
                Some(near) => problem.help(format!("did you mean `--{near}`?")),
                None => problem.help("`kubelet --help` lists them; remove it"),
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::flags_in;

    #[test]
    fn flags_are_words_that_begin_with_two_dashes() {
        let text = " --v=2 --node-labels a=--b --a=\"x --y\" -z -- --%s --eviction_hard=1 ";
        let names: Vec<&str> = flags_in(text).collect();
        assert_eq!(names, ["v", "node-labels", "a", "eviction_hard"]);
    }
}
