//! Real boots of nodes with LTSP's own `init`, in namespaces: what the rendered files make of a node's system.

mod failures;
mod memory;

use std::fs::{create_dir_all, read_dir, read_link, read_to_string, write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::farms::{Farm, Objects, advanced_network, generic};
use crate::support::ltsp::{Node, configuration, is_installed};
use crate::support::sysfs::Port;
use crate::support::{Finished, program, project, run, skip};

const BOOT_SERVER: &str = "kubefarm-kubernetes-ltsp";

const STORAGE: Node = Node {
    mac: "02:00:00:40:06:0a",
    ip: "10.64.1.16",
    hostname: "r1n06",
};

const PLAIN: Node = Node {
    mac: "02:00:00:40:01:0b",
    ip: "10.64.1.11",
    hostname: "r1n01",
};

/// A node's root file system after its boot.
struct Booted {
    folder: tempfile::TempDir,
    finished: Finished,
}

impl Booted {
    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path.trim_start_matches('/'))
    }

    #[track_caller]
    fn read(&self, path: &str) -> String {
        read_to_string(self.path(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    #[track_caller]
    fn mode(&self, path: &str) -> u32 {
        let metadata = std::fs::metadata(self.path(path)).expect(path);
        metadata.permissions().mode() & 0o777
    }
}

/// Boots a node of a farm; `join` is the text of the join file, where the boot server had one.
fn boot(farm: &Farm, node: Node, join: Option<&str>) -> Option<Booted> {
    let mut command = namespaces()?;
    let objects = farm.objects();
    let folder = tempfile::tempdir().expect("a folder");
    let etc = folder.path().join("etc/ltsp");
    create_dir_all(&etc).expect("a folder");
    create_dir_all(folder.path().join("run")).expect("a folder");
    for (name, text) in Objects::files(objects.get("ConfigMap", BOOT_SERVER)) {
        write(etc.join(name), text).expect("written");
    }
    write(etc.join("ltsp.conf"), configuration(&objects, BOOT_SERVER)).expect("written");
    if let Some(join) = join {
        write(etc.join("kubeadm-join.conf"), join).expect("written");
    }
    write(folder.path().join("run/net-eno1.conf"), lease(node)).expect("written");
    for (name, device) in [
        ("eno1", "pci0000:00/0000:3b:00.0"),
        ("eno2", "pci0000:00/0000:3b:00.1"),
    ] {
        // The boot has this folder as its root.
        Port::pci(name, device, node.mac).plug_in_for(folder.path(), Path::new("/"));
    }
    command.arg("timeout").args(["--signal=KILL", "60", "sh"]);
    // `timeout` must not be process 1: the boot is.
    command
        .arg("-c")
        .arg("exec unshare --pid --fork --kill-child sh \"$@\"")
        .arg("sh");
    command
        .arg(project().join("tests/support/node-boot.sh"))
        .arg(folder.path());
    command.args(["eno1", node.mac, node.ip, node.hostname]);
    let finished = run(&mut command);
    Some(Booted { folder, finished })
}

/// Boots a node, and requires that LTSP had nothing to complain about.
#[track_caller]
fn boot_well(farm: &Farm, node: Node, join: Option<&str>) -> Option<Booted> {
    let booted = boot(farm, node, join)?;
    let Finished { stdout, stderr, .. } = &booted.finished;
    assert!(stdout.ends_with("booted\n"), "{stdout}\n{stderr}");
    assert!(!stderr.contains("LTSP command failed"), "{stderr}");
    Some(booted)
}

/// What initramfs-tools leaves behind after DHCP.
fn lease(node: Node) -> String {
    format!(
        "DEVICE='eno1'\nPROTO='dhcp'\nIPV4PROTO='dhcp'\nIPV4ADDR='{}'\nIPV4NETMASK='255.255.0.0'\n\
         IPV4BROADCAST='10.64.255.255'\nIPV4GATEWAY='10.64.0.1'\nIPV4DNS0='10.64.0.1'\n\
         HOSTNAME='{}'\nROOTSERVER='10.64.0.11'\n",
        node.ip, node.hostname
    )
}

/// A command in new namespaces; `None`, and said so, where there are none to have.
fn namespaces() -> Option<Command> {
    let unshare = program("unshare", "util-linux")?;
    for (name, package) in [
        ("ip", "iproute2"),
        ("ssh-keygen", "openssh-client"),
        ("usermod", "passwd"),
    ] {
        program(name, package)?;
    }
    if !is_installed() {
        return None;
    }
    let mut command = Command::new(unshare);
    command.args(["--mount", "--net", "--uts", "--map-root-user"]);
    let mut probe = Command::new(command.get_program());
    if !run(probe.args(command.get_args()).arg("true"))
        .status
        .success()
    {
        skip("needs the right to make namespaces");
        return None;
    }
    command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    Some(command)
}

fn links(folder: &Path) -> Vec<String> {
    let entries = read_dir(folder).into_iter().flatten();
    let mut links: Vec<String> = entries
        .map(|entry| entry.expect("an entry").path())
        .filter_map(|path| {
            let target = read_link(&path).ok()?;
            Some(format!(
                "{} {}",
                path.file_name()?.to_str()?,
                target.display()
            ))
        })
        .collect();
    links.sort();
    links
}

#[test]
fn a_tagged_node_is_set_up() {
    // Otherwise it gets its password when it joins.
    let farm = advanced_network().with("--set").with("join.mode=token");
    let Some(node) = boot_well(&farm, STORAGE, None) else {
        return;
    };
    assert_eq!(
        node.read("/etc/systemd/system/kubelet.service.d/99-kubefarm.conf")
            .trim_end(),
        "[Service]\nExecStartPre=-/bin/sh /etc/ltsp/kubelet-settings.sh\n\
         Environment=\"KUBELET_EXTRA_ARGS=--config-dir=/run/kubefarm-node/kubelet.conf.d --node-labels=example.org/disks=nvme,example.org/rack=r1 \
         --register-with-taints=example.org/dedicated=storage:NoSchedule \""
    );
    assert!(
        node.read("/root/.ssh/authorized_keys")
            .starts_with("ssh-ed25519 AAAA")
    );
    assert_eq!(node.mode("/root/.ssh/authorized_keys"), 0o600);
    assert_eq!(node.mode("/root/.ssh"), 0o700);
    assert!(
        node.read("/etc/shadow")
            .contains("root:$6$testfarm$xBbVVTiws9fkXQLdcPKcEfw8.tfOzZSVd5Hdt3LctBSi")
    );
    assert_eq!(
        node.read("/etc/ssh/sshd_config.d/00-kubefarm.conf"),
        "PermitRootLogin yes\n"
    );
    assert_eq!(node.read("/etc/timezone"), "Europe/Vienna\n");
    assert_eq!(
        read_link(node.path("/etc/localtime")).expect("a link"),
        Path::new("/usr/share/zoneinfo/Europe/Vienna")
    );
    assert!(
        node.read("/etc/sysctl.d/99-kubefarm.conf")
            .contains("net.ipv4.ip_forward = 1")
    );
    assert!(
        node.read("/etc/modules-load.d/kubefarm.conf")
            .contains("overlay\nip_vs\n")
    );
    assert!(
        node.read("/etc/fstab")
            .contains("tmpfs /var/lib/kubelet tmpfs")
    );
    assert!(
        node.read("/etc/hosts").contains("10.64.1.16\tr1n06"),
        "{}",
        node.read("/etc/hosts")
    );
    assert_eq!(node.mode("/etc/ltsp/ltsp.conf"), 0o600);
}

#[test]
fn services_are_enabled_and_updates_masked() {
    let Some(node) = boot_well(&generic(), PLAIN, None) else {
        return;
    };
    let units = links(&node.path("/etc/systemd/system"));
    for unit in [
        "apt-daily.timer",
        "apt-daily-upgrade.timer",
        "unattended-upgrades.service",
        "ltsp.service",
    ] {
        assert!(units.contains(&format!("{unit} /dev/null")), "{units:?}");
    }
    assert_eq!(
        links(&node.path("/etc/systemd/system/multi-user.target.wants")),
        [
            "kubeadm-join.service /etc/systemd/system/kubeadm-join.service",
            "kubefarm-boot.service /etc/systemd/system/kubefarm-boot.service",
            "kubefarm-disk.service /etc/systemd/system/kubefarm-disk.service",
            "kubefarm-goodbye.service /etc/systemd/system/kubefarm-goodbye.service",
            "kubefarm-room.service /etc/systemd/system/kubefarm-room.service",
            "kubefarm-syslog.service /etc/systemd/system/kubefarm-syslog.service",
        ]
    );
    let drop_in = node.read("/etc/systemd/system/kubelet.service.d/99-kubefarm.conf");
    assert!(
        drop_in.ends_with(
            "\nEnvironment=\"KUBELET_EXTRA_ARGS=--config-dir=/run/kubefarm-node/kubelet.conf.d \"\n"
        ),
        "{drop_in}"
    );
    assert!(
        node.read("/etc/containerd/config.toml")
            .contains("SystemdCgroup = true")
    );
    assert!(!node.path("/etc/netplan").exists());
}

/// The join file brings the control plane's address, and `network.sh` what DHCP said.
#[test]
fn a_boot_writes_hosts_and_the_network() {
    let join = "HOSTS_KUBERNETES='10.64.0.10 kubefarm-kubernetes-apiserver'\nJOIN_COMMAND='kubeadm join x'\n";
    let Some(node) = boot_well(&advanced_network(), PLAIN, Some(join)) else {
        return;
    };
    let hosts = node.read("/etc/hosts");
    assert!(
        hosts.contains("\n10.64.0.10 kubefarm-kubernetes-apiserver\n"),
        "{hosts}"
    );
    assert_eq!(node.mode("/etc/ltsp/kubeadm-join.conf"), 0o600);
    let netplan = node.read("/etc/netplan/50-kubefarm.yaml");
    for line in [
        "addresses: [10.64.1.11/16]",
        "addresses: [10.65.1.11/16]",
        "macaddress: \"02:00:00:40:01:0b\"",
    ] {
        assert!(netplan.contains(line), "no {line} in\n{netplan}");
    }
}

/// The user's sections run with everything else known; labels keep what systemd would take for its own.
#[test]
fn sections_of_the_user_run_and_flags_keep_their_signs() {
    let farm = generic()
        .with("--set-string")
        .with("ltsp.config.sections.init/=INCLUDE=tag_debug\necho \"$HOSTNAME $DEBUG_SHELL\" > /run/init\n")
        .with("--set-string")
        .with("ltsp.config.sections.02:00:00:40:01:0b=touch /run/mac\n")
        .with("--set-json")
        .with(r#"tags.ltspOptions.all={"KUBELET_EXTRA_ARGS_ALL": "--a=100% --b=\"c\\d\""}"#);
    let Some(node) = boot_well(&farm, PLAIN, None) else {
        return;
    };
    assert_eq!(node.read("/run/init"), "r1n01 1\n");
    assert!(node.path("/run/mac").exists());
    let drop_in = node.read("/etc/systemd/system/kubelet.service.d/99-kubefarm.conf");
    let expected = r#"Environment="KUBELET_EXTRA_ARGS=--config-dir=/run/kubefarm-node/kubelet.conf.d --a=100%% --b=\"c\\d\"""#;
    assert!(drop_in.contains(expected), "{drop_in}");
}

/// Of two labels with one key kubelet takes the last: the specific tag's, whatever its name. And lines of other
/// variables' values bring nothing twice.
#[test]
fn what_is_for_all_gives_way() {
    let tags = r#"tags={
        "ltspOptions": {"storage": {"NOTE": "a\nKUBERNETES_TAINTS_ALL=x\nKUBERNETES_LABELS_STORAGE=y"}},
        "kubernetesLabels": {"all": {"a/b": "all", "c": "1"}, "0tag": {"a/b": "own"}, "storage": {"d": "1"}},
        "kubernetesTaints": {"all": [{"key": "t", "effect": "NoExecute"}]}}"#;
    let farm = generic().with("--set-json").with(tags);
    let farm = farm.with("--set-json").with(
        r#"nodePools=[{"tags": ["0tag", "storage"], "nodes": [{"name": "r1n06", "mac": "02:00:00:40:06:0a"}]}]"#,
    );
    let Some(node) = boot_well(&farm, STORAGE, None) else {
        return;
    };
    let drop_in = node.read("/etc/systemd/system/kubelet.service.d/99-kubefarm.conf");
    let flags = "--node-labels=a/b=all,c=1,a/b=own,d=1 --register-with-taints=t=:NoExecute ";
    assert!(drop_in.contains(flags), "{drop_in}");
}

/// What Kubernetes mounts: its files, and their modes.
const MOUNTED: [(&str, u32); 8] = [
    ("ltsp.conf", 0o400),
    ("init.sh", 0o400),
    ("plain", 0o400),
    (".hidden", 0o400),
    ("key", 0o600),
    ("tool", 0o755),
    ("pki/deep/a.pem", 0o600),
    ("parts/nodes-1.conf", 0o400),
];

/// What nodes have of it.
const ASSEMBLED: [(&str, u32); 8] = [
    ("ltsp.conf", 0o600),
    ("init.sh", 0o755),
    ("plain", 0o644),
    (".hidden", 0o644),
    ("key", 0o600),
    ("tool", 0o755),
    ("pki/deep", 0o755),
    ("pki/deep/a.pem", 0o600),
];

/// Mounts as Kubernetes does: links into a hidden folder.
fn mount_configuration(config: &Path) {
    let data = config.join("..1");
    for (name, mode) in MOUNTED {
        create_dir_all(data.join(name).parent().expect("a folder")).expect("a folder");
        write(data.join(name), format!("{name}\n")).expect("written");
        let permissions = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(data.join(name), permissions).expect("a mode");
    }
    for entry in read_dir(&data).expect("a folder") {
        let name = entry.expect("an entry").file_name();
        let target = Path::new("..data").join(&name);
        std::os::unix::fs::symlink(target, config.join(name)).expect("a link");
    }
    std::os::unix::fs::symlink("..1", config.join("..data")).expect("a link");
}

#[test]
fn files_keep_their_folders_and_modes() {
    let Some(mut command) = namespaces() else {
        return;
    };
    let objects = generic().objects();
    let folder = tempfile::tempdir().expect("a folder");
    let etc = folder.path().join("etc");
    create_dir_all(&etc).expect("a folder");
    mount_configuration(&folder.path().join("config"));
    let script = objects.file(&format!("{BOOT_SERVER}-scripts"), "boot-config.sh");
    let (functions, _) = script.split_once("\numask").expect("the program's start");
    let functions = functions
        .replace("/etc/ltsp", "etc")
        .replace("=/config", "=config");
    let script = folder.path().join("assemble.sh");
    write(script, functions + "\numask 0022\nassemble\n").expect("written");
    command
        .current_dir(folder.path())
        .args(["sh", "assemble.sh"]);
    run(&mut command).success();
    for (name, expected) in ASSEMBLED {
        let metadata = std::fs::metadata(etc.join(name)).expect(name);
        assert_eq!(metadata.permissions().mode() & 0o777, expected, "{name}");
    }
    let conf = read_to_string(etc.join("ltsp.conf")).expect("ltsp.conf");
    assert_eq!(conf, "ltsp.conf\nparts/nodes-1.conf\n");
    assert!(!etc.join("parts").exists() && !etc.join("..data").exists());
}

/// The volume's own mode is 0400, and files that have it become readable: one that was chosen must differ.
#[test]
fn a_private_key_stays_private() {
    let item = r#"{"key": "k", "path": "k", "mode": 256}"#;
    let items = format!(r#"[{{"configMap": {{"name": "a", "items": [{item}]}}}}]"#);
    let farm = generic().with(format!(
        "--set-json=ltsp.config.extraProjectedItems={items}"
    ));
    let pod = farm.objects().get("Deployment", BOOT_SERVER).to_string();
    assert!(pod.contains(r#""mode":384"#), "{pod}");
}
