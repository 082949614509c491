//! The hardened chain: firmware that trusts the operator's key alone, and a unified kernel image that it signed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::boot::boot_server::BootServer;
use crate::boot::files::{Files, WebServer};
use crate::boot::firmware::Firmware;
use crate::boot::guest::{Guest, LOGIN, Machine};
use crate::boot::nodes::{READY, look};
use crate::boot::{Farm, Seen};
use crate::e2e::admin_cluster::AdminCluster;
use crate::e2e::release::is_ready;
use crate::support::{project, run};

/// The node whose DHCP options name the image on the web server beside the farm.
const NODE: [&str; 3] = ["r1n08", "10.64.1.18", "02:00:00:40:08:0a"];
/// The one that is told to load Debian's shim from there.
const SHIM: [&str; 2] = ["r1n04", "02:00:00:40:04:0a"];
/// The one whose DHCP options name the image there by HTTPS.
const HTTPS: [&str; 2] = ["r1n09", "02:00:00:40:09:0a"];
/// Where the web server beside the farm is.
const BESIDE: &str = "10.64.0.1";

/// What the operator has, away from the cluster.
struct Operator<'a> {
    cluster: &'a AdminCluster,
    files: Files<'a>,
}

impl<'a> Operator<'a> {
    fn of(farm: &Farm<'a>) -> Operator<'a> {
        let cluster = farm.release.cluster;
        let files = Files::new(cluster);
        Operator { cluster, files }
    }

    /// A key for Secure Boot, and its certificate; made on the way.
    fn key(&self, name: &str) -> [PathBuf; 2] {
        let [key, certificate] =
            ["key", "crt"].map(|end| self.cluster.scratch().join(format!("{name}.{end}")));
        if !key.exists() {
            let mut openssl = Command::new("openssl");
            openssl.args(["req", "-new", "-x509", "-newkey", "rsa:2048", "-nodes"]);
            openssl.args(["-days", "3650", "-subj", &format!("/CN={name}"), "-keyout"]);
            run(openssl.arg(&key).arg("-out").arg(&certificate)).success();
        }
        [key, certificate]
    }

    /// Firmware that trusts his key and no other, and these authorities of web servers.
    fn firmware(&self, authorities: Option<PathBuf>) -> Firmware {
        let [_, certificate] = self.key("operator");
        let variables = self.cluster.scratch().join("operator.fd");
        let mut enroll = Command::new(project().join("tests/firmware-keys.sh"));
        run(enroll.arg(certificate).arg(&variables)).success();
        Firmware::OwnKeys {
            variables,
            authorities,
        }
    }

    /// The image for the node, on the web server; of a farm whose boot server has this address.
    fn sign(&self, name: &str, config_key: &str, address: &str, folder: &Path) {
        let [key, certificate] = self.key(name);
        let output = folder.join("ltsp/uki");
        fs::create_dir_all(&output).expect("a folder");
        let mut uki = Command::new(project().join("images/boot/uki.sh"));
        uki.args(["--config-key", config_key, "--server", address]);
        uki.arg("--release").arg(self.files.release());
        uki.arg("--key").arg(key);
        uki.arg("--certificate").arg(certificate);
        uki.args([
            "--parameters",
            "console=ttyS0,115200n8 mitigations=off norandmaps",
        ]);
        run(uki.arg("--output").arg(output.join("kubefarm.efi"))).success();
    }

    fn power_on(&self, name: &str, mac: &str) -> Guest<'a> {
        let macs = [mac];
        let machine = Machine::new(name, &macs, self.firmware(None));
        Guest::power_on(self.cluster, &machine)
    }
}

/// Debian's shim, and an image that somebody else has signed: the firmware starts neither.
pub fn refuses(farm: &mut Farm) -> Seen {
    let operator = Operator::of(farm);
    let server = WebServer::start(operator.cluster);
    let boot_server = BootServer::of(&farm.release);
    operator.files.copy_all(server.folder());
    let key = boot_server.config_key();
    operator.sign("stranger", &key, boot_server.address(), server.folder());
    let [shim, mac] = SHIM;
    let shim = operator.power_on(shim, mac);
    let [name, _, mac] = NODE;
    let signed = operator.power_on(name, mac);
    for mut guest in [shim, signed] {
        guest.wait_for("Access Denied", LOGIN);
        let console = guest.console();
        assert!(console.contains("Start HTTP Boot over IPv4"), "{console}");
        assert!(!console.contains("Linux version"), "{console}");
    }
    "Debian's shim and an image with another signature: Access Denied".to_owned()
}

