//! The screen of a terminal with bars.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use indicatif::{InMemoryTerm, ProgressDrawTarget, TermLike};

use super::{ESCAPED, HOSTILE, done, etcd, everything, key, reader, stage, wait};
use crate::cluster::{Action, Event, Observer, Stage};
use crate::manifest::Key;
use crate::report::progress::bars::Bars;

/// Writes to the terminal as a program does: its driver turns newlines into the two characters.
struct Tty(InMemoryTerm);

impl Write for Tty {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes).replace('\n', "\r\n");
        self.0.write_str(&text)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn bars_on(term: &InMemoryTerm) -> Bars<Tty> {
    let target = ProgressDrawTarget::term_like(Box::new(term.clone()));
    Bars::new(target, Tty(term.clone()))
}

/// A bar's numbers change on the screen with its next tick.
fn wait_for(term: &InMemoryTerm, text: &str) {
    let since = Instant::now();
    while !term.contents().contains(text) {
        let screen = term.contents();
        assert!(
            since.elapsed() < Duration::from_secs(10),
            "{text} in {screen}"
        );
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The line of the screen that starts so, without what takes a different time each time.
fn line_of<'a>(screen: &'a str, start: &str) -> &'a str {
    let found = screen.lines().find(|line| line.starts_with(start));
    let line = found.unwrap_or_else(|| panic!("no {start:?} in:\n{screen}"));
    line.rsplit_once("  ").map_or(line, |(line, _)| line)
}

#[test]
fn a_finished_stage_leaves_a_line_and_no_bar() {
    let term = InMemoryTerm::new(12, 80);
    let bars = bars_on(&term);
    stage(&bars, Stage::Wave("RBAC"), 3);
    for action in [Action::Unchanged, Action::Created] {
        done(&bars, &etcd(), action);
    }
    wait_for(&term, "2/3");
    done(&bars, &reader(), Action::Created);
    // Whoever got ready was counted when it was created.
    done(&bars, &reader(), Action::Ready);
    stage(&bars, Stage::Wave("PKI"), 1);
    let screen = term.contents();
    assert_eq!(
        line_of(&screen, "✓ RBAC"),
        "✓ RBAC           3 objects: 2 created, 1 unchanged"
    );
    assert!(!screen.contains("/3"), "{screen}");
    wait_for(&term, "0/1");
    drop(bars);
    let screen = term.contents();
    assert_eq!(line_of(&screen, "✗ PKI"), "✗ PKI            0 of 1 object");
    assert!(!screen.contains("0/1"), "{screen}");
}

#[test]
fn a_slow_object_has_a_line_until_it_is_ready() {
    let term = InMemoryTerm::new(12, 80);
    let bars = bars_on(&term);
    stage(&bars, Stage::Wait, 2);
    wait(&bars, &etcd(), "2 of 3 pods ready");
    wait(&bars, &reader(), "odd");
    let screen = term.contents();
    assert!(
        screen.contains("StatefulSet farm/etcd  2 of 3 pods ready"),
        "{screen}"
    );
    done(&bars, &etcd(), Action::Ready);
    let screen = term.contents();
    assert!(
        !screen.contains("farm/etcd") && screen.contains("ClusterRole reader  odd"),
        "{screen}"
    );
    wait_for(&term, "1/2");
    done(&bars, &reader(), Action::Ready);
    drop(bars);
    let screen = term.contents();
    assert_eq!(
        line_of(&screen, "✓ wait"),
        "✓ wait           2 objects: 2 ready"
    );
    assert_eq!(screen.lines().count(), 1, "{screen}");
}

#[test]
fn of_many_slow_objects_the_last_are_a_number() {
    let term = InMemoryTerm::new(20, 100);
    let bars = bars_on(&term);
    let pods: Vec<Key> = (0..11)
        .map(|n| key("", "Pod", "farm", &format!("p{n}.")))
        .collect();
    stage(&bars, Stage::Wait, pods.len());
    for pod in &pods {
        wait(&bars, pod, "pending");
    }
    let shown = |screen: &str| screen.matches("pending").count();
    let screen = term.contents();
    assert_eq!(shown(&screen), 8, "{screen}");
    assert!(screen.contains("3 more to wait for"), "{screen}");
    for pod in &pods[..3] {
        done(&bars, pod, Action::Ready);
    }
    let screen = term.contents();
    assert_eq!(shown(&screen), 8, "{screen}");
    assert!(
        screen.contains("p10.") && !screen.contains("more to"),
        "{screen}"
    );
    done(&bars, &pods[5], Action::Ready);
    assert_eq!(shown(&term.contents()), 7);
}

