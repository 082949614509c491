//! The signed configuration: loaded whole and right, or refused with the right words.

use std::fs;
use std::path::PathBuf;

use crate::support::nginx::Nginx;
use crate::support::{Finished, Release, finish, program, run};

const SUM: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// An archive that is signed with the key of a release, as `configuration` in its web folder.
struct Signed {
    release: Release,
}

impl Signed {
    fn new() -> Self {
        let release = Release::new();
        fs::write(release.path("archive"), "070701 and so on\n\n\n").expect("written");
        let signed = Self { release };
        signed.sign("key").is_good();
        signed
    }

    fn sign(&self, key: &str) -> Finished {
        let release = &self.release;
        let mut command = program();
        command.args([
            "sign-configuration",
            "--name",
            "abc",
            "--test-time",
            "1796076000",
        ]);
        command.arg("--key").arg(release.path(key));
        let image = release.web("image.manifest");
        command
            .arg("--image")
            .arg(format!("x86_64={}", image.display()));
        command.arg("--output").arg(release.web("configuration"));
        finish(command.arg(release.path("archive")))
    }

    fn load(&self, sources: &[String]) -> Finished {
        let release = &self.release;
        let mut command = program();
        command
            .arg("configuration")
            .arg("--key")
            .arg(release.path("key.pub"));
        command.arg("--header").arg(self.header());
        command.arg("--output").arg(release.output());
        finish(command.args(["--test-longest-pause-ms", "1"]).args(sources))
    }

    fn header(&self) -> PathBuf {
        self.release.path("header")
    }

    #[track_caller]
    fn is_refused(&self, server: &Nginx, code: i32, words: &[&str]) {
        let finished = self.load(&[server.url("configuration")]);
        finished.is_bad(code, words);
        assert!(!self.release.output().exists() && !self.header().exists());
    }
}

#[test]
fn a_configuration_is_loaded_with_its_header() {
    let signed = Signed::new();
    let Some(server) = Nginx::start(signed.release.folder.path(), "web") else {
        return;
    };
    // The first source has none.
    let finished = signed.load(&[server.url("none"), server.url("configuration")]);
    finished.is_good();
    let said = &finished.said;
    assert!(
        said.contains("the configuration is MISSING on the server"),
        "{said}"
    );
    assert!(
        said.contains("the signature of the configuration is right: abc"),
        "{said}"
    );
    let archive = fs::read(signed.release.path("archive")).expect("an archive");
    assert_eq!(fs::read(signed.release.output()).expect("loaded"), archive);
    let header = fs::read_to_string(signed.header()).expect("a header");
    assert!(header.contains("\nsigned 1796076000\n"), "{header}");
    // One that was loaded already.
    let file = signed.release.web("configuration").display().to_string();
    signed.load(&["--file".to_owned(), file]).is_good();
    // What it says of the image is what an image is checked with.
    let pinned = header
        .lines()
        .find_map(|line| line.strip_prefix("image x86_64 "));
    let pinned = pinned.expect("an image");
    let image = server.url("image");
    let finished = signed.release.load(&["--manifest", pinned, &image]);
    signed.release.is_loaded(&finished);
    signed.release.sign("key", 8);
    signed.release.load(&["--manifest", pinned, &image]).is_bad(
        15,
        &[
            "the image is ANOTHER ONE than the signed configuration names",
            &image,
        ],
    );
    signed
        .release
        .load(&["--manifest", SUM, &image])
        .is_bad(15, &["named 0000000000000000..."]);
}

#[test]
fn a_missing_configuration_is_not_a_wrong_one() {
    let signed = Signed::new();
    let Some(server) = Nginx::start(signed.release.folder.path(), "web") else {
        return;
    };
    fs::remove_file(signed.release.web("configuration")).expect("removed");
    let words = [
        "the configuration is MISSING on the server",
        "/configuration",
    ];
    signed.is_refused(&server, 10, &words);
}

#[test]
fn an_edited_configuration_is_refused() {
    let signed = Signed::new();
    let Some(server) = Nginx::start(signed.release.folder.path(), "web") else {
        return;
    };
    let length = fs::read(signed.release.web("configuration"))
        .expect("read")
        .len();
    signed
        .release
        .change("configuration", |bytes| bytes[length - 5] ^= 1);
    let words = ["the configuration is WRONG: SHA-256 got ", ", signed "];
    signed.is_refused(&server, 11, &words);
    signed.sign("key").is_good();
    // A digit of the time.
    signed.release.change("configuration", |bytes| {
        let start = bytes.windows(8).position(|found| found == b"\nsigned ");
        bytes[start.expect("a time") + 9] ^= 1;
    });
    signed.is_refused(
        &server,
        11,
        &["the signature of the configuration is WRONG"],
    );
    signed.sign("key").is_good();
    signed
        .release
        .change("configuration", |bytes| bytes.truncate(length - 1));
    signed.is_refused(&server, 12, &["the configuration is SHORT"]);
    signed
        .release
        .change("configuration", |bytes| bytes.truncate(64));
    signed.is_refused(
        &server,
        11,
        &["the configuration is WRONG: it has no header"],
    );
    signed
        .release
        .change("configuration", |bytes| bytes.truncate(63));
    signed.is_refused(&server, 11, &["it is shorter than a signature"]);
}

#[test]
fn another_key_is_refused() {
    let signed = Signed::new();
    let Some(server) = Nginx::start(signed.release.folder.path(), "web") else {
        return;
    };
    run(["key".as_ref(), signed.release.path("other").as_os_str()]).is_good();
    signed.sign("other").is_good();
    let words = ["the signature of the configuration is WRONG: not made for it by the key "];
    signed.is_refused(&server, 11, &words);
}
