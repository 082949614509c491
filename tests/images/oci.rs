//! `images/oci.py`: layouts and archives, byte for byte.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{json as read_json, python, write};
use crate::support::{run, run_with_stdin};

const NAME: &str = "ghcr.io/kubefarm/boot:v0.1.0";

/// So many files that a folder does not have them in order by chance.
const MANY: std::ops::Range<u8> = 0..50;

/// Two layers: a root of its own, and a file that came in a tar.
struct Layers {
    folder: tempfile::TempDir,
}

impl Layers {
    fn new() -> Layers {
        let folder = tempfile::tempdir().expect("a folder");
        let layers = Layers { folder };
        write(&layers.root(), &[("etc/motd", "hello\n"), ("bin/a", "a")]);
        write(&layers.path("packed"), &[("etc/motd", "good day\n")]);
        layers
    }

    fn write_many(&self, numbers: impl Iterator<Item = u8>) {
        for number in numbers {
            write(&self.root(), &[(&format!("bin/{number}"), "")]);
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn root(&self) -> PathBuf {
        self.path("root")
    }

    /// Packs the second layer as `tar` does with certain options, and returns the archive's path.
    fn packed(&self, flag: &str) -> PathBuf {
        let archive = self.path("packed.tar");
        let mut tar = Command::new("tar");
        tar.args(["--create", flag, "--mtime=@7", "--file"]);
        tar.arg(&archive).arg("-C").arg(self.path("packed"));
        run(tar.arg("etc/motd")).success();
        archive
    }
}

fn sha256(content: &[u8]) -> String {
    let digest = Sha256::digest(content);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The file that a descriptor names, once its size and checksum are right.
fn blob(layout: &Path, descriptor: &Value) -> Vec<u8> {
    let digest = descriptor["digest"].as_str().expect("a digest");
    let name = digest.strip_prefix("sha256:").expect("an algorithm");
    let content = fs::read(layout.join("blobs/sha256").join(name)).expect("a blob");
    assert_eq!(sha256(&content), name);
    assert_eq!(descriptor["size"], content.len());
    content
}

fn blob_json(layout: &Path, descriptor: &Value) -> Value {
    serde_json::from_slice(&blob(layout, descriptor)).expect("JSON")
}

/// What `tar` lists of a packed layer; a star after the mode says that a file has extended attributes.
fn listed(packed: &[u8]) -> String {
    let mut tar = Command::new("tar");
    tar.args(["--list", "--verbose", "--gzip", "--numeric-owner", "--utc"]);
    run_with_stdin(tar.args(["--xattrs", "--xattrs-include=*"]), packed).success()
}

/// Every file below a folder with its content.
fn content(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(content(&path))
        } else {
            drop(found.insert(path.clone(), fs::read(path).expect("a file")))
        }
    }
    found
}

/// As `content`, named from the folder.
fn content_inside(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let inside = |path: PathBuf| path.strip_prefix(folder).expect("inside").to_owned();
    let files = content(folder).into_iter();
    files.map(|(path, text)| (inside(path), text)).collect()
}

#[test]
fn every_digest_and_size_is_right() {
    let layers = Layers::new();
    let Some(mut oci) = python("oci.py") else {
        return;
    };
    oci.args(["--name", NAME, "--output"])
        .arg(layers.path("out"));
    oci.arg(layers.root()).arg(layers.packed("--gzip"));
    let printed = run(&mut oci).success();

    let layout = layers.path("out/layout");
    let index = read_json(&layout.join("index.json"));
    let descriptor = &index["manifests"][0];
    assert_eq!(Some(printed.trim()), descriptor["digest"].as_str());
    let manifest = blob_json(&layout, descriptor);
    let config = blob_json(&layout, &manifest["config"]);
    let plain = config["rootfs"]["diff_ids"].as_array().expect("a list");
    assert_eq!(plain.len(), 2);
    for (position, plain) in plain.iter().enumerate() {
        let packed = blob(&layout, &manifest["layers"][position]);
        let mut gzip = Command::new("sh");
        gzip.args(["-c", "gzip -d | sha256sum"]);
        let sum = run_with_stdin(&mut gzip, packed).success();
        assert_eq!(
            plain.as_str(),
            Some(format!("sha256:{}", &sum[..64]).as_str())
        );
    }
    assert_eq!(
        descriptor["annotations"],
        json!({"io.containerd.image.name": NAME, "org.opencontainers.image.ref.name": "v0.1.0"})
    );
    assert_eq!(
        read_json(&layout.join("oci-layout")),
        json!({"imageLayoutVersion": "1.0.0"})
    );
}

/// Another time, folder, umask, language and time zone, and files that are written in another order.
#[test]
fn the_same_inputs_give_the_same_bytes() {
    let build = |layers: &Layers, shell: &str, flag: &str| {
        let mut command = Command::new("sh");
        command.args(["-c", &format!("{shell}; exec \"$0\" \"$@\"")]);
        let oci = python("oci.py")?;
        command.arg(oci.get_program()).args(oci.get_args());
        command.args(["--name", NAME, "--owner=0:0", "--output"]);
        command.arg(layers.path("out"));
        command.arg(layers.root()).arg(layers.packed(flag));
        command.env("SOURCE_DATE_EPOCH", "1767225600");
        let digest = run(&mut command).success();
        Some((digest, content_inside(&layers.path("out"))))
    };
    let one = Layers::new();
    one.write_many(MANY);
    let Some(one) = build(&one, "umask 022", "--gzip") else {
        return;
    };
    let other = Layers::new();
    other.write_many(MANY.rev());
    let two = build(
        &other,
        "umask 077; export LC_ALL=C.UTF-8 TZ=Asia/Tokyo; cd /",
        "--xz",
    );
    assert_eq!(Some(&one), two.as_ref());
    write(&other.root(), &[("bin/a", "b")]);
    assert_ne!(Some(one.0), build(&other, ":", "--xz").map(|built| built.0));
}

#[test]
fn a_layer_keeps_modes_times_and_capabilities_and_has_no_newer_file() {
    let layers = Layers::new();
    let Some(mut oci) = python("oci.py") else {
        return;
    };
    layers.write_many(MANY);
    let file = layers.root().join("bin/a");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o750)).expect("set");
    let motd = fs::File::create(layers.root().join("etc/motd"));
    let older = std::time::UNIX_EPOCH + std::time::Duration::from_secs(60);
    motd.and_then(|file| file.set_modified(older)).expect("set");
    let mut setcap = Command::new("setcap");
    let capable = setcap.arg("cap_net_bind_service=ep").arg(&file).output();
    // Only root may give rights.
    let capable = capable.is_ok_and(|output| output.status.success());
    oci.args(["--name", NAME, "--owner=7:8", "--output"])
        .arg(layers.path("out"));
    oci.arg(layers.root()).env("SOURCE_DATE_EPOCH", "86400");
    run(&mut oci).success();

    let layout = layers.path("out/layout");
    let index = read_json(&layout.join("index.json"));
    let manifest = blob_json(&layout, &index["manifests"][0]);
    let layer = blob(&layout, &manifest["layers"][0]);
    let list = listed(&layer);
    let line = list.lines().find(|line| line.ends_with(" bin/a"));
    let words: Vec<&str> = line.expect("it is there").split_whitespace().collect();
    assert_eq!(words[0].get(..10), Some("-rwxr-x---"), "{list}");
    assert_eq!(words[1..4], ["7/8", "1", "1970-01-02"], "{list}");
    assert_eq!(words[0].ends_with('*'), capable, "{list}");
    assert!(list.ends_with(" 0 1970-01-01 00:01 etc/motd\n"), "{list}");
    let names = list.lines().filter_map(|line| line.split(' ').next_back());
    let names: Vec<&str> = names.collect();
    assert!(names.is_sorted() && names.contains(&"bin/"), "{list}");
    assert_eq!(names.len(), MANY.count() + 4);
}

