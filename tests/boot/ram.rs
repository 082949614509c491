//! A machine of 2 GiB: what its RAM is divided into, what becomes of a pod that fills it, and a disk beside it.

use std::fs::{File, read_to_string};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::boot::boot_server::BootServer;
use crate::boot::files::Files;
use crate::boot::firmware::Firmware;
use crate::boot::guest::{Guest, LOGIN, Machine, in_network};
use crate::boot::nodes::{READY, TEST_IMAGE, look, route_to_pods};
use crate::boot::{Farm, Seen};
use crate::e2e::admin_cluster::AdminCluster;
use crate::e2e::release::is_ready;
use crate::support::run;

const NAME: &str = "r1n05";
const ADDRESS: &str = "10.64.1.15";
const MAC: &str = "02:00:00:40:05:0a";

/// Where the journal is sent: to the router of the network.
const SYSLOG: &str = "10.64.0.1:5514";

/// A disk that somebody has used is left as it is. In RAM a pod fills its volume, and is evicted; the node stays Ready.
pub fn full(farm: &mut Farm) -> Seen {
    farm.guests.clear();
    let cluster = farm.release.cluster;
    let disk = used_disk(cluster);
    let before = digest(&disk);
    let syslog = format!("ltsp.config.syslog={SYSLOG}");
    let rule = "ltsp.config.localDisk.minSize=1Gi";
    farm.release
        .add_values(&["--set-string", &syslog, "--set", rule]);
    let _receiver = Receiver::start(cluster);
    BootServer::changed(&mut farm.release);
    let mut guest = power_on(farm);
    let ready = wait_until_ready(farm, &mut guest);
    let sizes = divided(&guest);
    assert_eq!(
        answer(&guest, "systemctl is-failed kubefarm-disk.service"),
        "failed"
    );
    let journal = answer(&guest, "journalctl -b -u kubefarm-disk.service");
    assert!(journal.contains("has something on it"), "{journal}");
    assert_eq!(digest(&disk), before, "the disk was written to");
    guest.wait_until("the journal arrives elsewhere", READY, || {
        read_to_string(received(cluster)).is_ok_and(|text| text.contains("systemd[1]: "))
    });
    let evicted = fill(farm, &mut guest);
    shut_down(&mut guest);
    format!(
        "Ready {:.0} s after power-on; {sizes}; {evicted}; the disk, which had a file system, as it was",
        ready.as_secs_f64()
    )
}

/// The values allow to wipe the disk: images, the kubelet's files and swap are on it. The next boot finds the images.
pub fn disk(farm: &mut Farm) -> Seen {
    let wipe = [
        "--set",
        "ltsp.config.localDisk.wipe=true,ltsp.config.localDisk.swap=256Mi",
    ];
    farm.release.add_values(&wipe);
    BootServer::changed(&mut farm.release);
    let mut guest = power_on(farm);
    wait_until_ready(farm, &mut guest);
    for (command, expected) in [
        (
            "findmnt -n -o FSTYPE,SOURCE /var/lib/containerd | tail -n 1",
            "ext4 /dev/vda[/containerd]",
        ),
        (
            "findmnt -n -o FSTYPE,SOURCE /var/lib/kubelet | tail -n 1",
            "ext4 /dev/vda[/kubelet]",
        ),
        ("findmnt -n -o FSTYPE /var/lib/kubelet/pki", "tmpfs"),
        ("blkid -o value -s LABEL /dev/vda", "kubefarm"),
        (
            "swapon --noheadings --show=NAME",
            "/var/lib/kubefarm-disk/swap",
        ),
        (
            "grep -c -e ^failSwapOn -e LimitedSwap /run/kubefarm-node/kubelet.conf.d/50-kubefarm.conf",
            "2",
        ),
        (
            "ls /var/lib/kubefarm-disk/containerd/*/meta.db",
            "/var/lib/kubefarm-disk/containerd/io.containerd.metadata.v1.bolt/meta.db",
        ),
    ] {
        let found = answer(&guest, command);
        let found = found.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(found, expected, "{command}");
    }
    let marks = "touch /var/lib/containerd/mark /var/lib/kubelet/mark";
    guest.shell(ADDRESS, marks).success();
    shut_down(&mut guest);
    // Its network port is the next one's.
    drop(guest);
    let mut guest = power_on(farm);
    wait_until_ready(farm, &mut guest);
    let marks = "ls /var/lib/containerd/mark /var/lib/kubelet/mark 2>/dev/null || true";
    assert_eq!(answer(&guest, marks), "/var/lib/containerd/mark");
    drop(guest);
    // What comes next has no disks.
    let reset = r#"ltsp.config.localDisk={"minSize": null, "wipe": false, "swap": null}"#;
    farm.release
        .add_values(&["--set-json", reset, "--set", "ltsp.config.syslog=null"]);
    "formatted; images, the kubelet's files and swap on it, keys in RAM; the next boot has the images, and nothing of the \
     kubelet's"
        .to_owned()
}

