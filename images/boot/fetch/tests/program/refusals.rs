//! What ends the program at once or after its tries: no server, no room, no manifest.

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::time::Duration;

use crate::support::scripted::{Scripted, send};
use crate::support::{CHUNK, Release, finish, program, run};

#[test]
fn no_server_is_no_route_no_answer_or_refused() {
    let release = Release::new();
    // TCP to a group of addresses: Linux says at once that the network is unreachable.
    let finished = release.load(&["--tries", "2", "http://224.0.0.1/image"]);
    finished.is_bad(
        13,
        &[
            "http://224.0.0.1/image.manifest",
            "no route to the server (Network is unreachable",
        ],
    );
    let finished = release.load(&["--tries", "2", "http://127.0.0.1:9/image"]);
    finished.is_bad(
        13,
        &[
            "http://127.0.0.1:9/image.manifest",
            "the server refuses the connection",
        ],
    );
    assert!(finished.said.contains("try 1 of 2"), "{}", finished.said);
}

#[test]
fn a_server_that_takes_no_connection_is_given_up() {
    let release = Release::new();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    rustix::net::listen(&listener, 0).expect("listening");
    let address: SocketAddr = listener.local_addr().expect("an address");
    // Once its queue is full, the kernel drops further connections without a word.
    let short = Duration::from_millis(300);
    let queue: Vec<TcpStream> =
        std::iter::from_fn(|| TcpStream::connect_timeout(&address, short).ok())
            .take(10)
            .collect();
    assert!(queue.len() < 10, "the queue is not full");
    let finished = release.load(&[
        "--tries",
        "1",
        "--test-stall-ms",
        "300",
        &format!("http://{address}/image"),
    ]);
    finished.is_bad(13, &["no answer from the server in 0.3 s"]);
}

#[test]
fn too_large_files_are_not_read() {
    for (path, words) in [
        (
            "/image.manifest",
            "the manifest of the image is WRONG: it has more than 4194304 bytes",
        ),
        (
            "/image.manifest.sig",
            "the signature of the image is WRONG: it has more than 64 bytes",
        ),
    ] {
        let release = Release::new();
        let server = Scripted::start(release.web(""), move |request, stream| {
            let is_large = request.path == path;
            if is_large {
                send(stream, b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
                send(stream, &vec![b'x'; 2 * CHUNK]);
            }
            is_large
        });
        release
            .load(&[&server.url("image")])
            .is_bad(11, &[words, &server.url(path.trim_start_matches('/'))]);
    }
}

#[test]
fn a_signed_manifest_is_still_read_strictly() {
    let release = Release::new();
    let server = Scripted::start(release.web(""), |_, _| false);
    let good = release.manifest();
    for (text, words) in [
        (
            good.replacen("image 1", "image 2", 1),
            "its format is \"kubefarm-image 2\"",
        ),
        (
            good.replacen("version 7\n", "", 1),
            "line 2 has to be \"version ...\"",
        ),
        (
            good.replacen("chunk 4194304", "chunk 0", 1),
            "the chunk of 0 bytes is none",
        ),
        (
            good.replacen("size 8400953", "size 1", 1),
            "1 bytes are 1 chunks, and it has the SHA-256 of 3",
        ),
        (String::new(), "its last line is cut"),
    ] {
        release.sign_text(&text);
        let finished = release.load(&[&server.url("image")]);
        finished.is_bad(
            11,
            &[
                "the manifest of the image is WRONG: ",
                words,
                &server.url("image.manifest"),
            ],
        );
    }
}

#[test]
fn too_little_ram_is_said_before_the_image_is_fetched() {
    let release = Release::new();
    let server = Scripted::start(release.web(""), |_, _| false);
    // The largest image there may be: 1 TiB.
    let sums = format!("sha256 {}\n", "0".repeat(64)).repeat(1 << 14);
    release.sign_text(&format!(
        "kubefarm-image 1\nversion 7\nkernel k\nsize {}\nchunk 67108864\n{sums}",
        1_u64 << 40
    ));
    let finished = release.load(&[&server.url("image")]);
    finished.is_bad(
        14,
        &[
            "too little R",
            "the image needs 1048640 MiB (1048576 and 64 to work in)",
            " MiB are ",
        ],
    );
    assert!(server.starts("/image").is_empty());
    release.is_not_loaded();
}

#[test]
fn an_output_that_cannot_be_written_is_named() {
    let release = Release::new();
    let server = Scripted::start(release.web(""), |_, _| false);
    fs::create_dir(release.output()).expect("a folder");
    release
        .load(&[&server.url("image")])
        .is_bad(16, &["cannot write ", "/loaded: "]);
}

#[test]
fn a_stale_output_never_stays() {
    let release = Release::new();
    fs::write(release.output(), "stale").expect("written");
    fs::write(release.path("loaded.part"), vec![0; 3 * CHUNK]).expect("written");
    let server = Scripted::start(release.web(""), |_, _| false);
    release.is_loaded(&release.load(&[&server.url("image")]));
    fs::remove_file(release.web("image")).expect("removed");
    release
        .load(&["--tries", "1", &server.url("image")])
        .is_bad(10, &["MISSING"]);
    release.is_not_loaded();
}

#[test]
fn nobody_has_to_listen() {
    let release = Release::new();
    let server = Scripted::start(release.web(""), |_, _| false);
    let mut shell = Command::new("sh");
    shell
        .args(["-c", "exec \"$@\" 2>/dev/full", "sh"])
        .arg(program().get_program());
    shell
        .args(release.loading().get_args())
        .arg(server.url("image"));
    finish(&mut shell).is_good();
    assert!(release.output().exists());

    // What was asked for has to arrive, though.
    let mut shell = Command::new("sh");
    shell.args(["-c", "exec \"$@\" >/dev/full", "sh"]);
    shell
        .arg(program().get_program())
        .arg("public")
        .arg(release.path("key"));
    finish(&mut shell).is_bad(16, &["cannot write to standard output"]);
}

#[test]
fn no_variable_leads_elsewhere() {
    let release = Release::new();
    let server = Scripted::start(release.web(""), |_, _| false);
    let mut command = release.loading();
    for name in ["http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"] {
        command.env(name, "http://127.0.0.1:9");
    }
    release.is_loaded(&finish(command.arg(server.url("image"))));
}

#[test]
fn help_and_mistakes() {
    let help = run(["--help"]);
    help.is_good();
    assert!(help.out.contains("Exit codes:") && help.said.is_empty());
    assert!(!help.out.contains("test-"));
    assert_eq!(
        run(["--version"]).out,
        concat!("kubefarm-fetch ", env!("CARGO_PKG_VERSION"), "\n")
    );
    run(["image"]).is_bad(2, &["--key is missing", "--help"]);
}
