//! Bars, for terminals.

use std::cell::{Cell, RefCell};
use std::io::Write;
use std::time::{Duration, Instant};

use indexmap::IndexMap;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cluster::{Action, Event, Observer, Stage};
use crate::manifest::Key;
use crate::report::harmless::printable;

use super::lines::write_line;
use super::tally::Tally;
use super::wording::{Line, stage_name};

/// So many slow objects have a line; of more there is only the number.
const SLOW_LINES: usize = 8;
const TICK: Duration = Duration::from_millis(100);

/// A bar for the stage under way and, below it, a line for each object that is waited for. Everything else is printed
/// above them and stays.
pub struct Bars<W: Write> {
    screen: MultiProgress,
    /// The same terminal, to end the last line.
    out: RefCell<W>,
    /// Whether the cursor is behind a printed line: `screen` fills lines with spaces and does not end them.
    is_line_open: Cell<bool>,
    running: RefCell<Option<Running>>,
    slow: RefCell<Slow>,
}

/// The stage under way.
struct Running {
    name: &'static str,
    tally: Tally,
    since: Instant,
    bar: ProgressBar,
}

/// The objects that are waited for.
#[derive(Default)]
struct Slow {
    /// Why, the longest wait first.
    reasons: IndexMap<Key, String>,
    lines: Vec<ProgressBar>,
}

impl<W: Write> Bars<W> {
    /// Bars on a terminal, which `target` draws on and `out` writes to.
    pub fn new(target: ProgressDrawTarget, out: W) -> Bars<W> {
        Bars {
            screen: MultiProgress::with_draw_target(target),
            out: RefCell::new(out),
            is_line_open: Cell::new(false),
            running: RefCell::default(),
            slow: RefCell::default(),
        }
    }

    /// Prints a line above the bars. Nothing can be done about a terminal that is gone.
    fn print(&self, line: &str) {
        let _ = self.screen.println(line);
        let has_bars = self.running.borrow().is_some() || !self.slow.borrow().lines.is_empty();
        self.is_line_open.set(!has_bars);
    }

    fn print_event(&self, event: &Event<'_>) {
        if let Some(line) = Line::of(event) {
            self.print(&line.sentence());
        }
    }

    fn begin(&self, stage: Stage, count: usize) {
        self.end(true);
        self.is_line_open.set(false);
        let bar = self.screen.add(ProgressBar::new(count as u64));
        bar.set_style(style(
            "{prefix:<14} {bar:24} {pos}/{len}  {elapsed}  {wide_msg}",
        ));
        bar.set_prefix(stage_name(stage));
        bar.enable_steady_tick(TICK);
        *self.running.borrow_mut() = Some(Running {
            name: stage_name(stage),
            tally: Tally::new(stage, count),
            since: Instant::now(),
            bar,
        });
    }

    /// Puts a line that stays in place of the stage's bar. A stage that others come after has not failed, whatever was
    /// left out of it.
    fn end(&self, has_next: bool) {
        self.forget_slow();
        let Some(stage) = self.running.take() else {
            return;
        };
        stage.bar.finish_and_clear();
        self.screen.remove(&stage.bar);
        if stage.tally.is_empty() {
            return;
        }
        let mark = if stage.tally.is_incomplete() && !has_next {
            '✗'
        } else {
            '✓'
        };
        let (name, summary) = (stage.name, stage.tally.summary());
        let seconds = stage.since.elapsed().as_secs_f64();
        self.print(&format!("{mark} {name:<14} {summary}  {seconds:.1} s"));
    }

    /// Counts what the stage is for. Anything else that was done has a line, as has what is left behind.
    fn done(&self, key: &Key, action: &Action) -> bool {
        let mut running = self.running.borrow_mut();
        let is_counted = running.as_mut().is_some_and(|stage| {
            let is_counted = stage.tally.add(action);
            stage.bar.set_position(stage.tally.total() as u64);
            is_counted
        });
        drop(running);
        if self.slow.borrow_mut().reasons.shift_remove(key).is_some() {
            self.show_slow();
        }
        match action {
            Action::Kept(_) => true,
            Action::Ready => false,
            _ => !is_counted,
        }
    }

    fn wait(&self, key: &Key, reason: &str) {
        let reason = printable(reason);
        self.slow.borrow_mut().reasons.insert(key.clone(), reason);
        self.is_line_open.set(false);
        self.show_slow();
    }

    fn forget_slow(&self) {
        let mut slow = self.slow.borrow_mut();
        slow.reasons.clear();
        slow.show(&self.screen);
    }

    fn show_slow(&self) {
        let mut slow = self.slow.borrow_mut();
        slow.show(&self.screen);
        if let Some(stage) = self.running.borrow().as_ref() {
            let message = match slow.reasons.len().saturating_sub(SLOW_LINES) {
                0 => String::new(),
                more => format!("{more} more to wait for"),
            };
            stage.bar.set_message(message);
        }
    }
}

impl Slow {
    /// Makes the lines those of the objects that are waited for longest.
    fn show(&mut self, screen: &MultiProgress) {
        let count = self.reasons.len().min(SLOW_LINES);
        for line in self.lines.drain(count.min(self.lines.len())..) {
            line.finish_and_clear();
            screen.remove(&line);
        }
        while self.lines.len() < count {
            let line = screen.add(ProgressBar::new_spinner());
            line.set_style(style("  {spinner} {wide_msg}"));
            line.enable_steady_tick(TICK);
            self.lines.push(line);
        }
        for (line, (key, reason)) in self.lines.iter().zip(&self.reasons) {
            line.set_message(format!("{}  {reason}", printable(&key.to_string())));
        }
    }
}

impl<W: Write> Observer for Bars<W> {
    fn observe(&self, event: &Event<'_>) {
        match event {
            Event::Stage { stage, count } => self.begin(*stage, *count),
            Event::Waiting { key, reason } => self.wait(key, reason),
            Event::Object { key, action } => {
                if self.done(key, action) {
                    self.print_event(event);
                }
            }
            Event::Warning { .. } | Event::Held { .. } | Event::Taken { .. } | Event::Note(_) => {
                self.print_event(event);
            }
        }
    }
}

impl<W: Write> Drop for Bars<W> {
    fn drop(&mut self) {
        self.end(false);
        if self.is_line_open.get() {
            // Without it a shell's prompt could overwrite the line.
            write_line(&self.out, "");
        }
    }
}

/// The style of a template; a test holds that ours are right.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
