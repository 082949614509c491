//! Errors of loading and rendering charts.

use std::error::Error as _;
use std::io;
use std::path::PathBuf;

use minijinja::ErrorKind;

/// A chart could not be loaded or rendered.
#[derive(Debug, thiserror::Error)]
pub enum ChartError {
    /// A template failed: a value does not exist or cannot be written at its place, or `fail()` was called.
    #[error("{template}:{line}: {message}")]
    Template {
        /// The template's path: `kubernetes/templates/etcd.yaml`.
        template: String,
        /// Its line, from 1; 0 if it is not known.
        line: usize,
        message: String,
    },
    /// A chart of this name does not exist.
    #[error("there is no chart {0:?}; the charts are {charts}", charts = super::NAMES.join(", "))]
    UnknownChart(String),
    /// The folder of `--chart-dir` cannot be read.
    #[error("{}: {source}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    /// The folder of `--chart-dir` has a file that no chart would use.
    #[error("{}: {message}", path.display())]
    Misplaced { path: PathBuf, message: String },
}

impl From<minijinja::Error> for ChartError {
    /// Names the innermost place: where a macro or an included file failed, not where it was called.
    fn from(error: minijinja::Error) -> Self {
        let mut innermost = &error;
        while let Some(source) = innermost
            .source()
            .and_then(|source| source.downcast_ref::<minijinja::Error>())
        {
            innermost = source;
        }
        ChartError::Template {
            template: innermost.name().unwrap_or("template").to_owned(),
            line: innermost.line().unwrap_or(0),
            message: message(innermost),
        }
    }
}

fn message(error: &minijinja::Error) -> String {
    let kind = error.kind();
    match (kind, error.detail()) {
        // These details are complete.
        (ErrorKind::InvalidOperation | ErrorKind::UndefinedError, Some(detail)) => {
            detail.to_owned()
        }
        (_, Some(detail)) => format!("{kind}: {detail}"),
        (_, None) => match expression(error) {
            Some(expression) => format!("{kind}: {expression}"),
            None => kind.to_string(),
        },
    }
}

/// The expression of the template that failed, as it is written there.
fn expression(error: &minijinja::Error) -> Option<&str> {
    let expression = error.template_source()?.get(error.range()?)?.trim();
    (!expression.is_empty() && !expression.contains('\n')).then_some(expression)
}
