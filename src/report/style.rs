//! Colour, or none.

use std::io;

use annotate_snippets::Renderer;
use anstream::stream::RawStream;
use anstream::{AutoStream, ColorChoice};

/// Whether a person's terminal gets colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    Plain,
    Coloured,
}

impl Style {
    /// What `--color` says of stderr; else colour at a terminal that has it (`TERM` is not `dumb`), unless `NO_COLOR`
    /// (no-color.org) or `CLICOLOR=0` take it away, and elsewhere where `CLICOLOR_FORCE` (bixense.com/clicolors) asks.
    pub fn of_stderr() -> Style {
        Style::of(&io::stderr())
    }

    /// The same for stdout.
    pub fn of_stdout() -> Style {
        Style::of(&io::stdout())
    }

    fn of(stream: &impl RawStream) -> Style {
        match AutoStream::choice(stream) {
            ColorChoice::Never => Style::Plain,
            _ => Style::Coloured,
        }
    }

    pub(super) fn renderer(self) -> Renderer {
        match self {
            Style::Plain => Renderer::plain(),
            Style::Coloured => Renderer::styled(),
        }
    }
}
