//! Keys and signatures, beside OpenSSL.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::support::{CHUNK, KERNEL, Release, external, finish, run};

/// The program, if it is there.
fn openssl() -> Option<Command> {
    external("openssl", "openssl").map(Command::new)
}

fn text(release: &Release, name: &str) -> String {
    fs::read_to_string(release.path(name)).expect("a file")
}

#[test]
fn openssl_reads_our_keys() {
    let release = Release::new();
    let Some(mut private) = openssl() else { return };
    let printed = finish(
        private
            .args(["pkey", "-pubout", "-in"])
            .arg(release.path("key")),
    );
    printed.is_good();
    assert_eq!(printed.out, text(&release, "key.pub"));
    let Some(mut public) = openssl() else { return };
    let printed = finish(
        public
            .args(["pkey", "-pubin", "-pubout", "-in"])
            .arg(release.path("key.pub")),
    );
    printed.is_good();
    assert_eq!(printed.out, text(&release, "key.pub"));
}

#[test]
fn our_private_keys_are_as_openssl_writes_them() {
    let release = Release::new();
    let Some(mut openssl) = openssl() else { return };
    let printed = finish(openssl.args(["pkey", "-in"]).arg(release.path("key")));
    assert_eq!(printed.out, text(&release, "key"));
}

#[test]
fn openssl_keys_sign_here() {
    let release = Release::new();
    let Some(mut make) = openssl() else { return };
    let own = release.path("own");
    finish(
        make.args(["genpkey", "-algorithm", "ed25519", "-out"])
            .arg(&own),
    )
    .is_good();
    let Some(mut public) = openssl() else { return };
    let expected = finish(public.args(["pkey", "-pubout", "-in"]).arg(&own)).out;
    let printed = run(["public".as_ref(), own.as_os_str()]);
    printed.is_good();
    assert_eq!(printed.out, expected);
    release.sign("own", 7);
    fs::write(release.path("own.pub"), expected).expect("written");
    verify(&release, "own.pub", true);
    verify(&release, "key.pub", false);
}

#[test]
fn openssl_verifies_our_signatures() {
    let release = Release::new();
    assert_eq!(
        fs::read(release.web("image.manifest.sig"))
            .expect("a signature")
            .len(),
        64
    );
    verify(&release, "key.pub", true);
    release.change("image.manifest", |bytes| bytes[20] ^= 1);
    verify(&release, "key.pub", false);
}

fn verify(release: &Release, key: &str, right: bool) {
    let Some(mut openssl) = openssl() else { return };
    openssl
        .args(["pkeyutl", "-verify", "-rawin", "-pubin", "-inkey"])
        .arg(release.path(key));
    openssl
        .arg("-in")
        .arg(release.web("image.manifest"))
        .arg("-sigfile")
        .arg(release.web("image.manifest.sig"));
    assert_eq!(finish(&mut openssl).code == Some(0), right);
}

#[test]
fn a_key_is_secret_and_never_replaced() {
    let release = Release::new();
    let mode = |name| {
        fs::metadata(release.path(name))
            .expect("a file")
            .permissions()
            .mode()
            & 0o777
    };
    assert_eq!(mode("key"), 0o600);
    let before = (text(&release, "key"), text(&release, "key.pub"));
    let again = || run(["key".as_ref(), release.path("key").as_os_str()]);
    again().is_bad(16, &["/key.pub", "never replaced"]);
    assert_eq!((text(&release, "key"), text(&release, "key.pub")), before);
    fs::remove_file(release.path("key.pub")).expect("removed");
    again().is_bad(16, &["/key:", "never replaced"]);
    assert_eq!(text(&release, "key"), before.0);
    assert!(!release.path("key.pub").exists());
}

#[test]
fn two_keys_differ() {
    assert_ne!(text(&Release::new(), "key"), text(&Release::new(), "key"));
}

#[test]
fn what_is_no_key_is_named() {
    let release = Release::new();
    let public = |name: &str| run(["public".as_ref(), release.path(name).as_os_str()]);
    public("none").is_bad(2, &["cannot read", "/none", "No such file"]);
    public("key.pub").is_bad(2, &["/key.pub", "no PEM private key"]);
    let Some(mut openssl) = openssl() else { return };
    let other = release.path("p256");
    openssl
        .args([
            "genpkey",
            "-algorithm",
            "EC",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-out",
        ])
        .arg(&other);
    finish(&mut openssl).is_good();
    public("p256").is_bad(2, &["/p256", "no ed25519 private key"]);
}

#[test]
fn public_keys_are_checked_before_anything_is_fetched() {
    let release = Release::new();
    let load = |name: &str| {
        let key = release.path(name);
        release.load(&[
            "--key",
            key.to_str().expect("UTF-8"),
            "http://127.0.0.1:9/image",
        ])
    };
    load("none").is_bad(2, &["cannot read", "/none"]);
    load("key").is_bad(2, &["/key: it holds no PEM public key"]);
    let Some(mut openssl) = openssl() else { return };
    openssl
        .args(["genpkey", "-algorithm", "x25519", "-out"])
        .arg(release.path("other"));
    finish(&mut openssl).is_good();
    let Some(mut openssl) = self::openssl() else {
        return;
    };
    openssl
        .args(["pkey", "-pubout", "-in"])
        .arg(release.path("other"))
        .arg("-out")
        .arg(release.path("other.pub"));
    finish(&mut openssl).is_good();
    load("other.pub").is_bad(2, &["/other.pub: a key in it is not an ed25519 key"]);
}

#[test]
fn a_manifest_is_the_same_each_time() {
    let release = Release::new();
    let files = || {
        (
            release.manifest(),
            fs::read(release.web("image.manifest.sig")).expect("a signature"),
        )
    };
    let before = files();
    release.sign("key", 7);
    assert_eq!(files(), before);
    let size = 2 * CHUNK + 12_345;
    let start = format!(
        "kubefarm-image 1\nversion 7\nkernel {KERNEL}\nsize {size}\nchunk 4194304\nsha256 "
    );
    assert!(before.0.starts_with(&start), "{}", before.0);
    assert_eq!(before.0.lines().count(), 8);
}

#[test]
fn sums_are_those_of_openssl() {
    let release = Release::new();
    let last = release.path("last");
    fs::write(&last, &release.image[2 * CHUNK..]).expect("written");
    let Some(mut openssl) = openssl() else { return };
    let printed = finish(openssl.args(["dgst", "-sha256", "-r"]).arg(&last)).out;
    let sum = printed.split(' ').next().expect("a sum");
    assert!(release.manifest().ends_with(&format!("\nsha256 {sum}\n")));
}

#[test]
fn what_cannot_be_signed_is_named() {
    let release = Release::new();
    let sign = |image: &str| {
        let (key, image) = (release.path("key"), release.path(image));
        let arguments =
            ["sign", "--version", "1", "--kernel", "k", "--key"].map(std::ffi::OsString::from);
        run(arguments.into_iter().chain([key.into(), image.into()]))
    };
    sign("none").is_bad(2, &["cannot read", "/none"]);
    fs::write(release.path("empty"), "").expect("written");
    sign("empty").is_bad(2, &["/empty cannot be signed", "size 0"]);
    assert!(!release.path("empty.manifest").exists());
    fs::write(release.path("one"), "1").expect("written");
    fs::create_dir(release.path("one.manifest")).expect("a folder");
    sign("one").is_bad(16, &["cannot write", "/one.manifest"]);
}
