//! What the boot server is told.

use std::thread;
use std::time::Duration;

use crate::support::scripted::{Scripted, send};
use crate::support::{Release, run};

#[test]
fn a_text_arrives_as_one_word() {
    let release = Release::new();
    let server = Scripted::start(release.web(""), |_, _| false);
    run([
        "report",
        &server.url("failed"),
        "no disk: 100% full & \"broken\" +\nü",
    ])
    .is_good();
    run(["report", &server.url("failed?mac=02"), "a=b#c"]).is_good();
    let first = "/failed?said=no%20disk%3A%20100%25%20full%20%26%20%22broken%22%20%2B%0A%C3%BC";
    assert_eq!(server.paths(), [first, "/failed?mac=02&said=a%3Db%23c"]);
}

#[test]
fn a_long_text_is_cut() {
    let release = Release::new();
    let server = Scripted::start(release.web(""), |_, _| false);
    run(["report", &server.url("failed"), &"x".repeat(100_000)]).is_good();
    assert_eq!(
        server.paths(),
        [format!("/failed?said={}", "x".repeat(1000))]
    );
}

#[test]
fn a_report_that_does_not_arrive_is_a_network_failure() {
    run(["report", "http://127.0.0.1:9/failed", "text"])
        .is_bad(13, &["http://127.0.0.1:9/failed", "refuses"]);
    run(["report", "failed", "text"]).is_bad(2, &["failed"]);
}

#[test]
fn a_silent_server_does_not_hold_the_machine() {
    let release = Release::new();
    let server = Scripted::start(release.web(""), |_, stream| {
        send(stream, b"HTTP/1.1 200 OK\r\n");
        thread::sleep(Duration::from_secs(30));
        true
    });
    run(["report", &server.url("failed"), "text"])
        .is_bad(13, &["no answer from the server in 5 s"]);
}

#[test]
fn a_report_changes_neither_code_nor_last_words() {
    let release = Release::new();
    let finished = release.load(&[
        "--tries",
        "1",
        "--report",
        "http://127.0.0.1:9/failed",
        "http://127.0.0.1:9/image",
    ]);
    finished.is_bad(13, &["the manifest of the image cannot be loaded"]);
    assert!(
        finished
            .said
            .contains("this could not be reported: http://127.0.0.1:9/failed"),
        "{}",
        finished.said
    );
}

#[test]
fn success_reports_nothing() {
    let release = Release::new();
    let server = Scripted::start(release.web(""), |_, _| false);
    release.is_loaded(&release.load(&["--report", &server.url("failed"), &server.url("image")]));
    assert!(
        !server
            .paths()
            .iter()
            .any(|path| path.starts_with("/failed"))
    );
}

#[test]
fn each_tenth_is_told_once_and_the_end_for_certain() {
    let release = Release::new();
    let server = Scripted::start(release.web(""), |_, _| false);
    let progress = server.url("report?mac=02");
    release.is_loaded(&release.load(&["--progress", &progress, &server.url("image")]));
    let paths = server.paths();
    let told: Vec<u32> = paths
        .iter()
        .filter_map(|path| path.strip_prefix("/report?mac=02&percent=")?.parse().ok())
        .collect();
    assert_eq!(told.iter().filter(|percent| **percent == 100).count(), 1);
    let mut others: Vec<u32> = told.into_iter().filter(|percent| *percent < 100).collect();
    others.sort_unstable();
    let count = others.len();
    others.dedup();
    assert_eq!(others.len(), count, "{paths:?}");
    assert!(others.iter().all(|percent| percent % 10 == 0), "{paths:?}");
}

#[test]
fn an_image_comes_although_nobody_hears_how_much_of_it() {
    let release = Release::new();
    let server = Scripted::start(release.web(""), |_, _| false);
    let nobody = [
        "--progress",
        "http://127.0.0.1:9/report",
        &server.url("image"),
    ];
    release.is_loaded(&release.load(&nobody));
}
