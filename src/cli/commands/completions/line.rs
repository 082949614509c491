//! What a line that is being typed is about: its cluster and its values.

use std::ffi::OsString;
use std::path::Path;

use crate::cluster::Target;

/// What the flags of a line name.
pub struct Line {
    pub target: Target,
    /// The values files and `builtin:` layers.
    pub files: Vec<String>,
}

impl Line {
    /// Reads the flags that matter; what is missing comes from the environment.
    pub fn of(words: &[OsString]) -> Line {
        let given = |flags: &[&str], variable: &str| {
            let found: Vec<String> = flags.iter().flat_map(|flag| after(flag, words)).collect();
            let variable = || std::env::var(variable).into_iter().collect();
            let found = if found.is_empty() { variable() } else { found };
            found.into_iter().filter(|value| !value.is_empty())
        };
        let last = |flag: &str, variable: &str| given(&[flag], variable).next_back();
        let files = given(&["-f", "--values", "--into"], "KUBEFARM_VALUES");
        let files = files.flat_map(|value| value.split(',').map(str::to_owned).collect::<Vec<_>>());
        Line {
            files: files.collect(),
            target: Target {
                kubeconfig: last("--kubeconfig", "KUBEFARM_KUBECONFIG")
                    .map(|file| Path::new(&file).to_owned()),
                context: last("--context", "KUBEFARM_CONTEXT"),
                ..Target::default()
            },
        }
    }
}

/// What follows a flag: `--flag VALUE` or `--flag=VALUE`.
fn after(flag: &str, words: &[OsString]) -> Vec<String> {
    let joined = format!("{flag}=");
    let values = words.iter().enumerate().filter_map(|(index, word)| {
        let text = word.to_str()?;
        match text.strip_prefix(&joined) {
            Some(value) => Some(value.to_owned()),
            None if text == flag => words.get(index + 1)?.to_str().map(str::to_owned),
            None => None,
        }
    });
    values.collect()
}
