//! Errors in the output of templates, and of writing it.

use std::path::PathBuf;

use crate::files::FileError;
use crate::values::Problem;

/// A manifest could not be assembled, selected or written.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// A template's text is not YAML. The problem's origin names the template, line and column.
    #[error("{0}")]
    Syntax(Box<Problem>),
    /// A document is not a Kubernetes object.
    #[error("{origin}: document {document}: {message}")]
    NotAnObject {
        /// The template, line and column: `kubernetes/templates/etcd.yaml:12:1`.
        origin: String,
        /// Its number in the template's stream, from 1.
        document: usize,
        message: String,
    },
    /// Two objects have the same group, kind, namespace and name: the second would overwrite the first.
    #[error("{object} is rendered twice: by {first} and by {second}")]
    Duplicate {
        object: String,
        first: String,
        second: String,
    },
    /// An object is larger than an API server or etcd accepts.
    #[error(
        "{source_name}: {object}: {what} has {size} bytes, more than the {limit} that {by} accepts"
    )]
    TooLarge {
        source_name: String,
        object: String,
        what: &'static str,
        size: usize,
        limit: usize,
        by: &'static str,
    },
    /// A pattern of `--show-only` selects nothing.
    #[error("nothing matches {pattern:?}{}", near.as_ref().map(|near| format!("; did you mean {near:?}?")).unwrap_or_default())]
    NoMatch {
        pattern: String,
        near: Option<String>,
    },
    /// The folder of `--output-dir` has other files.
    #[error("{}: {message}", path.display())]
    OutputDir { path: PathBuf, message: String },
    /// A file or folder could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),
}

impl ManifestError {
    /// The error without its place.
    pub fn reason(&self) -> String {
        match self {
            ManifestError::Syntax(problem) => problem.message.clone(),
            ManifestError::NotAnObject { message, .. } => message.clone(),
            other => other.to_string(),
        }
    }
}
