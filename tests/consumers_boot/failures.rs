//! What fails in a script of the user's is reported, and ends no boot.

use crate::consumers_boot::{PLAIN, boot};
use crate::support::Finished;
use crate::support::farms::{advanced_network, generic};
use crate::support::ltsp::Node;

#[test]
fn a_network_that_cannot_be_right_is_reported_and_the_boot_goes_on() {
    let outside = Node {
        ip: "10.63.1.11",
        ..PLAIN
    };
    let farm = advanced_network().with("--set=ltsp.config.options.DEBUG_SHELL=1");
    let Some(node) = boot(&farm, outside, None) else {
        return;
    };
    let Finished { stdout, stderr, .. } = &node.finished;
    assert!(stdout.contains("booted"), "{stdout}");
    for part in [
        "10.63.1.11 is outside of 10.64.0.0/16",
        "kubefarm: POST_INIT_NETWORKING failed",
    ] {
        assert!(stderr.contains(part), "no {part} in {stderr}");
    }
    // With DEBUG_SHELL there is a shell meanwhile.
    assert!(
        stdout.contains("a shell, since POST_INIT_NETWORKING failed"),
        "{stdout}"
    );
    assert_eq!(
        node.read("/run/ltsp/kubefarm-failed"),
        "POST_INIT_NETWORKING\n"
    );
    assert!(!node.path("/etc/netplan/50-kubefarm.yaml").exists());
}

/// What fails in a section of the user's, in a file or in a hook ends neither LTSP nor the rest of what it sets up, and
/// the variables that were set before stay.
#[test]
fn what_fails_is_reported_and_the_boot_goes_on() {
    let farm = generic()
        .with("--set-string")
        .with("ltsp.config.sections.init/=touch /run/before\nfalse\ntouch /run/behind\n")
        .with("--set-string")
        .with("ltsp.config.sections.02:00:00:40:01:0b=FSTAB_X='tmpfs /x tmpfs'\nexit 3\n")
        .with("--set-string")
        .with("ltsp.config.options.PRE_INIT_X=FSTAB_Y='tmpfs /y tmpfs'; . /etc/ltsp/nothing.sh")
        .with("--set-string")
        .with("ltsp.config.options.POST_INIT_X=. /etc/ltsp/join.sh");
    let join = "HOSTS_A='10.64.0.10 a'\nfalse\n";
    let Some(node) = boot(&farm, PLAIN, Some(join)) else {
        return;
    };
    let Finished { stdout, stderr, .. } = &node.finished;
    assert!(stdout.contains("booted"), "{stdout}{stderr}");
    assert!(node.path("/run/before").exists());
    assert!(!node.path("/run/behind").exists());
    let fstab = node.read("/etc/fstab");
    for line in ["tmpfs /x tmpfs\n", "tmpfs /y tmpfs\n"] {
        assert!(fstab.contains(line), "no {line} in {fstab}");
    }
    assert!(node.read("/etc/hosts").contains("10.64.0.10 a"));
    let failed = node.read("/run/ltsp/kubefarm-failed");
    for name in [
        "section-init.sh",
        "section-02_00_00_40_01_0b.sh",
        "PRE_INIT_X",
        "POST_INIT_X",
        "kubeadm-join.conf",
    ] {
        assert!(
            failed.lines().any(|line| line == name),
            "no {name} in {failed}"
        );
        assert!(
            stderr.contains(&format!("kubefarm: {name} failed")),
            "{stderr}"
        );
    }
    // What comes after is done.
    assert!(
        node.path("/etc/systemd/system/kubelet.service.d/99-kubefarm.conf")
            .exists()
    );
}
