//! Tips for a wrong command line: which of our words stands for one of Helm's or kubectl's.

use std::ffi::OsStr;
use std::path::Path;

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::values::nearest;

/// What people of other tools type, and what does it here.
const WORDS: [(&[&str], &str); 18] = [
    (
        &["template", "manifest", "build", "generate"],
        "kubefarm render prints every manifest",
    ),
    (
        &["install", "upgrade", "create", "deploy", "sync"],
        "kubefarm apply creates a farm and changes it",
    ),
    (
        &["plan", "preview"],
        "kubefarm diff shows what apply would change",
    ),
    (
        &["lint", "validate", "check", "test"],
        "kubefarm render checks the values before it prints; kubefarm diff asks the cluster as well",
    ),
    (
        &["uninstall", "destroy", "remove", "rm"],
        "kubefarm delete NAME removes a farm; its data is kept",
    ),
    (
        &["get", "ls", "ps"],
        "kubefarm list shows the farms of a cluster, kubefarm status NAME one farm, kubefarm values the merged values",
    ),
    (
        &["describe", "wait"],
        "kubefarm status NAME shows what is wrong with a farm",
    ),
    (
        &["graph", "tree"],
        "kubefarm status NAME --all lists every object of a farm, kubefarm render --output-dir DIR writes each into a file",
    ),
    (
        &["node", "machines", "hosts", "import"],
        "kubefarm nodes lists, shows and imports the nodes in the values; for those that joined: kubefarm kubeconfig NAME, then kubectl get nodes",
    ),
    (
        &["explain", "docs"],
        "kubefarm show values prints every value with a comment, kubefarm schema -o markdown a reference",
    ),
    (
        &["new", "start", "scaffold"],
        "kubefarm init DIR writes a farm to start from",
    ),
    (
        &["rollback", "history", "undo"],
        "there are no revisions: keep the values in version control, and kubefarm apply earlier ones",
    ),
    (
        &["logs", "exec", "edit", "port-forward", "top"],
        "kubectl does that: a farm's objects are ordinary ones",
    ),
    (
        &["config", "login", "credentials"],
        "kubefarm kubeconfig NAME makes a kubeconfig for the child cluster",
    ),
    (
        &["cert", "certs", "certificates"],
        "kubefarm pki manages certificates",
    ),
    (
        &[
            "example",
            "examples",
            "layer",
            "layers",
            "templates",
            "images",
        ],
        "kubefarm show prints what is inside the binary: layers, examples, templates, images",
    ),
    (&["completion"], "kubefarm completions SHELL"),
    (&["version"], "kubefarm --version"),
];

/// Flags of other tools that have another name here, or that nothing needs.
const FLAGS: [(&[&str], &str); 4] = [
    (&["--kube-context"], "--context"),
    (&["--filename"], "-f, --values"),
    (
        &["--all-namespaces", "-A"],
        "without -n, list shows the farms of every namespace",
    ),
    (
        &["--install", "--atomic", "--reuse-values"],
        "apply needs no such flag: it creates what is missing, and checks everything before it changes anything",
    ),
];

/// No slip of the finger leads to the command that removes a farm.
const NEVER: &str = "delete";

/// The error with better tips. `line` is the command line's words, `commands` the names of all commands.
pub(super) fn improve(error: &mut clap::Error, line: &[&OsStr], commands: &[String]) {
    match error.kind() {
        ErrorKind::InvalidSubcommand => of_command(error, line, commands),
        ErrorKind::UnknownArgument => of_argument(error),
        _ => {}
    }
}

fn of_command(error: &mut clap::Error, line: &[&OsStr], commands: &[String]) {
    let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidSubcommand) else {
        return;
    };
    let word = word.clone();
    let clap_says = error.remove(ContextKind::SuggestedSubcommand);
    error.remove(ContextKind::Suggested);
    // `kubefarm WORD` and `kubefarm help WORD`; below a command, clap's own idea is as good as any.
    let is_first = line
        .first()
        .is_some_and(|first| *first == word.as_str() || *first == "help");
    if !is_first {
        if let Some(ContextValue::Strings(mut near)) = clap_says {
            near.retain(|name| name != NEVER);
            if !near.is_empty() {
                error.insert(
                    ContextKind::SuggestedSubcommand,
                    ContextValue::Strings(near),
                );
            }
        }
        return;
    }
    if let Some(tip) = tip(&WORDS, &word.to_lowercase()) {
        return suggest(error, tip);
    }
    let names = commands.iter().map(String::as_str);
    if let Some(near) = nearest(&word, names.filter(|name| *name != NEVER)) {
        let near = ContextValue::Strings(vec![near.to_owned()]);
        error.insert(ContextKind::SuggestedSubcommand, near);
    }
}

fn of_argument(error: &mut clap::Error) {
    let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidArg) else {
        return;
    };
    let word = word.clone();
    if let Some(tip) = tip(&FLAGS, &word) {
        error.remove(ContextKind::SuggestedArg);
        return suggest(error, tip);
    }
    if is_values_file(&word) {
        return suggest(error, &format!("pass a values file with -f: -f {word}"));
    }
    let usage = error.get(ContextKind::Usage).map(ToString::to_string);
    if word == "--name" && usage.is_some_and(|usage| usage.contains("NAME")) {
        error.remove(ContextKind::SuggestedArg);
        suggest(
            error,
            "here the release's name is an argument by itself, without --name",
        );
    }
}

fn tip<'a>(known: &[(&[&str], &'a str)], word: &str) -> Option<&'a str> {
    let found = known.iter().find(|(words, _)| words.contains(&word));
    found.map(|(_, tip)| *tip)
}

fn suggest(error: &mut clap::Error, tip: &str) {
    let tip = ContextValue::StyledStrs(vec![StyledStr::from(tip.to_owned())]);
    error.insert(ContextKind::Suggested, tip);
}

/// Whether it is a file of values rather than the name of anything: no name of a release has a dot or a slash.
pub(super) fn is_values_file(word: &str) -> bool {
    let path = Path::new(word);
    let ends_so = |ending: &OsStr| ["yaml", "yml", "json"].iter().any(|known| ending == *known);
    !word.starts_with('-')
        && (path.extension().is_some_and(ends_so) || word.starts_with("builtin:") || path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_word_stands_for_two_things() {
        let mut seen = std::collections::BTreeSet::new();
        for word in WORDS.iter().flat_map(|(words, _)| *words) {
            assert!(seen.insert(word), "{word}");
        }
    }
}
