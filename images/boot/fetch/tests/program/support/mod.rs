//! The program, signed images, and servers.

pub mod nginx;
pub mod scripted;

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

pub const CHUNK: usize = 4 << 20;
pub const KERNEL: &str = "6.12.57+deb13-amd64";

/// How the program ended.
#[derive(Debug)]
pub struct Finished {
    pub code: Option<i32>,
    pub out: String,
    pub said: String,
}

impl Finished {
    /// The last line on standard error.
    pub fn last_words(&self) -> &str {
        self.said.lines().last().unwrap_or_default()
    }

    #[track_caller]
    pub fn is_good(&self) {
        assert_eq!(self.code, Some(0), "{}", self.said);
    }

    /// It failed with this code, and its last words have all of these in them.
    #[track_caller]
    pub fn is_bad(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, Some(code), "{}", self.said);
        let last = self.last_words();
        assert!(last.starts_with("kubefarm: "), "{last}");
        for word in words {
            assert!(last.contains(word), "{word:?} is not in {last:?}");
        }
    }
}

pub fn finish(command: &mut Command) -> Finished {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    Finished {
        code: output.status.code(),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        said: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

pub fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_kubefarm-fetch"))
}

pub fn run<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Finished {
    finish(program().args(arguments))
}

/// Bytes that look like an image: the same each time, and no two chunks alike.
pub fn bytes(length: usize) -> Vec<u8> {
    let mut state = 0x2026_1128_u64;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        bytes.extend_from_slice(&state.to_be_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// A folder with a key, and in `web` an image that is signed with it: version 7, two chunks and a bit.
pub struct Release {
    pub folder: TempDir,
    pub image: Vec<u8>,
}

impl Release {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let release = Self {
            folder,
            image: bytes(2 * CHUNK + 12_345),
        };
        fs::create_dir(release.web("")).expect("a folder");
        run(["key".as_ref(), release.path("key").as_os_str()]).is_good();
        fs::write(release.web("image"), &release.image).expect("written");
        release.sign("key", 7);
        release
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn web(&self, name: &str) -> PathBuf {
        self.path("web").join(name)
    }

    /// Signs the image anew.
    pub fn sign(&self, key: &str, version: u64) {
        let mut command = program();
        command
            .arg("sign")
            .arg("--key")
            .arg(self.path(key))
            .arg("--version")
            .arg(version.to_string());
        finish(command.args(["--kernel", KERNEL]).arg(self.web("image"))).is_good();
    }

    /// Puts a manifest of any text there, with a right signature.
    pub fn sign_text(&self, text: &str) {
        let pem = fs::read(self.path("key")).expect("a key");
        let der = <rustls_pki_types::PrivatePkcs8KeyDer as rustls_pki_types::pem::PemObject>::from_pem_slice(&pem);
        let der = der.expect("PEM");
        let key =
            ring::signature::Ed25519KeyPair::from_pkcs8_maybe_unchecked(der.secret_pkcs8_der())
                .expect("a key");
        fs::write(self.web("image.manifest"), text).expect("written");
        fs::write(self.web("image.manifest.sig"), key.sign(text.as_bytes())).expect("written");
    }

    pub fn manifest(&self) -> String {
        fs::read_to_string(self.web("image.manifest")).expect("a manifest")
    }

    /// Changes one file in place.
    pub fn change(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let mut bytes = fs::read(self.web(name)).expect("a file");
        change(&mut bytes);
        fs::write(self.web(name), bytes).expect("written");
    }

    /// The command that loads the image, without the long pauses of a real boot.
    pub fn loading(&self) -> Command {
        let mut command = program();
        command
            .arg("image")
            .arg("--key")
            .arg(self.path("key.pub"))
            .arg("--output")
            .arg(self.output());
        command.args(["--version", "7", "--test-longest-pause-ms", "1"]);
        command
    }

    pub fn load(&self, arguments: &[&str]) -> Finished {
        finish(self.loading().args(arguments))
    }

    pub fn output(&self) -> PathBuf {
        self.path("loaded")
    }

    /// All of the image is there, and nothing else.
    #[track_caller]
    pub fn is_loaded(&self, finished: &Finished) {
        finished.is_good();
        assert!(
            fs::read(self.output()).is_ok_and(|loaded| loaded == self.image),
            "other bytes"
        );
        assert!(!self.path("loaded.part").exists());
        assert!(
            finished
                .last_words()
                .starts_with("kubefarm: all 3 chunks are right, "),
            "{}",
            finished.said
        );
    }

    /// Nothing is there that could be taken for an image.
    #[track_caller]
    pub fn is_not_loaded(&self) {
        assert!(!self.output().exists());
        assert!(!self.path("loaded.part").exists());
    }
}

/// Finds an external program. Without it, a test is skipped; in CI (the variable `CI` is set) it fails.
pub fn external(name: &str, debian_package: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]);
    let found = folders
        .map(|folder| folder.join(name))
        .find(|candidate: &PathBuf| Path::is_file(candidate));
    if found.is_none() {
        let reason = format!("needs {name} (Debian package {debian_package})");
        assert!(std::env::var_os("CI").is_none(), "{reason}");
        eprintln!(
            "SKIPPED {}: {reason}",
            std::thread::current().name().unwrap_or("a test")
        );
    }
    found
}
