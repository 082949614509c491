//! DHCP as machines see it: rendered farms, real dnsmasq, real clients, each with a card at one segment.

mod boot_files;
mod leases;
mod many;
mod neighbours;
mod network;
mod overlapping;
mod proxy;
mod reload;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::support::dnsmasq::{configuration_files, host_files, mount};
use crate::support::farms::{Farm, Objects};

/// The DHCP server of a release with the default name.
const SERVER: &str = "kubefarm-kubernetes-ltsp-dhcp";

/// The farm with a dnsmasq of its own.
fn own_dnsmasq(farm: Farm) -> Farm {
    farm.with("--set=dhcp.mode=standalone,dhcp.standalone.interface=eth1")
}

/// Shows what was applied to the server that runs in `folder`, as Kubernetes does a while later.
fn turn_to(objects: &Objects, name: &str, folder: &Path) {
    static VERSIONS: AtomicUsize = AtomicUsize::new(0);
    let version = format!("turned{}", VERSIONS.fetch_add(1, Ordering::Relaxed));
    let settings = configuration_files(objects, name, folder);
    mount(&folder.join("config"), &version, &settings);
    mount(&folder.join("hosts"), &version, &host_files(objects, name));
}
