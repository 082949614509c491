//! One boot file for each kind of firmware, in both modes.

use std::path::Path;

use crate::dhcp::network::{Lease, Machine, Network};
use crate::dhcp::{SERVER, own_dnsmasq};
use crate::support::dnsmasq::{Server, controller, mount, standalone};
use crate::support::farms::{Farm, generic};

const MAC: &str = "02:00:00:40:06:0b";
const ADDRESS: &str = "--set=ltsp.service.loadBalancerIP=10.64.0.11";
const SHIM: &str = "ltsp/grub/x86_64-efi/shimx64.efi";
const GRUB_ARM64: &str = "ltsp/grub/arm64-efi/core.efi";

/// What iPXE sends of itself: options inside option 175.
const IPXE: [&str; 2] = ["-x", "0xaf:b10501808610d3"];

fn url(file: &str) -> String {
    format!("http://10.64.0.11/{file}")
}

/// Boot file, and what a machine is told of the server's kind.
fn told(lease: Option<Lease>) -> (String, Option<String>) {
    let lease = lease.expect("a lease");
    assert_eq!(lease["siaddr"], "10.64.0.11");
    assert_eq!(lease["tftp"], "10.64.0.11");
    // The old field of the packet is for those who do not ask for the option.
    assert_eq!(lease.get("boot_file"), None, "{lease:?}");
    let file = lease.get("bootfile").cloned().unwrap_or_default();
    (file, lease.get("vendor").cloned())
}

fn assert_boot_files(machine: &Machine) {
    let http_client = Some("HTTPClient".to_owned());
    for (architecture, file, kind) in [
        (0, "ltsp/grub/i386-pc/core.0".to_owned(), None),
        (7, SHIM.to_owned(), None),
        (9, SHIM.to_owned(), None),
        (11, GRUB_ARM64.to_owned(), None),
        (16, url(SHIM), http_client.clone()),
        (19, url(GRUB_ARM64), http_client),
        // UEFI of 32 bits, UEFI of other processors: an address, and nothing to boot.
        (6, String::new(), None),
        (10, String::new(), None),
        (15, String::new(), None),
        (18, String::new(), None),
        (27, String::new(), None),
    ] {
        let found = told(machine.boot(architecture));
        assert_eq!(found, (file, kind), "architecture {architecture}");
    }
    let script = url("ltsp/boot.ipxe");
    for (architecture, file) in [
        (0, script.as_str()),
        (7, &script),
        (11, &script),
        (6, ""),
        (10, ""),
    ] {
        let number = format!("0x5d:{architecture:04x}");
        let lease = machine.ask(&["-x", &number, IPXE[0], IPXE[1]]);
        assert_eq!(
            told(lease),
            (file.to_owned(), None),
            "iPXE on {architecture}"
        );
    }
}

/// The farm's own dnsmasq where a Job has published the address, whose options are in its arguments.
fn published(farm: &Farm, folder: &Path) -> Server {
    let objects = farm.objects();
    let mut jobs = objects.of_kind("Job");
    let arguments = jobs.find_map(|job| {
        let arguments = job["spec"]["template"]["spec"]["containers"][0]["args"].as_array()?;
        let texts: Vec<&str> = arguments.iter().filter_map(|text| text.as_str()).collect();
        texts
            .iter()
            .any(|text| text.starts_with("--option="))
            .then_some(texts)
    });
    let arguments = arguments.expect("the Job").into_iter();
    let options = arguments.filter_map(|text| text.strip_prefix("--option="));
    let lines: String = options
        .map(|option| option.replace("{address}", "10.64.0.11") + "\n")
        .collect();
    assert_eq!(lines.lines().count(), 5, "{lines}");
    let server = standalone(&objects, SERVER, folder);
    mount(
        &folder.join("address"),
        "first",
        &[("options".to_owned(), lines)],
    );
    server
}

#[test]
fn the_farms_own_server_names_one_boot_file_for_each_kind_of_firmware() {
    let Some(network) = Network::new() else {
        return;
    };
    let known = tempfile::tempdir().expect("a folder");
    let server = standalone(
        &own_dnsmasq(generic()).with(ADDRESS).objects(),
        SERVER,
        known.path(),
    );
    let running = network.serve("10.64.0.2", &server, known.path());
    let machine = network.machine(MAC);
    assert_boot_files(&machine);
    running.stop();

    let told = tempfile::tempdir().expect("a folder");
    let server = published(&own_dnsmasq(generic()), told.path());
    let _running = network.serve("10.64.0.2", &server, told.path());
    assert_boot_files(&machine);
}