/// `docker load` and old versions of `ctr` read the one, all others the other.
#[test]
fn the_archive_has_the_layout_and_what_docker_reads() {
    let layers = Layers::new();
    let Some(mut oci) = python("oci.py") else {
        return;
    };
    oci.args(["--name", NAME, "--output"])
        .arg(layers.path("out"));
    run(oci.arg(layers.root())).success();

    let unpacked = layers.path("unpacked");
    fs::create_dir(&unpacked).expect("made");
    let mut tar = Command::new("tar");
    tar.arg("--extract")
        .arg("--file")
        .arg(layers.path("out/boot.tar"));
    run(tar.arg("-C").arg(&unpacked)).success();
    let docker = read_json(&unpacked.join("manifest.json"));
    fs::remove_file(unpacked.join("manifest.json")).expect("removed");
    let layout = layers.path("out/layout");
    assert_eq!(content_inside(&unpacked), content_inside(&layout));

    let index = read_json(&layout.join("index.json"));
    let manifest = blob_json(&layout, &index["manifests"][0]);
    let path = |descriptor: &Value| {
        let digest = descriptor["digest"].as_str().expect("a digest");
        format!("blobs/{}", digest.replace(':', "/"))
    };
    assert_eq!(
        docker,
        json!([{
            "Config": path(&manifest["config"]),
            "RepoTags": [NAME],
            "Layers": [path(&manifest["layers"][0])],
        }])
    );
}

