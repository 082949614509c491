//! Bare machines boot from a rendered farm and join it, on a real admin cluster: `make boot-test`.
//!
//! The boot server, DHCP and the control plane are the farm's pods; the machines are QEMU's guests, on the network of the
//! admin cluster. Nothing here runs with `cargo test`: it takes minutes, and root.
//!
//!   KUBEFARM_BOOT_CHECKS=few   what CI runs at each change: two whole boots with their joins, and a few failures
//!   KUBEFARM_BOOT_IMAGE        the folder with the boot image, as images/boot/build.sh writes it
//!   KUBEFARM_E2E_HOLD          as for `make e2e`

mod support;

#[path = "e2e/admin_cluster.rs"]
#[allow(dead_code, reason = "this program needs a part of it")]
mod admin_cluster;
#[path = "boot/boot_server.rs"]
mod boot_server;
#[path = "boot/failures.rs"]
mod failures;
#[path = "boot/files.rs"]
mod files;
#[path = "boot/guest.rs"]
mod guest;
#[path = "boot/nodes.rs"]
mod nodes;
#[path = "e2e/release.rs"]
#[allow(dead_code, reason = "this program needs a part of it")]
mod release;
#[path = "e2e/runner.rs"]
mod runner;

use std::process::ExitCode;
use std::time::Instant;

use admin_cluster::AdminCluster;
use guest::Guest;
use release::Release;
use runner::Check;

/// What a check says it saw. A check that does not see what it should panics.
type Seen = String;

/// The farm under test, and its machines that are powered on.
struct Farm<'a> {
    release: Release<'a>,
    guests: Vec<Guest<'a>>,
}

/// What CI sees at each change.
fn few<'a>() -> Vec<(&'static str, Check<Farm<'a>>)> {
    vec![
        ("apply --wait: boot server, DHCP", nodes::apply),
        ("no boot with an image that is not right", failures::image),
        ("BIOS and UEFI, both over PXE: login", nodes::power_on),
        ("what is inside", nodes::inside),
        ("both join, with labels and taint", nodes::join),
    ]
}

/// What comes on top.
fn more<'a>() -> Vec<(&'static str, Check<Farm<'a>>)> {
    vec![
        ("logs, exec, a Service", nodes::pods),
        ("a script that fails ends no node", failures::script),
    ]
}

fn main() -> ExitCode {
    let began = Instant::now();
    let values = nodes::values();
    let Some(cluster) = AdminCluster::up(&values) else {
        return ExitCode::SUCCESS;
    };
    eprintln!("the admin cluster is up after {:.0?}", began.elapsed());
    let mut farm = Farm {
        release: Release::first(&cluster, values),
        guests: Vec::new(),
    };
    let mut checks = few();
    if std::env::var("KUBEFARM_BOOT_CHECKS").as_deref() != Ok("few") {
        checks.extend(more());
    }
    let explain = |farm: &Farm| farm.release.print_state();
    runner::run(&mut farm, &checks, explain, began)
}
