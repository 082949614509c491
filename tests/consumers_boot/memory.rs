//! What a node makes of its size: the file systems in RAM, the journal, and what its kubelet keeps free.

use std::fs::{create_dir_all, read_to_string, write};
use std::path::Path;
use std::process::Command;

use crate::consumers_boot::{Booted, PLAIN, STORAGE, boot_well, namespaces};
use crate::support::farms::{Farm, generic};
use crate::support::{program, project, run};

/// Where they are, and as what.
const FOLDERS: [&str; 5] = [
    "/var/lib/kubelet",
    "/var/lib/containerd",
    "/var/log/pods",
    "/tmp",
    "/dev/shm",
];

/// The size of the tmpfs that is mounted there, in MiB.
#[track_caller]
fn size(fstab: &str, folder: &str) -> u64 {
    let mut lines = fstab
        .lines()
        .filter(|line| line.split(' ').nth(1) == Some(folder));
    let line = lines
        .next()
        .unwrap_or_else(|| panic!("no {folder} in {fstab}"));
    assert_eq!(lines.next(), None, "{fstab}");
    let options = line.split(' ').nth(3).expect("options");
    let size = options
        .split(',')
        .find_map(|option| option.strip_prefix("size="));
    let size = size.and_then(|size| size.strip_suffix('m')?.parse().ok());
    size.unwrap_or_else(|| panic!("no size in {line}"))
}

/// The numbers with Mi that stand behind a key, added up.
fn mebibytes(settings: &str, keys: &[&str]) -> u64 {
    let lines = settings
        .lines()
        .filter_map(|line| line.trim().split_once(": "));
    let lines = lines.filter(|(key, _)| keys.contains(key));
    let sizes = lines.filter_map(|(_, size)| size.strip_suffix("Mi")?.parse::<u64>().ok());
    sizes.sum()
}

/// This machine's memory, which the boots here see, in MiB.
fn total() -> u64 {
    let meminfo = read_to_string("/proc/meminfo").expect("proc(5)");
    let line = meminfo.lines().next().expect("MemTotal");
    let kib = line.split_whitespace().nth(1).expect("a number");
    kib.parse::<u64>().expect("a number") / 1024
}

/// What the kubelet would be given where the cluster says nothing.
fn kubelet_settings(node: &Booted) -> String {
    ["kubeReserved", "systemReserved", "evictionHard"]
        .map(|key| node.read(&format!("/run/kubefarm-node/kubelet/{key}")))
        .concat()
}

#[test]
fn a_node_divides_its_memory() {
    let Some(node) = boot_well(&generic(), PLAIN, None) else {
        return;
    };
    let fstab = node.read("/etc/fstab");
    let all: u64 = FOLDERS.iter().map(|folder| size(&fstab, folder)).sum();
    let settings = kubelet_settings(&node);
    let kept = mebibytes(&settings, &["memory", "memory.available"]);
    assert!(all > total() / 2 && kept > 300, "{fstab}\n{settings}");
    assert!(all + kept <= total(), "{fstab}\n{settings}");
    assert!(settings.contains("nodefs.available: 10%"), "{settings}");
    let journal = node.read("/etc/systemd/journald.conf.d/50-kubefarm.conf");
    for key in ["SystemMaxUse=", "RuntimeMaxUse="] {
        assert!(journal.contains(key), "{journal}");
    }
    // Nobody asked for a disk, nor for a syslog server.
    for file in ["disk", "syslog"] {
        assert!(!node.path(&format!("/run/kubefarm-node/{file}")).exists());
    }
}

