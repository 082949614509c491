//! Bare machines boot from a rendered farm and join it, on a real admin cluster: `make boot-test`.
//!
//! The boot server, DHCP and the control plane are the farm's pods; the machines are QEMU's guests, on the network of the
//! admin cluster. Nothing here runs with `cargo test`: it takes minutes, and root.
//!
//!   KUBEFARM_BOOT_CHECKS=few   what CI runs at each change: two whole boots with their joins, and a few failures
//!   KUBEFARM_BOOT_CHECKS=nodes   with what comes on top for the two nodes
//!   KUBEFARM_BOOT_CHECKS=others  what comes last of all, alone
//!   KUBEFARM_BOOT_CHECKS=rack    two hundred machines without processors of their own, alone
//!   KUBEFARM_BOOT_CHECKS=hardened  Secure Boot with the operator's key, alone
//!   KUBEFARM_BOOT_CHECKS=ram     what a node does with its RAM, and with a disk, alone
//!   KUBEFARM_BOOT_CHECKS=demo  what `make demo` shows
//!   KUBEFARM_BOOT_IMAGE        the folder with the boot image, as images/boot/build.sh writes it
//!   KUBEFARM_E2E_HOLD          as for `make e2e`

mod boot_server;
mod catch_all;
mod configuration;
mod demo;
mod environment;
mod failures;
mod files;
mod firmware;
mod guest;
mod hardened;
mod inside;
mod loaders;
mod many;
mod network;
mod nodes;
mod outages;
mod rack;
mod ram;

use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime};

use guest::Guest;

use crate::e2e::Seen;
use crate::e2e::admin_cluster::AdminCluster;
use crate::e2e::release::Release;
use crate::e2e::runner::{self, Check};

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
        ("no boot with a wrong configuration", configuration::wrong),
        ("own keys: no shim, no other kernel", hardened::refuses),
        ("BIOS and UEFI, both over PXE: login", nodes::power_on),
        ("what is inside", inside::look),
        ("both join, with labels and taint", nodes::join),
        ("each step of their way is known", nodes::way),
    ]
}

/// What comes on top, with the two nodes.
fn with_nodes<'a>() -> Vec<(&'static str, Check<Farm<'a>>)> {
    vec![
        ("logs, exec, a Service", nodes::pods),
        ("boot server and agent away, a reboot", outages::boot_server),
        ("the power of a node is cut", outages::power_cut),
        ("the power of everything is cut", outages::power_loss),
    ]
}

/// What comes on top, with a small machine that has a disk.
fn ram<'a>() -> Vec<(&'static str, Check<Farm<'a>>)> {
    vec![
        ("2 GiB: a full emptyDir, Ready", ram::full),
        ("a disk that may be wiped", ram::disk),
    ]
}

/// What comes on top, with firmware that trusts the operator alone.
fn hardened<'a>() -> Vec<(&'static str, Check<Farm<'a>>)> {
    vec![
        ("own keys: no shim, no other kernel", hardened::refuses),
        ("own keys: a signed kernel joins", hardened::boots),
        ("own keys: by HTTPS", hardened::over_https),
    ]
}

/// What comes on top, with other machines.
fn others<'a>() -> Vec<(&'static str, Check<Farm<'a>>)> {
    vec![
        ("boot servers end during a boot", outages::replaced),
        ("Secure Boot, iPXE: login", loaders::secure_boot),
        ("HTTP boot: login; an altered kernel", loaders::http),
        ("own keys: a signed kernel joins", hardened::boots),
        ("own keys: by HTTPS", hardened::over_https),
        ("a configuration of last week", configuration::replayed),
        ("a network that fails", failures::network),
        ("a bond, and a VLAN over it", network::bond),
        ("a script that fails ends no node", failures::script),
        ("many machines at once", many::clients),
        ("a rack of 200, and 5 that stop", rack::boots),
        ("an unknown machine moves to a farm", catch_all::moves),
    ]
}

pub fn run() -> ExitCode {
    let began = began();
    let values = nodes::values();
    let Some(cluster) = AdminCluster::up(&values) else {
        return ExitCode::SUCCESS;
    };
    eprintln!("the admin cluster is up after {:.0?}", began.elapsed());
    let mut farm = Farm {
        release: Release::first(&cluster, values),
        guests: Vec::new(),
    };
    let checks = match std::env::var("KUBEFARM_BOOT_CHECKS").as_deref() {
        Ok("demo") => return demo::run(&mut farm, began),
        Ok("few") => few(),
        Ok("nodes") => [few(), with_nodes()].concat(),
        Ok("rack") => {
            let begin = few().into_iter().take(1);
            begin
                .chain([(
                    "a rack of 200, and 5 that stop",
                    rack::boots as Check<Farm<'_>>,
                )])
                .collect()
        }
        Ok("hardened") => few().into_iter().take(1).chain(hardened()).collect(),
        Ok("ram") => few().into_iter().take(1).chain(ram()).collect(),
        Ok("others") => few().into_iter().take(1).chain(others()).collect(),
        _ => [few(), with_nodes(), ram(), others()].concat(),
    };
    let explain = |farm: &Farm| farm.release.print_state();
    runner::run(&mut farm, &checks, explain, began)
}

/// When the user started the demo: KUBEFARM_DEMO_BEGAN, in seconds since 1970, or now.
fn began() -> Instant {
    let now = Instant::now();
    let began = std::env::var("KUBEFARM_DEMO_BEGAN").ok();
    let began = began.and_then(|began| began.parse().ok());
    let since = began.and_then(|began| {
        let began = SystemTime::UNIX_EPOCH + Duration::from_secs(began);
        began.elapsed().ok()
    });
    since
        .and_then(|since| now.checked_sub(since))
        .unwrap_or(now)
}
