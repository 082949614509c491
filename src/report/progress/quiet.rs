//! Warnings only.

use std::cell::RefCell;
use std::io::Write;

use crate::cluster::{Event, Observer};

use super::lines::write_line;
use super::wording::Line;

/// Writes a line for each warning.
pub struct Quiet<W: Write> {
    out: RefCell<W>,
}

impl<W: Write> Quiet<W> {
    pub fn new(out: W) -> Quiet<W> {
        Quiet {
            out: RefCell::new(out),
        }
    }
}

impl<W: Write> Observer for Quiet<W> {
    fn observe(&self, event: &Event<'_>) {
        if let (Event::Warning { .. }, Some(line)) = (event, Line::of(event)) {
            write_line(&self.out, &line.sentence());
        }
    }
}