/// A size, another file system and a folder of the user's stay; a tag can have its own.
#[test]
fn what_the_values_say_stays() {
    let options = r#"tags.ltspOptions={
        "all": {"FSTAB_KUBELET": "tmpfs /var/lib/kubelet tmpfs size=1g 0 0",
            "FSTAB_CONTAINERD": "/dev/sda1 /var/lib/containerd ext4 defaults 0 0",
            "FSTAB_MINE": "none /tmp tmpfs defaults 0 0"},
        "storage": {"FSTAB_KUBELET": "tmpfs /var/lib/kubelet tmpfs defaults 0 0"}}"#;
    let farm = generic().with("--set-json").with(options);
    let farm = farm.with("--set=ltsp.config.journal.maxUse=77M");
    let Some(node) = boot_well(&farm, PLAIN, None) else {
        return;
    };
    let fstab = node.read("/etc/fstab");
    for line in [
        "tmpfs /var/lib/kubelet tmpfs size=1g 0 0",
        "/dev/sda1 /var/lib/containerd ext4 defaults 0 0",
        "none /tmp tmpfs defaults 0 0",
    ] {
        assert!(fstab.lines().any(|found| found == line), "{fstab}");
    }
    assert_eq!(fstab.matches(" /tmp ").count(), 1, "{fstab}");
    let journal = node.read("/etc/systemd/journald.conf.d/50-kubefarm.conf");
    assert_eq!(journal, "[Journal]\nSystemMaxUse=77M\nRuntimeMaxUse=77M\n");
    if let Some(node) = boot_well(&farm, STORAGE, None) {
        assert!(size(&node.read("/etc/fstab"), "/var/lib/kubelet") > 100);
    }
}

#[test]
fn without_it_nothing_is_computed() {
    let farm = generic().with("--set=ltsp.config.memory.enabled=false");
    let Some(node) = boot_well(&farm, PLAIN, None) else {
        return;
    };
    let fstab = node.read("/etc/fstab");
    assert!(
        !fstab.contains("size=") && !fstab.contains("/tmp"),
        "{fstab}"
    );
    assert!(!node.path("/run/kubefarm-node/kubelet").exists());
    // The kubelet is given this folder in any case.
    assert!(node.path("/run/kubefarm-node/kubelet.conf.d").exists());
    assert!(!node.path("/etc/systemd/journald.conf.d").exists());
}

/// The settings of a disk arrive as they are, a tag's over those of all.
#[test]
fn a_disk_and_a_syslog_server_are_handed_on() {
    let disk =
        r#"ltsp.config.localDisk={"device": "by-id/nvme-*", "minSize": "10Gi", "use": ["images"]}"#;
    let tag =
        r#"tags.ltspOptions.storage={"KUBEFARM_DISK_WIPE": "1", "KUBEFARM_DISK_LABEL": "it's $x"}"#;
    let farm = generic().with("--set-json").with(disk);
    let farm = farm.with("--set-json").with(tag);
    let farm = farm.with("--set=ltsp.config.syslog=logs.example.org");
    let Some(node) = boot_well(&farm, STORAGE, None) else {
        return;
    };
    assert_eq!(
        node.read("/run/kubefarm-node/disk"),
        "label='it'\\''s $x'\npattern='by-id/nvme-*'\nleast='10Gi'\nmost=''\nwipe='1'\nuses='images'\nswap=''\n"
    );
    assert_eq!(
        node.read("/run/kubefarm-node/syslog"),
        "KUBEFARM_SYSLOG=logs.example.org:514\n"
    );
    let forward = node.read("/etc/systemd/journald.conf.d/50-kubefarm-syslog.conf");
    assert_eq!(forward, "[Journal]\nForwardToSyslog=yes\n");
    if let Some(node) = boot_well(&farm, PLAIN, None) {
        let settings = node.read("/run/kubefarm-node/disk");
        assert!(settings.contains("label='kubefarm'\n"), "{settings}");
        assert!(settings.contains("wipe=''\n"), "{settings}");
    }
}

