use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;

use indicatif::{ProgressDrawTarget, TermLike};

mod bars;

use super::*;
use crate::cluster::{Action, FieldConflict, Stage};
use crate::manifest::Key;

/// What was written, and how often it was flushed.
#[derive(Clone, Default)]
struct Memory(Rc<RefCell<(Vec<u8>, usize)>>);

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.borrow_mut().1 += 1;
        Ok(())
    }
}

impl Memory {
    fn text(&self) -> String {
        String::from_utf8(self.0.borrow().0.clone()).unwrap()
    }
}

/// A pipe, or a terminal, that was closed.
#[derive(Debug)]
struct Closed;

impl Write for Closed {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Err(io::ErrorKind::BrokenPipe.into())
    }
}

impl TermLike for Closed {
    fn width(&self) -> u16 {
        80
    }
    fn move_cursor_up(&self, _: usize) -> io::Result<()> {
        Err(io::ErrorKind::BrokenPipe.into())
    }
    fn move_cursor_down(&self, _: usize) -> io::Result<()> {
        Err(io::ErrorKind::BrokenPipe.into())
    }
    fn move_cursor_right(&self, _: usize) -> io::Result<()> {
        Err(io::ErrorKind::BrokenPipe.into())
    }
    fn move_cursor_left(&self, _: usize) -> io::Result<()> {
        Err(io::ErrorKind::BrokenPipe.into())
    }
    fn write_line(&self, _: &str) -> io::Result<()> {
        Err(io::ErrorKind::BrokenPipe.into())
    }
    fn write_str(&self, _: &str) -> io::Result<()> {
        Err(io::ErrorKind::BrokenPipe.into())
    }
    fn clear_line(&self) -> io::Result<()> {
        Err(io::ErrorKind::BrokenPipe.into())
    }
    fn flush(&self) -> io::Result<()> {
        Err(io::ErrorKind::BrokenPipe.into())
    }
}

fn key(group: &str, kind: &str, namespace: &str, name: &str) -> Key {
    Key {
        group: group.to_owned(),
        kind: kind.to_owned(),
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    }
}

fn etcd() -> Key {
    key("apps", "StatefulSet", "farm", "etcd")
}

fn reader() -> Key {
    key("rbac.authorization.k8s.io", "ClusterRole", "", "reader")
}

fn stage(observer: &dyn Observer, stage: Stage, count: usize) {
    observer.observe(&Event::Stage { stage, count });
}

fn done(observer: &dyn Observer, key: &Key, action: Action) {
    observer.observe(&Event::Object { key, action });
}

fn wait(observer: &dyn Observer, key: &Key, reason: &str) {
    observer.observe(&Event::Waiting { key, reason });
}

/// One of everything that can happen.
fn everything(observer: &dyn Observer) {
    let conflicts = [FieldConflict {
        field: ".spec.replicas".to_owned(),
        manager: "helm".to_owned(),
    }];
    let key = &etcd();
    stage(observer, Stage::Check, 2);
    done(observer, key, Action::Checked);
    observer.observe(&Event::Held { holder: "ci-7" });
    stage(observer, Stage::Wave("RBAC"), 1);
    done(observer, &reader(), Action::Unchanged);
    let conflicts = &conflicts;
    observer.observe(&Event::Taken { key, conflicts });
    let text = "old";
    observer.observe(&Event::Warning { key, text });
    stage(observer, Stage::Prune, 1);
    done(observer, key, Action::Kept("it holds data"));
    stage(observer, Stage::Delete, 0);
    stage(observer, Stage::Wait, 1);
    wait(observer, key, "2 of 3 pods ready");
    wait(observer, key, "2 of 3 pods ready");
    done(observer, key, Action::Ready);
    observer.observe(&Event::Note("no node yet"));
}

#[test]
fn lines_are_aligned_and_leave_out_what_says_nothing() {
    let out = Memory::default();
    everything(&Lines::new(out.clone()));
    let expected = "\
check: 2 objects
waiting     ci-7 is working on this farm; waiting for it
RBAC: 1 object
unchanged   ClusterRole reader
taken       StatefulSet farm/etcd: .spec.replicas from helm
warning     StatefulSet farm/etcd: old
prune: 1 object
kept        StatefulSet farm/etcd: it holds data
wait: 1 object
waiting     StatefulSet farm/etcd: 2 of 3 pods ready
ready       StatefulSet farm/etcd
note        no node yet
";
    assert_eq!(out.text(), expected);
}

#[test]
fn a_reason_is_told_again_when_it_changes_and_readiness_only_after_a_wait() {
    let out = Memory::default();
    let lines = Lines::new(out.clone());
    done(&lines, &etcd(), Action::Ready);
    for reason in ["none", "one", "one", "none"] {
        wait(&lines, &etcd(), reason);
    }
    let told: Vec<String> = out.text().lines().map(str::to_owned).collect();
    let expected =
        ["none", "one", "none"].map(|reason| format!("waiting     {}: {reason}", etcd()));
    assert_eq!(told, expected);
}

