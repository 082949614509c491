//! Faults on the way: connections that are cut, stall, or bring something else.

use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use crate::support::scripted::{Request, Scripted, partial, send};
use crate::support::{CHUNK, Release};

/// A server for the release whose answers to requests for the image are scripted.
fn serve(
    release: &Release,
    script: impl Fn(&Request, &mut TcpStream, &[u8]) -> bool + Send + Sync + 'static,
) -> Scripted {
    let image = release.image.clone();
    Scripted::start(release.web(""), move |request, stream| {
        request.path == "/image" && script(request, stream, &image)
    })
}

#[test]
fn a_cut_connection_goes_on_from_the_first_missing_chunk() {
    let release = Release::new();
    let server = serve(&release, |request, stream, image| {
        partial(stream, image, request.start.unwrap_or(0), CHUNK + 1000);
        true
    });
    // A try may bring no chunk once; each of these brings one.
    let finished = release.load(&["--tries", "1", &server.url("image")]);
    release.is_loaded(&finished);
    assert_eq!(server.starts("/image"), [0, CHUNK, 2 * CHUNK]);
    assert_eq!(
        finished.said.matches("the connection was cut").count(),
        2,
        "{}",
        finished.said
    );
}

#[test]
fn a_connection_that_is_always_cut_ends_it() {
    let release = Release::new();
    let server = serve(&release, |request, stream, image| {
        partial(stream, image, request.start.unwrap_or(0), 1000);
        true
    });
    let finished = release.load(&["--tries", "3", &server.url("image")]);
    finished.is_bad(
        13,
        &[
            "the image cannot be loaded: ",
            &server.url("image"),
            "the connection was cut",
        ],
    );
    assert_eq!(server.starts("/image"), [0, 0, 0]);
    release.is_not_loaded();
}

#[test]
fn a_stall_is_noticed() {
    let release = Release::new();
    let server = serve(&release, |request, stream, image| {
        if request.earlier == 0 {
            partial(stream, image, 0, CHUNK + 10);
            thread::sleep(Duration::from_secs(30));
        }
        request.earlier == 0
    });
    let finished = release.load(&["--test-stall-ms", "3000", &server.url("image")]);
    release.is_loaded(&finished);
    assert!(
        finished
            .said
            .contains("nothing came from the server for 3 s"),
        "{}",
        finished.said
    );
    assert_eq!(server.starts("/image").get(1), Some(&CHUNK));
}

#[test]
fn a_server_that_says_nothing_is_given_up() {
    let release = Release::new();
    let server = Scripted::start(release.web(""), |_, _| {
        thread::sleep(Duration::from_secs(30));
        true
    });
    let finished = release.load(&[
        "--tries",
        "2",
        "--test-stall-ms",
        "300",
        &server.url("image"),
    ]);
    finished.is_bad(
        13,
        &[
            "the manifest of the image cannot be loaded: ",
            "nothing came from the server for 0.3 s",
        ],
    );
}

#[test]
fn a_server_without_ranges_cannot_go_on() {
    let release = Release::new();
    let server = serve(&release, |request, stream, image| {
        partial(
            stream,
            image,
            0,
            if request.earlier == 0 {
                CHUNK + 1
            } else {
                usize::MAX
            },
        );
        true
    });
    let finished = release.load(&["--tries", "2", &server.url("image")]);
    finished.is_bad(13, &["ignores the header Range"]);
    assert_eq!(server.starts("/image"), [0, CHUNK, CHUNK]);
}

#[test]
fn another_range_than_the_wanted_is_not_taken() {
    let release = Release::new();
    let server = serve(&release, |request, stream, image| {
        if request.earlier == 0 {
            partial(stream, image, 0, CHUNK + 1);
        } else {
            partial(stream, image, CHUNK - 1, usize::MAX);
        }
        true
    });
    release
        .load(&["--tries", "1", &server.url("image")])
        .is_bad(13, &["ignores the header Range"]);
}

#[test]
fn a_wrong_chunk_is_fetched_again() {
    let release = Release::new();
    let server = serve(&release, |request, stream, image| {
        let mut image = image.to_vec();
        image[CHUNK] ^= u8::from(request.earlier < 2);
        partial(stream, &image, request.start.unwrap_or(0), usize::MAX);
        true
    });
    release.is_loaded(&release.load(&[&server.url("image")]));
    assert_eq!(server.starts("/image"), [0, CHUNK, CHUNK]);
}

#[test]
fn three_wrong_deliveries_from_each_source_end_it() {
    let release = Release::new();
    let wrong = |request: &Request, stream: &mut TcpStream, image: &[u8]| {
        let mut image = image.to_vec();
        image[0] ^= 1;
        partial(stream, &image, request.start.unwrap_or(0), usize::MAX);
        true
    };
    let (one, two) = (serve(&release, wrong), serve(&release, wrong));
    let finished = release.load(&[&one.url("image"), &two.url("image")]);
    finished.is_bad(12, &["chunk 1 of 3 (0 to 4 MiB) is WRONG"]);
    assert_eq!(
        (one.starts("/image").len(), two.starts("/image").len()),
        (3, 3)
    );
}

#[test]
fn wrong_deliveries_of_other_chunks_do_not_add_up() {
    let release = Release::new();
    let server = serve(&release, |request, stream, image| {
        let mut image = image.to_vec();
        // Each chunk is right with its third delivery.
        image[(request.earlier / 2).min(2) * CHUNK] ^= u8::from(request.earlier < 6);
        partial(stream, &image, request.start.unwrap_or(0), usize::MAX);
        true
    });
    release.is_loaded(&release.load(&[&server.url("image")]));
    assert_eq!(
        server.starts("/image"),
        [0, 0, 0, CHUNK, CHUNK, 2 * CHUNK, 2 * CHUNK]
    );
}

#[test]
fn what_comes_after_the_image_is_not_waited_for() {
    let release = Release::new();
    let server = serve(&release, |_, stream, image| {
        send(
            stream,
            b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
        );
        send(stream, image);
        send(stream, b"more");
        thread::sleep(Duration::from_secs(30));
        true
    });
    let finished = release.load(&["--tries", "1", &server.url("image")]);
    release.is_loaded(&finished);
}

#[test]
fn an_image_without_a_length_may_be_short() {
    let release = Release::new();
    let server = serve(&release, |_, stream, image| {
        send(stream, b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
        send(stream, &image[..100]);
        true
    });
    let finished = release.load(&["--tries", "1", &server.url("image")]);
    finished.is_bad(
        12,
        &["the image is SHORT: it has 100 bytes, signed are 8400953"],
    );
}

#[test]
fn other_answers_are_named() {
    for (answer, words) in [
        (
            "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n",
            "HTTP status 503",
        ),
        (
            "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n",
            "HTTP status 302",
        ),
        (
            "HTTP/1.1 206 Partial\r\nContent-Length: 1\r\n\r\nx",
            "ignores the header Range",
        ),
        ("SSH-2.0-OpenSSH_10.0\r\n", ""),
        ("\0\u{1}\u{7f}\r\n\r\n", ""),
        ("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", ""),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            "",
        ),
        ("", "the connection was cut"),
    ] {
        let release = Release::new();
        let server = serve(&release, move |_, stream, _| {
            send(stream, answer.as_bytes());
            true
        });
        let finished = release.load(&["--tries", "1", &server.url("image")]);
        finished.is_bad(13, &["the image cannot be loaded: ", words]);
    }
}
