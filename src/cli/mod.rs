//! The commands: one file each, their shared flags in `args`.

mod agent;
mod apply;
mod args;
mod commands;
mod completions;
mod delete;
mod diff;
mod init;
mod kubeconfig;
mod list;
mod man;
mod pki;
mod render;
mod running;
mod schema;
mod show;
mod status;
mod tips;
mod values;

use std::io::{self, Write};
use std::process::ExitCode;

use commands::Command;

use crate::agent::AgentError;
use crate::chart::{ChartError, embedded};
use crate::cluster::change::ApplyError;
use crate::cluster::record::InventoryError;
use crate::cluster::state::list as list_farms;
use crate::cluster::{Api, ClusterError, Interrupt, Release, Unready};
use crate::manifest::ManifestError;
use crate::pki::PkiError;
use crate::render::RenderError;
use crate::report::{
    Style, print_apply_error, print_bootstrap_error, print_problems, print_unready, readable,
};
use crate::values::{Problem, nearest};

/// Why a command did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The values are wrong.
    #[error("the values are wrong")]
    Values(Vec<Problem>),
    /// A template is wrong, or given what it cannot take.
    #[error(transparent)]
    Chart(#[from] ChartError),
    /// What was rendered is not a manifest.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// What was asked for makes no sense.
    #[error("{0}")]
    Usage(String),
    /// The cluster did not do what it was asked.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// A farm could not be applied or deleted.
    #[error(transparent)]
    Apply(Box<ApplyError>),
    /// A Job inside the cluster did not do its work.
    #[error(transparent)]
    Agent(AgentError),
    /// Certificates cannot be had.
    #[error("the certificates are not complete")]
    Pki(Vec<PkiError>),
    /// What was applied did not get ready in time.
    #[error("not everything is ready")]
    Unready(Vec<Unready>),
    /// The cluster differs from what was rendered, or is not well; this has been said already.
    #[error("")]
    Found,
    /// A failure of `diff`, whose exit code 1 means something else.
    #[error(transparent)]
    Diff(Box<Failure>),
    /// The user stopped it with a signal: the exit code that shells give to a process that the signal ended.
    #[error("{0}")]
    Interrupted(Box<Failure>, u8),
    /// Anything else: files, pipes.
    #[error(transparent)]
    Other(#[from] anyhow::Error),
}

impl From<RenderError> for Failure {
    fn from(error: RenderError) -> Self {
        match error {
            RenderError::Values(problems) => Failure::Values(problems),
            RenderError::Chart(error) => Failure::Chart(error),
            RenderError::Manifest(error) => Failure::Manifest(error),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Failure::Other(error.into())
    }
}

impl From<Vec<PkiError>> for Failure {
    fn from(errors: Vec<PkiError>) -> Self {
        Failure::Pki(errors)
    }
}

impl From<PkiError> for Failure {
    fn from(error: PkiError) -> Self {
        Failure::Pki(vec![error])
    }
}

impl From<AgentError> for Failure {
    fn from(error: AgentError) -> Self {
        Failure::Agent(error)
    }
}

impl From<InventoryError> for Failure {
    fn from(error: InventoryError) -> Self {
        ApplyError::from(error).into()
    }
}

impl From<ApplyError> for Failure {
    fn from(error: ApplyError) -> Self {
        Failure::Apply(Box::new(error))
    }
}

impl Failure {
    fn exit_code(&self) -> u8 {
        match self {
            Failure::Values(_) | Failure::Chart(_) | Failure::Usage(_) => 2,
            Failure::Pki(errors) if errors.iter().all(PkiError::is_usage) => 2,
            Failure::Manifest(ManifestError::File { .. }) => 1,
            Failure::Manifest(_) => 2,
            Failure::Cluster(_)
            | Failure::Apply(_)
            | Failure::Agent(_)
            | Failure::Pki(_)
            | Failure::Unready(_)
            | Failure::Found
            | Failure::Other(_) => 1,
            Failure::Diff(failure) => failure.exit_code().max(2),
            Failure::Interrupted(_, code) => *code,
        }
    }

    fn is_broken_pipe(&self) -> bool {
        let Failure::Other(error) = self else {
            return false;
        };
        error
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    }

    fn print(&self) -> io::Result<()> {
        match self {
            Failure::Values(problems) => report(problems),
            Failure::Other(error) => {
                writeln!(io::stderr(), "error: {}", readable(&format!("{error:#}")))
            }
            Failure::Apply(error) => {
                let mut text = Vec::new();
                print_apply_error(error, &mut text)?;
                io::stderr().write_all(&text)
            }
            Failure::Agent(AgentError::Apply(error)) => {
                let mut text = Vec::new();
                print_bootstrap_error(error, &mut text)?;
                io::stderr().write_all(&text)
            }
            Failure::Pki(errors) => {
                for error in errors {
                    writeln!(io::stderr(), "error: {}", readable(&error.to_string()))?;
                }
                Ok(())
            }
            Failure::Unready(unready) => {
                let mut text = Vec::new();
                print_unready(unready, &mut text)?;
                io::stderr().write_all(&text)
            }
            Failure::Found => Ok(()),
            Failure::Diff(failure) | Failure::Interrupted(failure, _) => failure.print(),
            other => writeln!(io::stderr(), "error: {}", readable(&other.to_string())),
        }
    }
}

/// Parses the command line, runs the command, and says how it ended.
pub fn run() -> ExitCode {
    let mut words = std::env::args_os().skip(1);
    if words
        .next()
        .is_some_and(|word| word == completions::QUESTION)
    {
        let question: Vec<_> = words.collect();
        return ended(completions::answer(&question, commands::whole()));
    }
    ended(match commands::parse() {
        Command::Render(command) => command.run(),
        Command::Apply(command) => on_cluster(|interrupt| command.run(interrupt)),
        Command::Diff(command) => on_cluster(|interrupt| command.run(interrupt)),
        Command::Delete(command) => on_cluster(|interrupt| command.run(interrupt)),
        Command::List(command) => on_cluster(|interrupt| command.run(interrupt)),
        Command::Status(command) => on_cluster(|interrupt| command.run(interrupt)),
        Command::Values(command) => command.run(),
        Command::Schema(command) => command.run(),
        Command::Show(command) => command.run(),
        Command::Init(command) => command.run(),
        Command::Pki(command) => command.run(),
        Command::Agent(command) => command.run(),
        Command::Kubeconfig(command) => on_cluster(|interrupt| command.run(interrupt)),
        Command::Completions(command) => command.run(commands::whole()),
        Command::Man(command) => command.run(commands::whole()),
    })
}

/// Says how a command ended.
fn ended(outcome: Result<(), Failure>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever read our output has had enough of it: `kubefarm render | head`.
        Err(failure) if failure.is_broken_pipe() => ExitCode::SUCCESS,
        Err(failure) => {
            // With stderr closed the exit code is all that can be said.
            let _ = failure.print();
            ExitCode::from(failure.exit_code())
        }
    }
}

/// Runs a command that talks to a cluster, until it is done or the user interrupts it.
///
/// Never inlined: what these commands wait for is large, and would be on the stack of those that wait for nothing.
#[inline(never)]
fn on_cluster<F: Future<Output = Result<(), Failure>>>(
    command: impl FnOnce(Interrupt) -> F,
) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let interrupt = Interrupt::on_signals()?;
        let outcome = command(interrupt.clone()).await;
        match interrupt.exit_code() {
            Some(code) => outcome.map_err(|failure| Failure::Interrupted(Box::new(failure), code)),
            None => outcome,
        }
    })
}