/// The image with the operator's signature: it takes no configuration that was edited, and otherwise boots and joins.
pub fn boots(farm: &mut Farm) -> Seen {
    // They have been seen, and the memory is needed.
    farm.guests.clear();
    let operator = Operator::of(farm);
    let server = WebServer::start(operator.cluster);
    let boot_server = BootServer::of(&farm.release);
    let key = boot_server.config_key();
    let [name, address, mac] = NODE;

    let current = server.folder().join("ltsp/current");
    fs::create_dir_all(&current).expect("a folder");
    let signed = current.join("ltsp.img.signed");
    fs::write(&signed, boot_server.signed()).expect("written");
    Files::flip_byte(&signed, 40 << 10);
    operator.sign("operator", &key, BESIDE, server.folder());
    let mut guest = operator.power_on(name, mac);
    guest.wait_for("the configuration is WRONG: SHA-256 got", LOGIN);
    guest.wait_for("it starts anew in", LOGIN);
    assert!(!guest.console().contains("initrd-bottom"), "it went on");
    drop(guest);

    operator.sign("operator", &key, boot_server.address(), server.folder());
    let mut guest = operator.power_on(name, mac);
    guest.wait_for("the signature of the configuration is right", LOGIN);
    let login = guest.wait_for(" login:", LOGIN);
    let lockdown = "cat /sys/kernel/security/lockdown";
    let lockdown = guest.shell(address, lockdown).success();
    assert!(lockdown.contains("[integrity]"), "{lockdown}");
    loads_signed_modules(&operator, &server, &guest);
    let ready = guest.wait_until("it is Ready", READY, || {
        is_ready(&look(&farm.release, &["node", name]))
    });
    format!(
        "login after {:.0} s, Ready after {:.0} s, with the operator's key alone; modules with his signature; no edited \
         configuration",
        login.as_secs_f64(),
        ready.as_secs_f64()
    )
}

/// By HTTPS, as far as the kernel; without the web server's authority in the firmware, nothing is loaded.
pub fn over_https(farm: &mut Farm) -> Seen {
    farm.guests.clear();
    let operator = Operator::of(farm);
    let (server, certificate) = WebServer::start_with_https(operator.cluster);
    let boot_server = BootServer::of(&farm.release);
    let key = boot_server.config_key();
    operator.sign("operator", &key, boot_server.address(), server.folder());
    let list = operator.cluster.scratch().join("authorities");
    let mut enroll = Command::new(project().join("tests/firmware-keys.sh"));
    run(enroll.arg("--authorities").arg(certificate).arg(&list)).success();
    let [name, mac] = HTTPS;
    for (authorities, loads) in [(None, false), (Some(list), true)] {
        let macs = [mac];
        let machine = Machine::new(name, &macs, operator.firmware(authorities));
        let mut guest = Guest::power_on(operator.cluster, &machine);
        if loads {
            guest.wait_for("the signature of the configuration is right", LOGIN);
        } else {
            guest.wait_for("Could not retrieve NBP file size from HTTP server", LOGIN);
            assert!(!guest.console().contains("Linux version"), "it was started");
        }
    }
    "the kernel by HTTPS, from a server whose authority is in the firmware, and from no other"
        .to_owned()
}

/// The kernel takes a module that the key in the firmware has signed, as the image's build does, and no other.
fn loads_signed_modules(operator: &Operator, server: &WebServer, guest: &Guest) {
    let module = dummy(&operator.files, server.folder());
    for (name, loads) in [("stranger", false), ("operator", true)] {
        let [key, certificate] = operator.key(name);
        let signed = server.folder().join(format!("{name}.ko"));
        fs::copy(&module, &signed).expect("copied");
        let mut sign = Command::new(project().join("images/boot/steps/sign-module.sh"));
        run(sign.arg(key).arg(certificate).arg(signed)).success();
        let url = format!("{}/{name}.ko", server.url());
        let insert = format!("curl -sSf -o /tmp/{name}.ko {url} && insmod /tmp/{name}.ko");
        let inserted = guest.shell(NODE[1], &insert);
        if loads {
            inserted.success();
        } else {
            inserted.failed(1, &["Key was rejected by service"]);
        }
    }
}

/// A module of the image, without Debian's signature.
fn dummy(files: &Files, folder: &Path) -> PathBuf {
    let root = folder.join("module");
    let mut unpack = Command::new("unsquashfs");
    unpack
        .args(["-quiet", "-no-progress", "-force", "-dest"])
        .arg(&root);
    unpack.arg(files.release().join("root.squashfs"));
    unpack.arg("usr/lib/modules/*/kernel/drivers/net/dummy.ko.xz");
    run(&mut unpack).success();
    let module = folder.join("dummy.ko");
    let mut strip = Command::new("sh");
    strip.args([
        "-c",
        "xz -dc $1/usr/lib/modules/*/kernel/drivers/net/dummy.ko.xz >$2 && strip --strip-debug $2",
        "sh",
    ]);
    run(strip.arg(&root).arg(&module)).success();
    module
}