fn disk_file(cluster: &AdminCluster) -> PathBuf {
    cluster.scratch().join("ram.disk")
}

/// A disk with a file system.
fn used_disk(cluster: &AdminCluster) -> PathBuf {
    let path = disk_file(cluster);
    File::create(&path)
        .and_then(|file| file.set_len(3 << 30))
        .expect("a file");
    let mut mkfs = Command::new("mkfs.ext4");
    run(mkfs.args(["-q", "-F", "-L", "somebodys"]).arg(&path)).success();
    path
}

fn digest(disk: &Path) -> String {
    run(Command::new("sha256sum").arg(disk)).success()
}

/// Switches the machine on, with the values as they are now.
fn power_on<'a>(farm: &Farm<'a>) -> Guest<'a> {
    let cluster = farm.release.cluster;
    route_to_pods(cluster, ADDRESS);
    let boot_server = BootServer::of(&farm.release);
    let files = Files::new(cluster);
    let initrd = files.initrd_with(&boot_server.ltsp_img());
    let image = boot_server.image_url();
    let firmware = Firmware::loaded(&boot_server, &files, MAC, &image, initrd);
    let machine = Machine {
        memory: 2048,
        disk: Some(disk_file(cluster)),
        ..Machine::new(NAME, &[MAC], firmware)
    };
    Guest::power_on(cluster, &machine)
}

/// Waits for this boot's Node, not for that of a boot before.
fn wait_until_ready(farm: &Farm, guest: &mut Guest) -> std::time::Duration {
    guest.wait_for(" login:", LOGIN);
    let boot = answer(guest, "cat /proc/sys/kernel/random/boot_id");
    guest.wait_until(&format!("{NAME} is Ready"), READY, || {
        let node = look(&farm.release, &["node", NAME]);
        is_ready(&node) && node["status"]["nodeInfo"]["bootID"] == boot.as_str()
    })
}

fn answer(guest: &Guest, command: &str) -> String {
    guest.shell(ADDRESS, command).stdout.trim().to_owned()
}

/// All file systems in RAM, full at once, and what is reserved, are no more than there is.
fn divided(guest: &Guest) -> String {
    let sizes = "cd /; for folder in /var/lib/kubelet /var/lib/containerd /var/log/pods /tmp /dev/shm /run/initramfs/ltsp \
                 /run/kubefarm; do echo $folder $(findmnt -n -o FSTYPE --mountpoint $folder | tail -n 1) \
                 $(($(df -k --output=size $folder | tail -n 1) / 1024)); done";
    let sizes = answer(guest, sizes);
    let mut sum = 0;
    for line in sizes.lines() {
        let mut fields = line.split(' ').skip(1);
        assert_eq!(fields.next(), Some("tmpfs"), "{sizes}");
        let size: u32 = fields
            .next()
            .and_then(|size| size.parse().ok())
            .expect(line);
        sum += size;
    }
    assert_eq!(sizes.lines().count(), 7, "{sizes}");
    let total = answer(
        guest,
        "sed -n 's/^MemTotal: *\\([0-9]*\\) kB/\\1/p' /proc/meminfo",
    );
    let total = total.parse::<u32>().expect("a number") / 1024;
    let settings = answer(
        guest,
        "cat /run/kubefarm-node/kubelet.conf.d/50-kubefarm.conf",
    );
    let kept: u32 = settings
        .lines()
        .filter_map(|line| line.trim().split_once(": "))
        .filter(|(key, _)| *key == "memory" || *key == "memory.available")
        .filter_map(|(_, size)| size.strip_suffix("Mi")?.parse::<u32>().ok())
        .sum();
    // The image is among both.
    let image = sizes
        .lines()
        .last()
        .and_then(|line| line.rsplit(' ').next());
    let image: u32 = image.and_then(|size| size.parse().ok()).expect("a size");
    assert!(kept > image, "{settings}");
    assert!(
        sum + kept - image <= total + 1,
        "{sizes}\n{settings}\n{total}"
    );
    let sizes = sizes.replace(" tmpfs", "").replace('\n', ", ");
    format!("of {total} MiB {kept} are kept, and there are at most {sizes}")
}