#[test]
fn json_is_the_documented_format_a_flushed_line_an_event() {
    let out = Memory::default();
    everything(&JsonLines::new(out.clone()));
    let etcd = r#"{"group":"apps","kind":"StatefulSet","namespace":"farm","name":"etcd"}"#;
    let reader = r#"{"group":"rbac.authorization.k8s.io","kind":"ClusterRole","namespace":"","name":"reader"}"#;
    let waiting = format!(r#"{{"event":"waiting","object":{etcd},"reason":"2 of 3 pods ready"}}"#);
    let expected = [
        r#"{"event":"stage","stage":"check","count":2}"#.to_owned(),
        format!(r#"{{"event":"object","action":"checked","object":{etcd}}}"#),
        r#"{"event":"held","holder":"ci-7"}"#.to_owned(),
        r#"{"event":"stage","stage":"wave","name":"RBAC","count":1}"#.to_owned(),
        format!(r#"{{"event":"object","action":"unchanged","object":{reader}}}"#),
        format!(
            r#"{{"event":"taken","object":{etcd},"conflicts":[{{"field":".spec.replicas","manager":"helm"}}]}}"#
        ),
        format!(r#"{{"event":"warning","object":{etcd},"text":"old"}}"#),
        r#"{"event":"stage","stage":"prune","count":1}"#.to_owned(),
        format!(r#"{{"event":"object","action":"kept","reason":"it holds data","object":{etcd}}}"#),
        r#"{"event":"stage","stage":"delete","count":0}"#.to_owned(),
        r#"{"event":"stage","stage":"wait","count":1}"#.to_owned(),
        waiting.clone(),
        waiting,
        format!(r#"{{"event":"object","action":"ready","object":{etcd}}}"#),
        r#"{"event":"note","text":"no node yet"}"#.to_owned(),
    ];
    assert_eq!(out.text().lines().collect::<Vec<_>>(), expected);
    assert_eq!(out.0.borrow().1, expected.len());
}

#[test]
fn quiet_tells_warnings_only() {
    let out = Memory::default();
    everything(&Quiet::new(out.clone()));
    assert_eq!(out.text(), "warning: StatefulSet farm/etcd: old\n");
}

const HOSTILE: &str = "a\n\u{1b}[2J\u{9b}1A\u{202e}b";
const ESCAPED: &str = "a\\n\\u{1b}[2J\\u{9b}1A\\u{202e}b";

#[test]
fn texts_from_the_server_move_no_cursor() {
    let note = Event::Note(HOSTILE);
    let out = Memory::default();
    Lines::new(out.clone()).observe(&note);
    assert_eq!(out.text(), format!("note        {ESCAPED}\n"));
}

#[test]
fn json_keeps_the_values_of_texts_that_it_escapes() {
    let out = Memory::default();
    let note = format!("{HOSTILE}\u{2028}");
    JsonLines::new(out.clone()).observe(&Event::Note(&note));
    let text = out.text();
    let line = text.strip_suffix('\n').unwrap();
    assert!(line.is_ascii(), "{line}");
    let value: serde_json::Value = serde_json::from_str(line).unwrap();
    assert_eq!(value["text"], note);
}

#[test]
fn nobody_reading_is_no_reason_to_stop() {
    everything(&Lines::new(Closed));
    everything(&JsonLines::new(Closed));
    everything(&Quiet::new(Closed));
    everything(&Bars::new(
        ProgressDrawTarget::term_like(Box::new(Closed)),
        Closed,
    ));
}

#[test]
fn json_goes_before_quiet_and_quiet_before_the_terminal() {
    let json = Some(Output::Json);
    assert_eq!(
        ProgressFormat::for_terminal(json, true, true),
        ProgressFormat::Json
    );
    assert_eq!(
        ProgressFormat::for_terminal(None, true, true),
        ProgressFormat::Quiet
    );
    assert_eq!(
        ProgressFormat::for_terminal(None, false, true),
        ProgressFormat::Bars
    );
    assert_eq!(
        ProgressFormat::for_terminal(None, false, false),
        ProgressFormat::Lines
    );
}

#[test]
fn objects_of_a_dry_run_have_lines_outside_of_the_check() {
    let out = Memory::default();
    let lines = Lines::new(out.clone());
    done(&lines, &etcd(), Action::Checked);
    stage(&lines, Stage::Check, 1);
    done(&lines, &reader(), Action::Checked);
    done(&lines, &reader(), Action::Created);
    let expected =
        "checked     StatefulSet farm/etcd\ncheck: 1 object\ncreated     ClusterRole reader\n";
    assert_eq!(out.text(), expected);
}
