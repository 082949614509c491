//! `make demo`: what a farm is, from power-on to a Service that answers, and then a look around.

use std::process::ExitCode;
use std::time::Instant;

use crate::boot::nodes::{self, PLAIN};
use crate::boot::{Farm, Seen};
use crate::e2e::runner::{self, Check};

fn stages<'a>() -> [(&'static str, Check<Farm<'a>>); 5] {
    [
        (
            "kubefarm apply --wait: control plane, boot server and DHCP of a farm, as pods",
            nodes::apply,
        ),
        (
            "power on: r1n01 with BIOS, r1n06 with UEFI, nothing on their disks",
            nodes::power_on,
        ),
        ("both join the child cluster", nodes::join),
        ("a pod on each, behind one Service", nodes::pods),
        ("the child cluster", look),
    ]
}

/// Shows it, and keeps it running until Enter is pressed. `began` is when the user started the demo.
pub fn run(farm: &mut Farm, began: Instant) -> ExitCode {
    let explain = |farm: &Farm| farm.release.print_state();
    let code = runner::run(farm, &stages(), explain, began);
    if code == ExitCode::SUCCESS {
        println!(
            "\nLook around, in another terminal:\n\n  \
             KUBEFARM_CLUSTER=kubefarm-boot tests/admin-cluster/enter.sh admin kubectl get pods -A\n  \
             KUBEFARM_CLUSTER=kubefarm-boot tests/admin-cluster/enter.sh admin ssh -i {} root@{}\n",
            crate::boot::guest::key(farm.release.cluster).display(),
            PLAIN[1],
        );
        runner::hold();
    }
    code
}

/// What people look at first.
fn look(farm: &mut Farm) -> Seen {
    let release = &farm.release;
    for arguments in [
        &["get", "nodes", "-o", "wide"][..],
        &["get", "pods", "-A", "-o", "wide"],
        &["get", "services", "-A"],
    ] {
        let answer = release.child(arguments).success();
        eprintln!("\n$ kubectl {}\n{}", arguments.join(" "), answer.trim_end());
    }
    eprintln!();
    "as its admin sees it".to_owned()
}