#[test]
fn what_is_printed_stands_above_the_bars_and_stays() {
    let term = InMemoryTerm::new(30, 80);
    let bars = bars_on(&term);
    everything(&bars);
    drop(bars);
    let screen = term.contents();
    let printed: Vec<&str> = screen.lines().filter(|line| line.contains(": ")).collect();
    let expected = [
        "waiting: ci-7 is working on this farm; waiting for it",
        "✓ check          1 of 2 objects: 1 checked",
        "taken: StatefulSet farm/etcd: .spec.replicas from helm",
        "warning: StatefulSet farm/etcd: old",
        "✓ RBAC           1 object: 1 unchanged",
        "kept: StatefulSet farm/etcd: it holds data",
        "✓ prune          1 object: 1 kept",
        "note: no node yet",
        "✓ wait           1 object: 1 ready",
    ];
    assert_eq!(printed.len(), expected.len(), "{screen}");
    for (line, expected) in printed.iter().zip(expected) {
        assert!(line.starts_with(expected), "{line} is not {expected}");
    }
    assert_eq!(screen.lines().count(), printed.len(), "{screen}");
}

#[test]
fn texts_from_the_server_move_no_cursor() {
    let term = InMemoryTerm::new(10, 80);
    let bars = bars_on(&term);
    stage(&bars, Stage::Wait, 1);
    wait(&bars, &etcd(), HOSTILE);
    bars.observe(&Event::Note(HOSTILE));
    let screen = term.contents();
    assert!(screen.contains(&format!("note: {ESCAPED}")), "{screen}");
    assert!(
        screen.contains(&format!("farm/etcd  {ESCAPED}")),
        "{screen}"
    );
}

#[test]
fn what_a_stage_is_not_for_has_a_line() {
    let term = InMemoryTerm::new(12, 80);
    let bars = bars_on(&term);
    done(&bars, &etcd(), Action::Checked);
    stage(&bars, Stage::Check, 1);
    done(&bars, &reader(), Action::Checked);
    done(&bars, &reader(), Action::Created);
    done(&bars, &reader(), Action::Kept("it holds data"));
    drop(bars);
    let screen = term.contents();
    let lines: Vec<&str> = screen.lines().collect();
    let expected = [
        "checked: StatefulSet farm/etcd",
        "created: ClusterRole reader",
        "kept: ClusterRole reader: it holds data",
    ];
    assert_eq!(lines[..3], expected, "{screen}");
    assert!(
        lines[3].starts_with("✓ check          1 object: 1 checked  "),
        "{screen}"
    );
    assert_eq!(lines.len(), 4, "{screen}");
}

#[test]
fn a_prompt_overwrites_nothing_and_no_empty_line_is_left() {
    let after = |tell: &dyn Fn(&dyn Observer)| {
        let term = InMemoryTerm::new(12, 80);
        let bars = bars_on(&term);
        tell(&bars);
        drop(bars);
        term.write_str("\r$ ls").unwrap();
        let screen = term.contents();
        screen.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(after(&|_| ()), ["$ ls"]);
    assert_eq!(
        after(&|bars| bars.observe(&Event::Note("a"))),
        ["note: a", "$ ls"]
    );
    let with_stage = after(&|bars| {
        stage(bars, Stage::Wave("RBAC"), 1);
        done(bars, &reader(), Action::Created);
    });
    assert!(with_stage[0].starts_with("✓ RBAC"), "{with_stage:?}");
    assert_eq!(with_stage[1..], ["$ ls"]);
    let with_nothing_to_do = after(&|bars| {
        bars.observe(&Event::Note("a"));
        stage(bars, Stage::Prune, 0);
    });
    assert_eq!(with_nothing_to_do, ["note: a", "$ ls"]);
    let waiting_only = after(&|bars| {
        bars.observe(&Event::Note("a"));
        wait(bars, &etcd(), "pending");
    });
    assert_eq!(waiting_only, ["note: a", "$ ls"]);
}