/// The plan for machines of 1 GiB to 2 TiB, with an image of 250 MiB.
#[test]
fn all_of_it_at_once_leaves_programs_their_memory() {
    let script = project().join("charts/ltsp/files/memory.sh");
    let plan = format!(
        ". {}; for gib in 1 2 4 16 64 256 1024 2048; do kubefarm_plan $((gib * 1000)) 250 $((gib / 2)); \
         echo $gib $((containerd_size + kubelet_size + overlay_size + logs_size + 2 * temporary_size)) \
         $((kube_reserved + system_reserved + threshold)) $cpu_reserved $threshold $journal_size $log_size \
         $containerd_size; done",
        script.display()
    );
    let plans = run(Command::new("dash").args(["-euc", &plan])).success();
    let mut before = 0;
    for line in plans.lines() {
        let numbers: Vec<u64> = line
            .split(' ')
            .map(|text| text.parse().expect(line))
            .collect();
        let &[gib, disks, kept, cpu, threshold, journal, log, images] = numbers.as_slice() else {
            panic!("{line}");
        };
        let total = gib * 1000;
        // Too small for a node: it is to boot, and that is all.
        if gib == 1 {
            assert!(disks >= total / 5, "{line}");
            continue;
        }
        assert!(disks + kept <= total, "{line}");
        assert!(
            disks >= total / 4 && disks + kept > total * 17 / 20,
            "{line}"
        );
        assert!((100..=1024).contains(&threshold), "{line}");
        assert!((16..=512).contains(&journal), "{line}");
        assert!((1..=10).contains(&log), "{line}");
        assert!(kept - 250 <= (total / 4).clamp(330, 5 * 1024), "{line}");
        assert!(cpu <= 1000, "{line}");
        assert!(disks > before && images > disks * 2 / 5, "{line}");
        before = disks;
    }
    assert_eq!(plans.lines().count(), 8);
}

/// What kubeadm has written wins, unless it is one of the empty values that kubeadm writes for what nobody set.
#[test]
fn the_clusters_own_configuration_wins() {
    let folder = tempfile::tempdir().expect("a folder");
    let node = folder.path();
    create_dir_all(node.join("kubelet")).expect("a folder");
    for key in [
        "evictionHard",
        "failSwapOn",
        "kubeReserved",
        "list",
        "memorySwap",
        "shut",
    ] {
        write(node.join("kubelet").join(key), format!("{key}: computed\n")).expect("written");
    }
    let configuration = "apiVersion: kubelet.config.k8s.io/v1beta1\nkubeReserved:\n  memory: 1Gi\nlist:\n- a\nmemorySwap: {}\n\
                         logging:\n  failSwapOn: true\nshut: 0s\nevictionHard:\nvolume: x\n";
    write(node.join("config.yaml"), configuration).expect("written");
    let made = settings(node);
    let settings = "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\nevictionHard: computed\n\
                    failSwapOn: computed\nmemorySwap: computed\nshut: computed\n";
    assert_eq!(made, settings);
    // Before there is a configuration, and where nothing is computed.
    std::fs::remove_file(node.join("config.yaml")).expect("removed");
    assert_eq!(self::settings(node).lines().count(), 8);
    std::fs::remove_dir_all(node.join("kubelet")).expect("removed");
    assert_eq!(self::settings(node).lines().count(), 2);
}

fn settings(node: &Path) -> String {
    let mut sh = Command::new("dash");
    sh.arg(project().join("charts/ltsp/files/kubelet-settings.sh"));
    run(sh.arg(node.join("config.yaml")).arg(node)).success();
    read_to_string(node.join("kubelet.conf.d/50-kubefarm.conf")).expect("written")
}

/// A disk is empty only if nothing at all is on it, and in use as soon as one thing of it is.
#[test]
fn an_empty_disk_is_told_from_a_used_one() {
    let Some(seen) = on_a_loop_device(
        "is_empty $d; echo zeros $?; \
         printf x | dd of=$d bs=1 seek=$((64 * 1048576 - 1)) status=none; is_empty $d; echo last byte $?; \
         dd if=/dev/zero of=$d bs=1M seek=63 count=1 status=none; is_empty $d; echo zeros again $?; \
         printf x | dd of=$d bs=1 seek=16000000 status=none; is_empty $d; echo a byte $?; \
         dd if=/dev/zero of=$d bs=1M count=16 status=none; format $d; is_empty $d; echo formatted $?; \
         is_in_use $d; echo not in use $?; blkid -o value -s LABEL $d; \
         mount $d $folder; is_in_use $d; echo in use $?; umount $folder",
    ) else {
        return;
    };
    assert_eq!(
        seen,
        "zeros 0\nlast byte 1\nzeros again 0\na byte 1\nformatted 1\nnot in use 1\nkubefarm\nin use 0\n"
    );
}

