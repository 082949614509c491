//! What goes wrong on purpose: each boot says what stopped it, on its console and to the boot server, and starts anew.
//!
//! These machines start with kernel and initrd, as a boot loader would have loaded them. Images that are not right come
//! from a folder that a web server beside the farm serves.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::boot::boot_server::BootServer;
use crate::boot::environment;
use crate::boot::files::{Files, HALF_WAY, WebServer};
use crate::boot::firmware::Firmware;
use crate::boot::guest::{Guest, LOGIN, Machine, in_network};
use crate::boot::nodes::look;
use crate::boot::{Farm, Seen};
use crate::e2e::admin_cluster::AdminCluster;
use crate::e2e::release::is_ready;
use crate::support::run;

/// How long a machine may take from its kernel's start until it has said its last words and starts anew.
const LAST_WORDS: Duration = Duration::from_secs(240);

/// What is done to a good image, and the words that it ends in.
struct Case {
    name: &'static str,
    spoil: fn(&Files, &Path),
    /// In MiB.
    memory: u32,
    words: &'static str,
}

const CASES: [Case; 6] = [
    Case {
        name: "flipped",
        spoil: |_, folder| Files::flip_byte(&folder.join("root.squashfs"), 100 << 20),
        memory: 1536,
        words: "(100 to 104 MiB) is WRONG",
    },
    Case {
        name: "short",
        spoil: |_, folder| Files::cut(&folder.join("root.squashfs"), 50 << 20),
        memory: 1536,
        words: "SHORT",
    },
    Case {
        name: "edited",
        spoil: |_, folder| Files::flip_byte(&folder.join("root.squashfs.manifest"), 40),
        memory: 1536,
        words: "the signature of the image is WRONG",
    },
    Case {
        name: "unsigned",
        spoil: |_, folder| Files::remove(&folder.join("root.squashfs.manifest.sig")),
        memory: 1536,
        words: "signature of the image is MISSING",
    },
    Case {
        name: "older",
        spoil: |files, folder| files.sign(&folder.join("root.squashfs"), 20200101000000),
        memory: 1536,
        words: "older",
    },
    Case {
        name: "large",
        spoil: |files, folder| files.sign_empty(&folder.join("root.squashfs"), 2 << 30),
        memory: 1024,
        words: "RAM",
    },
];

/// A machine says why it cannot boot, and starts anew.
pub fn stops(guest: &mut Guest, words: &str) {
    guest.wait_for(words, LAST_WORDS);
    guest.wait_for("it starts anew in 3 seconds", LAST_WORDS);
    guest.wait_for_end(LAST_WORDS);
}

/// No machine boots with an image that is not the signed one.
pub fn image(farm: &mut Farm) -> Seen {
    let cluster = farm.release.cluster;
    let files = Files::new(cluster);
    let server = WebServer::start(cluster);
    let boot_server = BootServer::of(&farm.release);
    for pair in CASES.chunks(2) {
        let mut guests = Vec::new();
        for (case, mac) in pair.iter().zip(["02:00:00:40:02:0a", "02:00:00:40:03:0a"]) {
            let folder = files.copy_release(server.folder(), case.name);
            (case.spoil)(&files, &folder);
            let image = format!("{}/{}/root.squashfs", server.url(), case.name);
            let machine = Machine {
                name: case.name,
                macs: &[mac],
                memory: case.memory,
                firmware: Firmware::loaded(&boot_server, &files, mac, &image, files.initrd()),
                disk: None,
            };
            guests.push((case, Guest::power_on(cluster, &machine)));
        }
        for (case, guest) in &mut guests {
            stops(guest, case.words);
        }
    }
    let log = boot_server.log();
    for case in &CASES {
        let word = case
            .words
            .split_whitespace()
            .next_back()
            .unwrap_or_default();
        let told = log
            .lines()
            .any(|line| line.contains("/ltsp/last-words?") && line.contains(word));
        assert!(told, "{}: the boot server was not told:\n{log}", case.name);
    }
    let names: Vec<&str> = CASES.iter().map(|case| case.name).collect();
    format!(
        "{}: right words each, in the boot server's log too",
        names.join(", ")
    )
}

