//! How a command fails: its exit code, and what stderr says.

use std::io::{self, Write};

use super::sources::source_text;
use crate::agent::AgentError;
use crate::chart::ChartError;
use crate::cluster::change::{ApplyError, DefragmentError};
use crate::cluster::record::InventoryError;
use crate::cluster::state::UnknownEtcd;
use crate::cluster::{ClusterError, Unready};
use crate::files::FileError;
use crate::manifest::ManifestError;
use crate::pki::PkiError;
use crate::render::RenderError;
use crate::report::{
    Style, print_apply_error, print_bootstrap_error, print_problems, print_unready, readable,
};
use crate::values::Problem;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The values are wrong.
    #[error("the values are wrong")]
    Values(Vec<Problem>),
    /// A template is wrong, or refuses a value.
    #[error(transparent)]
    Chart(#[from] ChartError),
    /// The output of a template is not a manifest, or it cannot be written.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The command line is wrong.
    #[error("{0}")]
    Usage(String),
    /// A request to the cluster failed.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// A farm could not be applied or deleted.
    #[error(transparent)]
    Apply(Box<ApplyError>),
    /// A Job inside the cluster failed.
    #[error(transparent)]
    Agent(AgentError),
    /// Etcd cannot be asked.
    #[error(transparent)]
    Etcd(UnknownEtcd),
    /// Etcd was not defragmented, or not all of it.
    #[error(transparent)]
    Defragment(Box<DefragmentError>),
    /// Certificates cannot be read or issued.
    #[error("the certificates are not complete")]
    Pki(Vec<PkiError>),
    /// Applied objects did not become ready in time.
    #[error("not everything is ready")]
    Unready(Vec<Unready>),
    /// The cluster differs from the rendered farm, or is not well. This was printed already.
    #[error("")]
    Reported,
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

impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
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

impl From<UnknownEtcd> for Failure {
    fn from(error: UnknownEtcd) -> Self {
        match error {
            UnknownEtcd::Inventory(error) => error.into(),
            other => Failure::Etcd(other),
        }
    }
}

impl From<DefragmentError> for Failure {
    fn from(error: DefragmentError) -> Self {
        Failure::Defragment(Box::new(error))
    }
}

impl From<ApplyError> for Failure {
    fn from(error: ApplyError) -> Self {
        Failure::Apply(Box::new(error))
    }
}

impl Failure {
    pub fn exit_code(&self) -> u8 {
        match self {
            Failure::Values(_) | Failure::Chart(_) | Failure::Usage(_) => 2,
            Failure::Pki(errors) if errors.iter().all(PkiError::is_usage) => 2,
            Failure::Manifest(ManifestError::File(_)) => 1,
            Failure::Manifest(_) => 2,
            Failure::Cluster(_)
            | Failure::Apply(_)
            | Failure::Agent(_)
            | Failure::Etcd(_)
            | Failure::Defragment(_)
            | Failure::Pki(_)
            | Failure::Unready(_)
            | Failure::Reported
            | Failure::Other(_) => 1,
            Failure::Diff(failure) => failure.exit_code().max(2),
            Failure::Interrupted(_, code) => *code,
        }
    }

    pub fn is_broken_pipe(&self) -> bool {
        let Failure::Other(error) = self else {
            return false;
        };
        error
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    }

    pub fn print(&self) -> io::Result<()> {
        match self {
            Failure::Values(problems) => report(problems),
            Failure::Other(error) => {
                writeln!(io::stderr(), "error: {}", readable(&format!("{error:#}")))
            }
            Failure::Apply(error) => print_to_stderr(|out| print_apply_error(error, out)),
            Failure::Agent(AgentError::Apply(error)) => {
                print_to_stderr(|out| print_bootstrap_error(error, out))
            }
            Failure::Pki(errors) => {
                for error in errors {
                    writeln!(io::stderr(), "error: {}", readable(&error.to_string()))?;
                }
                Ok(())
            }
            Failure::Unready(unready) => print_to_stderr(|out| print_unready(unready, out)),
            Failure::Reported => Ok(()),
            Failure::Diff(failure) | Failure::Interrupted(failure, _) => failure.print(),
            other => writeln!(io::stderr(), "error: {}", readable(&other.to_string())),
        }
    }
}

/// Prints problems, with the lines that they are about, to stderr.
pub fn report(problems: &[Problem]) -> io::Result<()> {
    print_to_stderr(|out| print_problems(problems, source_text, Style::of_stderr(), out))
}

/// Writes to stderr at once what is printed in parts.
fn print_to_stderr(print: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> io::Result<()> {
    let mut text = Vec::new();
    print(&mut text)?;
    io::stderr().write_all(&text)
}