/// A tmpfs that is full gets a little more, for the kubelet to write while it evicts, and loses it again.
#[test]
fn the_kubelet_has_room_where_pods_have_none() {
    let Some(mut command) = namespaces() else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let text =
        read_to_string(project().join("charts/ltsp/files/kubelet-room.sh")).expect("a script");
    let (functions, _) = text.split_once("\nwhile sleep").expect("the loop");
    let script = format!(
        "mount -t tmpfs -o size=100m none {here}\nset -- {here}\n{functions}\n\
         say() {{ measure; echo \"$1 $total $((free / 1024))\"; }}\n\
         adjust; say empty\n\
         dd if=/dev/zero of={here}/pod 2>/dev/null || true\nsay full\n\
         adjust; say more\necho state >{here}/state\nadjust; say enough\n\
         for time in 1 2 3 4 5; do dd if=/dev/zero of={here}/pod$time 2>/dev/null || true; adjust; done; say at-most\n\
         rm {here}/pod; adjust; say again\n",
        here = folder.path().display()
    );
    let seen = run(command.args(["dash", "-eu", "-c", &script])).success();
    assert_eq!(
        seen,
        "empty 102400 100\nfull 102400 0\nmore 106496 4\nenough 106496 3\nat-most 110592 0\nagain 102400 92\n"
    );
}

#[test]
fn sizes_are_quantities() {
    let quantities = "for size in 10Gi 1e9 .5G 500k 2Ti 7 1E 3Ki ''; do bytes \"$size\"; done";
    let text = read_to_string(project().join("charts/ltsp/files/local-disk.sh")).expect("a script");
    let (_, functions) = text.split_once("\n# bytes").expect("a function");
    let (function, _) = functions.split_once("\nleast=").expect("a function");
    let script = format!("#{function}\n{quantities}");
    for awk in ["mawk", "busybox"] {
        let Some(awk) = program(awk, awk) else {
            continue;
        };
        let name = if awk.ends_with("busybox") {
            "busybox awk"
        } else {
            "mawk"
        };
        let script = script.replace("| awk", &format!("| {name}"));
        let bytes = run(Command::new("dash").args(["-euc", &script])).success();
        assert_eq!(
            bytes,
            "10737418240\n1000000000\n500000000\n500000\n2199023255552\n7\n1000000000000000000\n3072\n",
            "{name}"
        );
    }
}

/// Runs a script with the functions of local-disk.sh, and a device of 64 MiB as `$d`.
fn on_a_loop_device(script: &str) -> Option<String> {
    for (name, package) in [
        ("losetup", "mount"),
        ("mkfs.ext4", "e2fsprogs"),
        ("lsblk", "util-linux"),
    ] {
        program(name, package)?;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let text = read_to_string(project().join("charts/ltsp/files/local-disk.sh")).expect("a script");
    let (functions, _) = text
        .split_once("\n# Sets $device, or fails")
        .expect("functions");
    let here = folder.path().display();
    // The machine of the test has no udev.
    let functions = functions
        .replace("/run/kubefarm-node", &here.to_string())
        .replace("/var/lib/kubefarm-disk", &format!("{here}/mounted"))
        .replace("udevadm settle --timeout=30", "true");
    create_dir_all(folder.path().join("mounted")).expect("a folder");
    write(folder.path().join("disk"), "label=kubefarm\n").expect("written");
    let script = format!(
        "{functions}\nset +e\ntruncate -s 64M {here}/image\nd=$(losetup --show -f {here}/image) || exit 77\n\
         trap 'losetup -d $d' EXIT\n{script}\n"
    );
    write(folder.path().join("script"), script).expect("written");
    let finished = run(Command::new("dash").arg(folder.path().join("script")));
    if finished.status.code() == Some(77) {
        crate::support::skip("needs the right to make loop devices");
        return None;
    }
    Some(finished.success())
}

/// A farm with the settings of all these still renders where only a tag names a disk.
#[test]
fn a_tag_alone_can_name_a_disk() {
    let farm: Farm = generic()
        .with("--set-json")
        .with(r#"tags.ltspOptions.storage={"KUBEFARM_DISK_LABEL": "data"}"#);
    let Some(node) = boot_well(&farm, STORAGE, None) else {
        return;
    };
    let settings = node.read("/run/kubefarm-node/disk");
    assert!(settings.contains("label='data'\n") && settings.contains("uses='images kubelet'\n"));
    if let Some(node) = boot_well(&farm, PLAIN, None) {
        assert!(!node.path("/run/kubefarm-node/disk").exists());
    }
}
