//! `kubefarm completions`: completion scripts for shells, and what those ask for.

mod candidates;
mod line;
mod nodes;
mod words;

use std::ffi::{OsStr, OsString};
use std::io::Write as _;

use clap::Args;
use clap_complete::Shell;
use clap_complete::engine::{self, CompletionCandidate};

use super::whole;
use crate::cli::failure::Failure;
use crate::cli::stdout::write_stdout;

/// The first word of a line by which a shell asks what may follow: `__complete SHELL -- WORD…`, the last of the words
/// being the one that is typed. A line for each candidate goes to stdout, with what is said of it after a tab.
pub const QUESTION: &str = "__complete";

/// A candidate and its description, which may be empty.
type Candidate = (String, String);

const EXAMPLES: &str = "\
What may follow is asked of kubefarm itself: layers, examples, keys, files, and
where a cluster can be reached, releases and namespaces.

Examples:
  kubefarm completions bash > /etc/bash_completion.d/kubefarm
  kubefarm completions zsh > \"${fpath[1]}/_kubefarm\"
  kubefarm completions fish > ~/.config/fish/completions/kubefarm.fish";

/// Print a completion script for a shell.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Completions {
    /// The shell.
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    pub fn run(self) -> Result<(), Failure> {
        let script = match self.shell {
            Shell::Bash => include_bytes!("completions/kubefarm.bash").to_vec(),
            Shell::Zsh => include_bytes!("completions/kubefarm.zsh").to_vec(),
            Shell::Fish => include_bytes!("completions/kubefarm.fish").to_vec(),
            other => {
                let mut script = Vec::new();
                clap_complete::generate(other, &mut whole(), "kubefarm", &mut script);
                script
            }
        };
        write_stdout(&script)
    }
}

/// Answers a shell: what may follow the words of a line.
pub fn answer(question: &[OsString]) -> Result<(), Failure> {
    let [shell, _, words @ ..] = question else {
        return Err(Failure::Usage(format!("wanted {QUESTION} SHELL -- WORD…")));
    };
    let words: Vec<OsString> = match shell.to_str() {
        Some("bash") => words.iter().map(|word| words::unquoted(word)).collect(),
        _ => words.to_vec(),
    };
    let line = line::Line::of(&words);
    let mut command = described(whole(), &line);
    let last = words.len().saturating_sub(1);
    let is_empty = words.get(last).is_some_and(|word| word.is_empty());
    let here = std::env::current_dir().ok();
    let mut found = engine::complete(&mut command, words, last, here.as_deref())?;
    // Flags are for those who type a hyphen, where anything else may stand.
    let is_flag =
        |candidate: &CompletionCandidate| candidate.get_value().to_string_lossy().starts_with('-');
    if is_empty && !found.iter().all(is_flag) {
        found.retain(|candidate| !is_flag(candidate));
    }
    let mut text = Vec::new();
    for candidate in found {
        let value = candidate.get_value().to_string_lossy();
        // A line is a candidate; what would end it or reach the terminal raw is left out.
        if value.chars().any(char::is_control) {
            continue;
        }
        let about = candidate
            .get_help()
            .map(ToString::to_string)
            .unwrap_or_default();
        let about = about.lines().next().unwrap_or_default().replace('\t', " ");
        if shell == OsStr::new("bash") || about.is_empty() {
            writeln!(text, "{value}")?
        } else {
            writeln!(text, "{value}\t{about}")?
        }
    }
    write_stdout(&text)
}

/// The commands, with what may stand for each argument.
fn described(command: clap::Command, line: &line::Line) -> clap::Command {
    let name = command.get_name().to_owned();
    let command = command.mut_args(|arg| candidates::described(arg, &name, line));
    command.mut_subcommands(|below| described(below, line))
}