/// What the network does to a boot: the server goes half-way and comes back, no DHCP server answers, and the API server
/// is out of reach.
pub fn network(farm: &mut Farm) -> Seen {
    let cluster = farm.release.cluster;
    let files = Files::new(cluster);
    let mut server = WebServer::start(cluster);
    let boot_server = BootServer::of(&farm.release);
    files.copy_release(server.folder(), HALF_WAY);
    let slow_image = format!("{}/{HALF_WAY}/root.squashfs", server.url());
    let image = boot_server.image_url();
    let power_on = |name, mac, image, initrd| {
        let firmware = Firmware::loaded(&boot_server, &files, mac, image, initrd);
        Guest::power_on(cluster, &Machine::new(name, &[mac], firmware))
    };
    let [name, address, mac] = APART;
    let cut = Cut::between(cluster, address, &farm.release.address());
    let configured = files.initrd_with(&boot_server.ltsp_img());
    let mut apart = power_on(name, mac, &image, configured);
    let mut half_way = power_on(HALF_WAY, "02:00:00:40:02:0a", &slow_image, files.initrd());
    half_way.wait_for(" MiB/s", LAST_WORDS);
    server.stop();
    half_way.wait_for("going on in", LAST_WORDS);
    server.resume(cluster);
    half_way.wait_for("chunks are right, ", LAST_WORDS);
    let all = half_way.wait_for("kubefarm: all ", LAST_WORDS);
    drop(half_way);
    let mut unknown = power_on("no-lease", "02:00:00:40:99:0a", &image, files.initrd());
    unknown.wait_for("NO LEASE: no DHCP server answered 02:00:00:40:99:0a", LOGIN);
    unknown.wait_for_end(LOGIN);
    apart.wait_for("cannot be reached: curl:", LOGIN);
    apart.wait_for(" login:", LOGIN);
    drop(cut);
    apart.count_anew();
    let joined = apart.wait_until(&format!("{name} is Ready"), LOGIN, || {
        is_ready(&look(&farm.release, &["node", name]))
    });
    format!(
        "half-way: all there after {:.0} s; no lease: said; API server out of reach: said, Ready {:.0} s after it was back",
        all.as_secs_f64(),
        joined.as_secs_f64()
    )
}

/// The machine that the API server is out of reach for: name, address, MAC.
const APART: [&str; 3] = ["r1n05", "10.64.1.15", "02:00:00:40:05:0a"];

/// No packet passes from a machine to an address, until it is dropped.
struct Cut<'a> {
    cluster: &'a AdminCluster,
    from: &'a str,
    to: String,
}

impl<'a> Cut<'a> {
    fn between(cluster: &'a AdminCluster, from: &'a str, to: &str) -> Cut<'a> {
        let to = to.to_owned();
        let cut = Cut { cluster, from, to };
        run(&mut cut.rule("--append")).success();
        cut
    }

    /// Before kube-proxy's rules see them.
    fn rule(&self, action: &str) -> Command {
        let mut command = in_network(self.cluster, "iptables");
        command.args(["-w", "-t", "raw", action, "PREROUTING"]);
        command.args(["-s", self.from, "-d", &self.to, "-j", "DROP"]);
        command
    }
}

impl Drop for Cut<'_> {
    fn drop(&mut self) {
        // It may be gone with the network.
        let _ = self.rule("--delete").status();
    }
}

/// A `network.sh` that fails is reported, and the machine comes up with the address that it had. The changed
/// configuration reaches the next boot without a restart of the boot server.
pub fn script(farm: &mut Farm) -> Seen {
    let cluster = farm.release.cluster;
    let files = Files::new(cluster);
    farm.release.add_values(&[
        "--set",
        "ltsp.config.options.POST_INIT_NETWORKING=. /etc/ltsp/network.sh",
        "--set",
        "ltsp.config.extraFiles.network\\.sh=echo on purpose >&2; false; touch /run/not-reached",
        "--set",
        "ltsp.config.options.PRE_INIT_ENVIRONMENT=set >/run/before",
        "--set",
        "ltsp.config.options.POST_INIT_ENVIRONMENT=set >/run/after",
    ]);
    let boot_server = BootServer::changed(&mut farm.release);
    let [name, address, mac] = ["r1n02", "10.64.1.12", "02:00:00:40:02:0a"];
    let initrd = files.initrd_with(&boot_server.ltsp_img());
    let image = boot_server.image_url();
    let firmware = Firmware::loaded(&boot_server, &files, mac, &image, initrd);
    let mut guest = Guest::power_on(cluster, &Machine::new(name, &[mac], firmware));
    guest.wait_for("POST_INIT_NETWORKING failed", LOGIN);
    guest.wait_for(" login:", LOGIN);
    let status = guest.shell(address, "systemctl status --no-pager kubefarm-boot.service");
    let said = &status.stdout;
    assert!(said.contains("failed: POST_INIT_NETWORKING"), "{said}");
    guest.shell(address, "test ! -e /run/not-reached").success();
    let hostname = guest.shell(address, "hostname").success();
    assert_eq!(hostname.trim(), name);
    let before = guest.shell(address, "cat /run/before").success();
    let after = guest.shell(address, "cat /run/after").success();
    let count = environment::is_as_documented(&before, &after);
    format!(
        "login with the address of the initrd; systemctl status names the script; {count} variables as documented"
    )
}