/// Prints problems, with the lines that they are about, to stderr.
fn report(problems: &[Problem]) -> io::Result<()> {
    let mut text = Vec::new();
    print_problems(problems, source_text, Style::of_stderr(), &mut text)?;
    io::stderr().write_all(&text)
}

/// A source's text, to show a line of it: an embedded file's, or a file's as it is now.
fn source_text(source: &str) -> Option<String> {
    if let Some(name) = source.strip_prefix("builtin:") {
        return args::builtin(name).map(str::to_owned);
    }
    if let Some(text) = embedded::chart_file(source) {
        return Some(text.to_owned());
    }
    if source == "-" {
        return args::stdin_text();
    }
    // Pipes and terminals give their text once, and would keep us waiting for another.
    let is_regular = std::fs::metadata(source).is_ok_and(|found| found.is_file());
    if is_regular {
        std::fs::read_to_string(source).ok()
    } else {
        None
    }
}

/// Says that no `kind` has this name, and which one was probably meant. A name may be a path's end.
fn unknown(kind: &str, name: &str, names: &[&str]) -> Failure {
    const FEW: usize = 8;
    let file = |name: &'_ str| name.rsplit('/').next().unwrap_or_default().to_owned();
    let files: Vec<String> = names.iter().map(|name| file(name)).collect();
    let by_file = nearest(name, files.iter().map(String::as_str))
        .and_then(|near| names.iter().copied().find(|name| file(name) == near));
    let hint = match nearest(name, names.iter().copied()).or(by_file) {
        Some(near) => format!("did you mean {near}?"),
        None if names.len() <= FEW => format!("there are {}", names.join(", ")),
        None => format!("there are\n  {}", names.join("\n  ")),
    };
    Failure::Usage(format!("no {kind} is called {name:?}; {hint}"))
}

/// Writes a whole output to stdout at once, so that a command that fails has written nothing. A reader that has had
/// enough is not a failure, and does not change how the command ends.
fn write_stdout(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// Says that the cluster knows no such farm, and which ones it knows.
async fn no_farm(api: &Api, release: &Release) -> Failure {
    let name = &release.name;
    let farms = list_farms(api, None).await.unwrap_or_default();
    let elsewhere = farms.iter().find(|farm| farm.release.name == *name);
    let names = farms.iter().map(|farm| farm.release.name.as_str());
    let hint = match (elsewhere, nearest(name, names)) {
        (Some(farm), _) => format!("; there is one in namespace {}", farm.release.namespace),
        (None, Some(near)) => format!("; did you mean {near}?"),
        (None, None) => String::new(),
    };
    Failure::Usage(format!(
        "there is no farm {name} in namespace {}{hint}",
        release.namespace
    ))
}