/// A pod that writes until there is no room, and what becomes of it and of its node.
fn fill(farm: &Farm, guest: &mut Guest) -> String {
    let release = &farm.release;
    let since = ready_since(&look(release, &["node", NAME]));
    release.apply_in_child(&[filler()]);
    guest.wait_until("the pod is evicted", READY * 2, || {
        let node = look(release, &["node", NAME]);
        assert!(
            node.is_null() || is_ready(&node),
            "{}",
            node["status"]["conditions"]
        );
        look(release, &["pod", "filler"])["status"]["reason"] == "Evicted"
    });
    let pod = look(release, &["pod", "filler"]);
    let message = pod["status"]["message"].as_str().unwrap_or_default();
    assert!(message.contains("ephemeral-storage"), "{message}");
    let room = answer(guest, "journalctl -b -u kubefarm-room.service");
    assert!(room.contains("is full"), "{room}");
    release.cluster.wait_until("there is room again", || {
        let used = "df --output=pcent /var/lib/kubelet | tail -n 1";
        let used = answer(guest, used);
        let used = used.trim_end_matches('%').parse::<u32>();
        used.is_ok_and(|used| used < 50)
    });
    let node = look(release, &["node", NAME]);
    assert_eq!(
        ready_since(&node),
        since,
        "the node was not Ready for a while"
    );
    format!("evicted: {message}")
}

/// When the Node became Ready.
fn ready_since(node: &Value) -> String {
    let conditions = node["status"]["conditions"].as_array();
    let mut conditions = conditions.into_iter().flatten();
    let ready = conditions.find(|condition| condition["type"] == "Ready");
    ready
        .map(|ready| ready["lastTransitionTime"].to_string())
        .expect("a condition")
}

/// Writes with the node's own dd: the image has one program and no shell.
fn filler() -> Value {
    let dd = [
        "/usr/lib64/ld-linux-x86-64.so.2",
        "--library-path",
        "/usr/lib/x86_64-linux-gnu",
        "/usr/bin/dd",
        "if=/dev/zero",
        "of=/data/file",
        "bs=1M",
    ];
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": { "name": "filler", "namespace": "default" },
        "spec": {
            "nodeName": NAME,
            "terminationGracePeriodSeconds": 1,
            "containers": [{
                "name": "filler", "image": TEST_IMAGE, "command": dd,
                "volumeMounts": [
                    { "name": "data", "mountPath": "/data" },
                    { "name": "usr", "mountPath": "/usr", "readOnly": true },
                ],
            }],
            "volumes": [
                { "name": "data", "emptyDir": {} },
                { "name": "usr", "hostPath": { "path": "/usr" } },
            ],
        },
    })
}

/// In the right way, so that the machine may join again at once.
fn shut_down(guest: &mut Guest) {
    guest.count_anew();
    // The connection may end before its answer.
    let _ = guest.shell(ADDRESS, "systemctl poweroff");
    guest.wait_for_end(LOGIN);
}

/// What listens for the journal, until it is dropped.
struct Receiver(Child);

impl Receiver {
    fn start(cluster: &AdminCluster) -> Receiver {
        let (address, port) = SYSLOG.split_once(':').expect("a port");
        let program = format!(
            "import socket\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\ns.bind(('{address}', {port}))\n\
             while True: print(s.recv(65536).decode(errors='replace'), flush=True)"
        );
        let mut python = in_network(cluster, "python3");
        python.args(["-c", &program]);
        let file = File::create(received(cluster)).expect("a file");
        Receiver(python.stdout(Stdio::from(file)).spawn().expect("Python"))
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        // It may have ended with the network.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn received(cluster: &AdminCluster) -> PathBuf {
    cluster.scratch().join("syslog")
}
