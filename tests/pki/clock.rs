//! The clocks of the machine and of the API server, as the program reads them.

use std::process::Command;

use crate::pki::FARM;
use crate::pki::folder::Folder;
use crate::pki::in_cluster::Farm;
use crate::support::{Finished, kubefarm_command, program, run};

/// Runs the program under test at another time, such as `+10m`; `None` where that cannot be had.
fn kubefarm_at(time: &str, arguments: &[&str]) -> Option<Finished> {
    let mut command = Command::new(program("faketime", "faketime")?);
    let kubefarm = kubefarm_command();
    command
        .args(["-f", time])
        .arg(kubefarm.get_program())
        .args(arguments)
        .current_dir(crate::support::project());
    Some(run(&mut command))
}

#[test]
fn nothing_is_issued_where_the_clocks_disagree() {
    let Some(farm) = Farm::new("skewed") else {
        return;
    };
    let kubeconfig = farm.site.cluster.kubeconfig().display().to_string();
    let place = ["--kubeconfig", &kubeconfig, "-n", &farm.site.namespace];
    let values: Vec<&str> = FARM
        .split_whitespace()
        .chain(["--set", "pki.mode=builtin"])
        .collect();
    let apply = |time: &str| kubefarm_at(time, &[&["apply"], &place[..], &values].concat());
    let Some(ahead) = apply("+6m") else {
        return;
    };
    assert_eq!(ahead.code(), 1, "{}", ahead.stderr);
    for part in [
        "certificates cannot be issued: this machine's clock says",
        "one of the clocks is wrong",
    ] {
        assert!(ahead.stderr.contains(part), "{}", ahead.stderr);
    }
    assert!(farm.data().is_empty());

    let near = apply("+4m").expect("there");
    assert_eq!(near.code(), 0, "{}", near.stderr);
    let data = farm.data();
    assert_eq!(data.len(), 18);
    // With nothing to issue the clock does not matter.
    let ahead = apply("+6m").expect("there");
    assert_eq!(ahead.code(), 0, "{}", ahead.stderr);
    assert_eq!(farm.data(), data);

    let server = ["--server", "https://localhost:6443", "--user", "jane"];
    let words = [&["kubeconfig", "kubefarm"], &place[..], &server].concat();
    let person = kubefarm_at("+6m", &words).expect("there");
    assert_eq!((person.code(), person.stdout.as_str()), (1, ""));
    assert!(
        person.stderr.contains("certificates cannot be issued"),
        "{}",
        person.stderr
    );
}

#[test]
fn a_folder_is_renewed_in_time() {
    let folder = Folder::of("");
    let dir = folder.path().to_str().expect("UTF-8");
    let at = |time: &str, words: &[&str]| {
        let folder = ["--pki-dir", dir, "--set", "pki.mode=builtin"];
        kubefarm_at(time, &[&["pki"], words, &folder].concat())
    };
    // A third of a year is 121 days and 16 hours.
    let Some(early) = at("+243d", &["init"]) else {
        return;
    };
    assert!(
        early.stderr.contains("19 of them unchanged"),
        "{}",
        early.stderr
    );
    let words = ["pki", "inspect", "--pki-dir", dir, "--check-expiry", "30d"];
    let inspected = kubefarm_at("+340d", &words).expect("there");
    assert_eq!(inspected.code(), 1);
    assert!(inspected.stdout.contains("admin-client"));
    let due = at("+244d", &["init"]).expect("there");
    assert!(due.stderr.contains("5 of them unchanged"), "{}", due.stderr);
    let line = "admin-client is issued: less than a third of its life is left";
    assert!(due.stderr.contains(line), "{}", due.stderr);

    // A clock that is wrong issues nothing.
    let behind = at("-10m", &["init"]).expect("there");
    assert_eq!(behind.code(), 1);
    assert!(
        behind.stderr.contains("one of the clocks is wrong"),
        "{}",
        behind.stderr
    );
    let late = at("+3651d", &["init"]).expect("there");
    assert!(
        late.stderr.contains("cannot be used: it expired at"),
        "{}",
        late.stderr
    );
}