/// Machines with UEFI get the operator's signed kernel, the others nothing that would start without being verified.
#[test]
fn a_farm_with_a_signed_kernel_names_that_and_nothing_else() {
    let Some(network) = Network::new() else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let farm = own_dnsmasq(generic())
        .with(ADDRESS)
        .with("--set=ltsp.unifiedKernelImage=true");
    let server = standalone(&farm.objects(), SERVER, folder.path());
    let _running = network.serve("10.64.0.2", &server, folder.path());
    let machine = network.machine(MAC);
    let uki = "ltsp/uki/kubefarm.efi";
    for (architecture, file, kind) in [
        (0, String::new(), None),
        (7, uki.to_owned(), None),
        (9, uki.to_owned(), None),
        (11, String::new(), None),
        (16, url(uki), Some("HTTPClient".to_owned())),
        (19, String::new(), None),
    ] {
        let found = told(machine.boot(architecture));
        assert_eq!(found, (file, kind), "architecture {architecture}");
    }
    for architecture in [0, 7] {
        let number = format!("0x5d:{architecture:04x}");
        let lease = machine.ask(&[&IPXE[..], &["-x", &number]].concat());
        assert_eq!(told(lease).0, "", "iPXE, architecture {architecture}");
    }
}

#[test]
fn a_signed_kernel_comes_by_https_where_the_boot_server_has_a_certificate() {
    let Some(network) = Network::new() else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let farm = own_dnsmasq(generic())
        .with(ADDRESS)
        .with("--set=ltsp.unifiedKernelImage=true,ltsp.tlsSecret=boot-tls");
    let server = standalone(&farm.objects(), SERVER, folder.path());
    let _running = network.serve("10.64.0.2", &server, folder.path());
    let (file, kind) = told(network.machine(MAC).boot(16));
    assert_eq!(file, "https://10.64.0.11/ltsp/uki/kubefarm.efi");
    assert_eq!(kind.as_deref(), Some("HTTPClient"));
}

#[test]
fn dnsmasq_controller_names_the_same() {
    let Some(network) = Network::new() else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let farm = generic()
        .with(ADDRESS)
        .with("--set=dhcp.installController=true");
    let server = controller(&[&farm.objects()], folder.path());
    let _running = network.serve("10.64.0.2", &server, folder.path());
    assert_boot_files(&network.machine(MAC));
}

/// What machines are told to load, where the user names boot files: MAC, architecture, file. Whatever the order of the
/// options in dnsmasq's files, which is anybody's guess with dnsmasq-controller.
#[track_caller]
fn assert_users_files(own: &str, expected: &[(&str, u16, &str)]) {
    let Some(network) = Network::new() else {
        return;
    };
    let farm = generic()
        .with(ADDRESS)
        .with(format!("--set-json=tags.dhcpOptions={own}"));
    let folders = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
    let [one, other] = folders.each_ref().map(tempfile::TempDir::path);
    let mut shared = controller(
        &[&farm
            .clone()
            .with("--set=dhcp.installController=true")
            .objects()],
        other,
    );
    shared.options.reverse();
    std::fs::write(other.join("options"), shared.options.join("\n") + "\n").expect("written");
    let alone = standalone(&own_dnsmasq(farm).objects(), SERVER, one);
    for (server, folder) in [(alone, one), (shared, other)] {
        let running = network.serve("10.64.0.2", &server, folder);
        for (mac, architecture, file) in expected {
            let told = told(network.machine(mac).boot(*architecture)).0;
            assert_eq!(told, *file, "{mac} {architecture}");
        }
        running.stop();
    }
}

/// A node without the tag `storage`.
const OTHER_MAC: &str = "02:00:00:40:01:0a";

#[test]
fn a_boot_file_of_the_users_wins() {
    assert_users_files(
        r#"{"storage": {"bootfile-name": "own.efi"}, "X86PC": {"67": "own.0"}}"#,
        &[
            (MAC, 7, "own.efi"),
            (MAC, 16, "own.efi"),
            (OTHER_MAC, 7, SHIM),
            (OTHER_MAC, 0, "own.0"),
        ],
    );
}

#[test]
fn a_boot_file_for_all_is_the_only_one() {
    assert_users_files(
        r#"{"all": {"bootfile-name": "own.efi"}}"#,
        &[
            (MAC, 7, "own.efi"),
            (MAC, 16, "own.efi"),
            (OTHER_MAC, 0, "own.efi"),
        ],
    );
}
