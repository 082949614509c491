//! Plain lines, for logs and for terminals that can do no more.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::io::Write;

use crate::cluster::{Action, Event, Observer, Stage};
use crate::manifest::Key;

use super::wording::{Line, objects, stage_name};

/// Writes a line for each object that was done, and for whatever else happens.
///
/// Objects of the stage that checks are left out, since each has a line of its own when it is applied; so are objects
/// that were ready before anyone had to wait for them.
pub struct Lines<W: Write> {
    out: RefCell<W>,
    stage: Cell<Option<Stage>>,
    /// Why each object is waited for, as last reported.
    reasons: RefCell<HashMap<Key, String>>,
}

impl<W: Write> Lines<W> {
    pub fn new(out: W) -> Lines<W> {
        Lines {
            out: RefCell::new(out),
            stage: Cell::default(),
            reasons: RefCell::default(),
        }
    }

    fn begin(&self, stage: Stage, count: usize) {
        self.stage.set(Some(stage));
        if count > 0 {
            let line = format!("{}: {}", stage_name(stage), objects(count));
            write_line(&self.out, &line);
        }
    }

    fn is_news(&self, event: &Event<'_>) -> bool {
        let mut reasons = self.reasons.borrow_mut();
        match event {
            Event::Object { key, action } => {
                let was_waited_for = reasons.remove(*key).is_some();
                match action {
                    Action::Checked => self.stage.get() != Some(Stage::Check),
                    Action::Ready => was_waited_for,
                    _ => true,
                }
            }
            Event::Waiting { key, reason } => {
                let last = reasons.insert((*key).clone(), (*reason).to_owned());
                last.as_deref() != Some(*reason)
            }
            _ => true,
        }
    }
}

impl<W: Write> Observer for Lines<W> {
    fn observe(&self, event: &Event<'_>) {
        if let Event::Stage { stage, count } = event {
            self.begin(*stage, *count);
        }
        if !self.is_news(event) {
            return;
        }
        if let Some(Line { word, text }) = Line::of(event) {
            write_line(&self.out, &format!("{word:<11} {text}"));
        }
    }
}

/// Writes a whole line at once, so that lines of several processes do not mix. The work goes on where nobody reads.
pub fn write_line<W: Write>(out: &RefCell<W>, line: &str) {
    let mut out = out.borrow_mut();
    let _ = out
        .write_all(format!("{line}\n").as_bytes())
        .and_then(|()| out.flush());
}
