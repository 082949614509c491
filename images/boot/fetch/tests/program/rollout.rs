//! A farm that goes from one release to the next while machines boot.

use std::fs;

use crate::support::Release;
use crate::support::scripted::{Request, Scripted, send};

fn file(bytes: &[u8]) -> Vec<u8> {
    [
        format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", bytes.len()).as_bytes(),
        bytes,
    ]
    .concat()
}

/// Gives `other` for the file's first requests, and then the real one.
fn first(release: &Release, path: &'static str, times: usize, other: Vec<u8>) -> Scripted {
    Scripted::start(release.web(""), move |request: &Request, stream| {
        let is_other = request.path == path && request.earlier < times;
        if is_other {
            send(stream, &other);
        }
        is_other
    })
}

#[test]
fn a_missing_file_may_come() {
    let missing = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_vec();
    for path in ["/image.manifest", "/image.manifest.sig", "/image"] {
        let release = Release::new();
        let server = first(&release, path, 5, missing.clone());
        release.is_loaded(&release.load(&["--tries", "6", &server.url("image")]));
        let server = first(&release, path, 5, missing.clone());
        release
            .load(&["--tries", "5", &server.url("image")])
            .is_bad(10, &["MISSING"]);
    }
}

#[test]
fn a_signature_of_the_last_release_may_be_replaced() {
    let release = Release::new();
    let server = first(&release, "/image.manifest.sig", 2, file(&[0; 64]));
    release.is_loaded(&release.load(&[&server.url("image")]));
}

#[test]
fn a_wrong_signature_is_final_the_third_time() {
    let release = Release::new();
    let server = first(&release, "/image.manifest.sig", 3, file(&[0; 64]));
    release
        .load(&[&server.url("image")])
        .is_bad(11, &["the signature of the image is WRONG"]);
    assert_eq!(server.starts("/image.manifest").len(), 3);
}

#[test]
fn an_older_release_is_final_the_third_time() {
    let release = Release::new();
    release.sign("key", 6);
    let server = Scripted::start(release.web(""), |_, _| false);
    release.load(&[&server.url("image")]).is_bad(15, &["OLDER"]);
    assert_eq!(server.starts("/image.manifest").len(), 3);
}

#[test]
fn wrong_signatures_and_wrong_chunks_do_not_add_up() {
    let release = Release::new();
    let mut wrong = release.image.clone();
    wrong[0] ^= 1;
    let server = Scripted::start(release.web(""), move |request, stream| {
        let answer = match request.path.as_str() {
            "/image.manifest.sig" => file(&[0; 64]),
            "/image" => file(&wrong),
            _ => return false,
        };
        let is_wrong = request.earlier < 2;
        if is_wrong {
            send(stream, &answer);
        }
        is_wrong
    });
    release.is_loaded(&release.load(&[&server.url("image")]));
}

#[test]
fn a_source_with_the_right_release_is_found() {
    let (old, new) = (Release::new(), Release::new());
    // The same key, one version less.
    fs::copy(new.path("key"), old.path("key")).expect("copied");
    old.sign("key", 6);
    let (behind, right) = (
        Scripted::start(old.web(""), |_, _| false),
        Scripted::start(new.web(""), |_, _| false),
    );
    let finished = new.load(&[&behind.url("image"), &right.url("image")]);
    new.is_loaded(&finished);
    assert!(finished.said.contains("OLDER"), "{}", finished.said);
    // The source of the manifest is the first that is asked for the image.
    assert_eq!(behind.paths(), ["/image.manifest", "/image.manifest.sig"]);
}

#[test]
fn a_source_that_is_gone_is_left_for_another() {
    let release = Release::new();
    let server = Scripted::start(release.web(""), |_, _| false);
    let finished = release.load(&["http://127.0.0.1:9/image", &server.url("image")]);
    release.is_loaded(&finished);
    assert!(
        finished.said.contains("refuses the connection"),
        "{}",
        finished.said
    );
}
