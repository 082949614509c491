//! How problems are reported: their place, and the quoted part of a file or a flag.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::cli::assert_refused;
use crate::support::{Finished, kubefarm, kubefarm_command, kubefarm_with_stdin, run};

#[test]
fn what_null_removed_is_missed_at_the_null() {
    let flag = kubefarm(["render", "--set", "kubernetes.apiServer.port=null"]);
    assert_refused(
        &flag,
        &[
            "--set kubernetes.apiServer.port: error: kubernetes.apiServer.port: missing field \"port\" (null removed the default 6443; leave the key out to keep it)",
        ],
    );
    let file = kubefarm_with_stdin(
        ["render", "-f", "-"],
        "pki: {mode: builtin}\nkubernetes: {version: }\n",
    );
    assert_refused(
        &file,
        &[
            "error: kubernetes.version: missing field",
            "--> -:2:21",
            "1 error",
        ],
    );
}

#[test]
fn defaults_that_nothing_removed_are_only_missing() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("ltsp")).expect("made");
    fs::write(folder.path().join("ltsp/values.yaml"), "ltsp: {}\n").expect("written");
    let charts = folder.path().to_str().expect("text");
    let short = kubefarm(["render", "--chart-dir", charts]);
    assert_refused(&short, &["ltsp.image: missing field"]);
    assert!(!short.stderr.contains("null"), "{}", short.stderr);
}

/// What `kubefarm` says of files in a folder of their own.
fn render_in(folder: &Path, args: &[&str]) -> Finished {
    run(kubefarm_command()
        .current_dir(folder)
        .arg("render")
        .args(args))
}