#[test]
fn options_stand_above_the_file_with_the_configuration() {
    let layers = Layers::new();
    let Some(mut oci) = python("oci.py") else {
        return;
    };
    let file = r#"{"User": "1", "Env": ["A=1", "B=2"], "ExposedPorts": {"80/tcp": {}}, "Labels": {"x": "y"}}"#;
    write(layers.folder.path(), &[("config.json", file)]);
    oci.args(["--name", NAME, "--level=0", "--user=65532:65532"]);
    oci.args(["--cmd", r#"["sleep", "infinity"]"#, "--env=B=3=4"]);
    oci.args(["--description=It boots.", "--licenses=Apache-2.0"]);
    oci.args(["--revision=abc", "--label=z=1", "--architecture=arm64"]);
    oci.arg("--config").arg(layers.path("config.json"));
    oci.arg("--output").arg(layers.path("out"));
    run(oci.arg(layers.root())).success();

    let layout = layers.path("out/layout");
    let index = read_json(&layout.join("index.json"));
    assert_eq!(
        index["manifests"][0]["platform"],
        json!({"architecture": "arm64", "os": "linux"})
    );
    let manifest = blob_json(&layout, &index["manifests"][0]);
    let media = &manifest["layers"][0]["mediaType"];
    assert_eq!(media, "application/vnd.oci.image.layer.v1.tar");
    let config = blob_json(&layout, &manifest["config"])["config"].take();
    assert_eq!(config["User"], "65532:65532");
    assert_eq!(config["Cmd"], json!(["sleep", "infinity"]));
    assert_eq!(config["ExposedPorts"], json!({"80/tcp": {}}));
    let path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    assert_eq!(config["Env"], json!([path, "A=1", "B=3=4"]));
    let named = json!({
        "org.opencontainers.image.created": "1970-01-01T00:00:00Z",
        "org.opencontainers.image.description": "It boots.",
        "org.opencontainers.image.licenses": "Apache-2.0",
        "org.opencontainers.image.revision": "abc",
        "org.opencontainers.image.source": "https://github.com/kubefarm/kubefarm",
        "org.opencontainers.image.title": "boot",
        "org.opencontainers.image.version": "v0.1.0",
    });
    assert_eq!(manifest["annotations"], named);
    let mut labels = named;
    labels["x"] = "y".into();
    labels["z"] = "1".into();
    assert_eq!(config["Labels"], labels);
}

#[test]
fn what_cannot_be_built_is_said_and_leaves_what_was_there() {
    let layers = Layers::new();
    let root = layers.root();
    write(&layers.path("out/layout"), &[("precious", "")]);
    fs::create_dir(layers.path("empty")).expect("made");
    fs::write(layers.path("broken.gz"), [0x1f, 0x8b, 0, 0]).expect("written");
    let try_it = |name: &str, output: &str, layer: &Path, said: &[&str]| {
        let Some(mut oci) = python("oci.py") else {
            return;
        };
        oci.args(["--name", name, "--output"])
            .arg(layers.path(output));
        let finished = run(oci.arg(layer));
        assert_ne!(finished.code(), 0);
        finished.failed(finished.code(), said);
        assert!(
            !finished.stderr.contains("Traceback"),
            "{}",
            finished.stderr
        );
    };
    try_it("kubefarm/boot", "a", &root, &["kubefarm/boot: has no tag"]);
    let no_layout = &["out/layout: is there and is not an OCI layout"];
    try_it(NAME, "out", &root, no_layout);
    try_it(NAME, "a", &layers.path("empty"), &["empty: is empty"]);
    try_it(
        NAME,
        "a",
        &layers.path("nothing"),
        &["No such file", "nothing"],
    );
    let broken = &["gzip failed on", "broken.gz"];
    try_it(NAME, "a", &layers.path("broken.gz"), broken);
    assert!(layers.path("out/layout/precious").exists());
    assert!(!layers.path("a/layout").exists() && !layers.path("a/boot.tar").exists());
}
