//! Machines start with no configuration but one that the farm signed, for this image, and lately.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::boot::boot_server::BootServer;
use crate::boot::failures::stops;
use crate::boot::files::{Files, WebServer};
use crate::boot::firmware::Firmware;
use crate::boot::guest::{Guest, LOGIN, Machine};
use crate::boot::{Farm, Seen};
use crate::e2e::release::Release;
use crate::support::run;

/// The file of a configuration.
const SIGNED: &str = "ltsp.img.signed";

/// What is done to a folder with a good configuration, and the words that it ends in.
struct Case {
    name: &'static str,
    spoil: fn(&Files, &Path),
    /// Whether the image is from that folder, too; elsewhere from the boot server.
    has_image: bool,
    words: &'static str,
}

const CASES: [Case; 4] = [
    Case {
        name: "edited",
        // A byte of the archive, which the header is before.
        spoil: |_, folder| Files::flip_byte(&folder.join(SIGNED), 40 << 10),
        has_image: false,
        words: "the configuration is WRONG: SHA-256 got",
    },
    Case {
        name: "another-key",
        spoil: |files, folder| {
            let key = folder.join("key");
            run(Command::new(files.helper()).arg("key").arg(&key)).success();
            sign(files, folder, &key, "another-key", 0);
        },
        has_image: false,
        words: "the signature of the configuration is WRONG",
    },
    Case {
        name: "gone",
        spoil: |_, folder| Files::remove(&folder.join(SIGNED)),
        has_image: false,
        words: "the configuration is MISSING on the server",
    },
    Case {
        name: "swapped",
        // Signed by the right key, and newer than the initrd.
        spoil: |files, folder| files.sign(&folder.join("root.squashfs"), 99990101000000),
        has_image: true,
        words: "the image is ANOTHER ONE than the signed configuration names",
    },
];

/// Each stops with the right words.
pub fn wrong(farm: &mut Farm) -> Seen {
    let cluster = farm.release.cluster;
    let files = Files::new(cluster);
    let server = WebServer::start(cluster);
    let boot_server = BootServer::of(&farm.release);
    for pair in CASES.chunks(2) {
        let mut guests = Vec::new();
        for (case, mac) in pair.iter().zip(["02:00:00:40:02:0a", "02:00:00:40:03:0a"]) {
            let folder = if case.has_image {
                files.copy_release(server.folder(), case.name)
            } else {
                empty(&server, case.name)
            };
            std::fs::write(folder.join(SIGNED), boot_server.signed()).expect("written");
            (case.spoil)(&files, &folder);
            let url = format!("{}/{}", server.url(), case.name);
            let image = if case.has_image {
                format!("{url}/root.squashfs")
            } else {
                boot_server.image_url()
            };
            let firmware = loaded(&boot_server, &files, mac, &url, &image);
            let macs = [mac];
            let machine = Machine::new(case.name, &macs, firmware);
            guests.push((case, Guest::power_on(cluster, &machine)));
        }
        for (case, guest) in &mut guests {
            stops(guest, case.words);
            // The system was not even mounted.
            assert!(!guest.console().contains("initrd-bottom"), "{}", case.name);
        }
    }
    let names: Vec<&str> = CASES.iter().map(|case| case.name).collect();
    format!("{}: right words each", names.join(", "))
}

/// One of last week, which the farm signed: the machine boots, and the join service does not let it in. As the boot server
/// has another one now, the machine starts anew.
pub fn replayed(farm: &mut Farm) -> Seen {
    let cluster = farm.release.cluster;
    let files = Files::new(cluster);
    let server = WebServer::start(cluster);
    let boot_server = BootServer::of(&farm.release);
    let folder = empty(&server, "replayed");
    let key = folder.join("key");
    std::fs::write(&key, farm_key(&farm.release)).expect("written");
    std::fs::write(folder.join("ltsp.img"), boot_server.ltsp_img()).expect("written");
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let week = 7 * 24 * 3600;
    sign(
        &files,
        &folder,
        &key,
        "last-week",
        now.expect("a time").as_secs() - week,
    );
    let mac = "02:00:00:40:02:0a";
    let url = format!("{}/replayed", server.url());
    let image = boot_server.image_url();
    let firmware = loaded(&boot_server, &files, mac, &url, &image);
    let mut guest = Guest::power_on(cluster, &Machine::new("r1n02", &[mac], firmware));
    guest.wait_for(
        "the signature of the configuration is right: last-week",
        LOGIN,
    );
    guest.wait_for("its configuration was signed at ", LOGIN);
    guest.wait_for("more than a day before now, ", LOGIN);
    guest.wait_for("this machine starts anew to load it", LOGIN);
    guest.wait_for_end(LOGIN);
    "refused with both times; it starts anew for the configuration of now".to_owned()
}

/// A folder of the web server beside the farm.
fn empty(server: &WebServer, name: &str) -> PathBuf {
    let folder = server.folder().join(name);
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// What a boot loader would have loaded, with the configuration in a folder of the web server beside the farm.
fn loaded(boot_server: &BootServer, files: &Files, mac: &str, url: &str, image: &str) -> Firmware {
    let key = boot_server.config_key();
    let signed = format!("kubefarm.configuration={url}/{SIGNED} kubefarm.config_key={key}");
    Firmware::loaded(boot_server, files, mac, image, files.initrd()).with(&signed)
}

/// Signs what a folder has as ltsp.img, or as the archive of a signed one, with a time in seconds since 1970.
fn sign(files: &Files, folder: &Path, key: &Path, name: &str, time: u64) {
    let archive = folder.join("ltsp.img");
    let time = time.to_string();
    if !archive.exists() {
        std::fs::write(&archive, "an archive").expect("written");
    }
    let manifest = files.manifest();
    let mut sign = Command::new(files.helper());
    sign.args(["sign-configuration", "--name", name, "--test-time", &time]);
    sign.arg("--key").arg(key);
    sign.arg("--image")
        .arg(format!("x86_64={}", manifest.display()));
    sign.arg("--output").arg(folder.join(SIGNED)).arg(archive);
    run(&mut sign).success();
}

/// The private key that the boot server signs with.
fn farm_key(release: &Release) -> Vec<u8> {
    let name = release.object("ltsp-pki-configuration");
    let secret = release.get_boot(&["secret", &name]);
    let key = secret["data"]["tls.key"].as_str().expect("a key");
    STANDARD.decode(key).expect("base64")
}