#[test]
fn a_pipe_is_read_once_and_then_only_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let fifo = folder.path().join("fifo");
    let made = Command::new("mkfifo").arg(&fifo).status();
    assert!(made.expect("mkfifo runs").success());
    let mut child = kubefarm_command()
        .current_dir(folder.path())
        .args(["render", "-f", "fifo"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("started");
    fs::write(&fifo, "kubernetes:\n  replicas: 1\n").expect("written");
    let mut waited = 0;
    while child.try_wait().expect("waited").is_none() {
        std::thread::sleep(Duration::from_millis(20));
        waited += 1;
        if waited == 1_000 {
            child.kill().expect("killed");
        }
    }
    let finished = Finished::from(child.wait_with_output().expect("its output"));
    finished.failed(2, &["fifo:2:3: error: kubernetes.replicas: unknown key"]);
}

#[test]
fn a_file_named_as_an_embedded_one_is_shown_itself() {
    let folder = tempfile::tempdir().expect("a folder");
    let charts = folder.path().join("charts/kubernetes");
    fs::create_dir_all(&charts).expect("made");
    fs::write(charts.join("values.yaml"), "kubernetes:\n  replicas: 1\n").expect("written");
    for args in [
        ["-f", "charts/kubernetes/values.yaml"],
        ["--chart-dir", "charts"],
    ] {
        let finished = render_in(folder.path(), &args);
        let place = "--> ./charts/kubernetes/values.yaml:2:3";
        assert_refused(&finished, &[place, "2 |   replicas: 1"]);
    }
    fs::create_dir_all(folder.path().join("short/ltsp")).expect("made");
    fs::write(folder.path().join("short/ltsp/values.yaml"), "ltsp: {}").expect("written");
    let embedded = render_in(folder.path(), &["--chart-dir", "short"]);
    let place = "--> charts/kubernetes/values.yaml:4:1";
    assert_refused(&embedded, &[place, "4 | kubernetes:\n"]);
}

#[test]
fn a_password_in_a_file_is_not_shown() {
    let folder = tempfile::tempdir().expect("a folder");
    let table = [
        (
            "ltsp: {config: {rootPasswd: hunter2}}",
            0,
            "1:29: warning: ltsp.config.rootPasswd",
        ),
        (
            "ltsp: {config: {rootPassword: hunter2}}",
            2,
            "rootPassword: …",
        ),
        (
            "ltsp: {config: {rootPasword: hunter2}}",
            2,
            "rootPasword: …",
        ),
        (
            "ltsp: {config: {rotPaswd: [hunter2]}}",
            2,
            "did you mean \"rootPasswd\"?",
        ),
        (
            "ltsp: {config: {rootPasswd: hunter2}, a: 1}",
            2,
            "1:39: error: ltsp.a: unknown key",
        ),
        (
            "ltsp: {a: 1, config: {rootPasswd: hunter2}}",
            2,
            "ltsp: {a: 1, config: {rootPasswd: …",
        ),
    ];
    for (text, code, part) in table {
        fs::write(folder.path().join("values.yaml"), text).expect("written");
        let finished = render_in(folder.path(), &["-f", "values.yaml"]);
        finished.failed(code, &[part]);
        assert!(!finished.stderr.contains("hunter2"), "{}", finished.stderr);
    }
}

#[test]
fn a_password_in_a_flag_is_not_shown() {
    let folder = tempfile::tempdir().expect("a folder");
    let table = [
        (
            "ltsp.config.rootPasswd=hunter2",
            0,
            "--set ltsp.config.rootPasswd: warning",
        ),
        (
            "ltsp.config.rootPasswd=hunter2,ltsp.foo=1",
            2,
            "--set ltsp.foo: error: ltsp.foo",
        ),
        (
            "ltsp.config.rootPasswd=a,hunter2",
            2,
            "expected KEY=VALUE after the comma",
        ),
        (
            "ltsp.config.rootPassword=hunter2",
            2,
            "--set ltsp.config.rootPassword: error",
        ),
    ];
    for (text, code, part) in table {
        let finished = render_in(folder.path(), &["--set", text]);
        finished.failed(code, &[part]);
        assert!(!finished.stderr.contains("hunter2"), "{}", finished.stderr);
    }
}

#[test]
fn what_a_terminal_would_obey_is_only_shown() {
    let folder = tempfile::tempdir().expect("a folder");
    let name = "a\u{1b}[31m\u{9b}2J.yaml";
    let text = "# \u{9b}31m\nltsp: {replicas: 1, a\u{9b}31m: \"\u{9b}2J\u{202e}\"}\n";
    fs::write(folder.path().join(name), text).expect("written");
    let missing = format!("{name}.no");
    let pki = format!("--pki-dir={name}");
    for args in [
        &["-f", name] as &[&str],
        &["-f", &missing],
        &["-f", "builtin:minimal", "--output-dir", name],
        &["-f", "builtin:builtin-pki", &pki],
    ] {
        let finished = render_in(folder.path(), args);
        assert!(finished.code() > 0 && !finished.stderr.is_empty());
        let obeyed = |character: char| {
            character != '\n' && character.is_control() || character == '\u{202e}'
        };
        let found = finished.stderr.find(obeyed);
        assert!(found.is_none(), "{args:?} {found:?}: {:?}", finished.stderr);
    }
}

#[test]
fn what_is_said_is_short_whatever_was_written() {
    let long = "x".repeat(5_000_000);
    for text in [
        format!("name: {long}\n"),
        format!("{long}: 1\n"),
        format!("kubernetes: {{version: {long}, {long}: 2}}\n"),
        format!("ltsp: {{config: {{extraFiles: {{{long}: {long}}}}}}}\n"),
        format!("nodePools: [{{range: {long}}}]\n"),
        format!("\"{long}\n"),
    ] {
        let finished = kubefarm_with_stdin(["render", "-f", "-"], &text);
        assert_eq!(finished.code(), 2);
        let (start, length) = (&text[..20], finished.stderr.len());
        assert!(length > 20 && length < 5_000, "{start}: {length} bytes");
    }
}

#[test]
fn errors_are_counted_to_the_last() {
    let keys: String = (0..2_000)
        .map(|number| format!("key{number}: 1\n"))
        .collect();
    let finished = kubefarm_with_stdin(["render", "-f", "-"], keys);
    assert_refused(&finished, &["and 1900 more errors\n2000 errors"]);
    let macs = (0..500).map(|number| format!("  - {{name: n{number}, mac: zz}}\n"));
    let nodes = format!("nodePools:\n- nodes:\n{}", macs.collect::<String>());
    let finished = kubefarm_with_stdin(["render", "-f", "-"], nodes);
    assert_refused(&finished, &["and 400 more errors\n500 errors"]);
}
