//! Other ways from power-on to the kernel: Secure Boot, iPXE, UEFI's HTTP boot.

use std::fs;

use crate::boot::boot_server::BootServer;
use crate::boot::files::{self, Files, WebServer};
use crate::boot::firmware::{Firmware, Over};
use crate::boot::guest::{Guest, LOGIN, Machine};
use crate::boot::nodes::STORAGE;
use crate::boot::{Farm, Seen};

/// A node that UEFI boots by HTTP: name, address, MAC.
const HTTP: [&str; 3] = ["r1n03", "10.64.1.13", "02:00:00:40:03:0a"];
/// One whose firmware is iPXE.
const IPXE: [&str; 3] = ["r1n02", "10.64.1.12", "02:00:00:40:02:0a"];
/// One whose DHCP options name the web server beside the farm.
const ALTERED: &str = "02:00:00:40:04:0a";

/// Secure Boot with the keys of Microsoft, and a firmware that is iPXE.
pub fn secure_boot(farm: &mut Farm) -> Seen {
    // They have been seen, and their names and addresses are taken over.
    farm.guests.clear();
    let cluster = farm.release.cluster;
    let secure = Firmware::Uefi {
        secure_boot: true,
        over: Over::Tftp,
    };
    let power_on = |[name, _, mac]: [&str; 3], firmware| {
        Guest::power_on(cluster, &Machine::new(name, &[mac], firmware))
    };
    let mut secure = power_on(STORAGE, secure);
    let mut ipxe = power_on(IPXE, Firmware::Bios);
    let logins = [
        secure.wait_for(" login:", LOGIN),
        ipxe.wait_for(" login:", LOGIN),
    ];
    let lockdown = "cat /sys/kernel/security/lockdown";
    let lockdown = secure.shell(STORAGE[1], lockdown).success();
    assert!(lockdown.contains("[integrity]"), "{lockdown}");
    let loaded = ipxe.shell(IPXE[1], "cat /proc/cmdline").success();
    assert!(loaded.contains("initrd=ltsp.img"), "{loaded}");
    let lease = "as the boot loader got it";
    assert!(ipxe.console().contains(lease), "DHCP was asked twice");
    let [secure, ipxe] = logins.map(|login| login.as_secs_f64());
    format!(
        "login after {secure:.0} s with Secure Boot on and the kernel locked down, {ipxe:.0} s with iPXE"
    )
}

/// UEFI loads shim over HTTP; with Secure Boot on, GRUB does not start a kernel with one bit changed.
pub fn http(farm: &mut Farm) -> Seen {
    let cluster = farm.release.cluster;
    let server = WebServer::start(cluster);
    serve_altered_kernel(
        &Files::new(cluster),
        &server,
        &BootServer::of(&farm.release),
    );
    let power_on = |name, mac, secure_boot| {
        let over = Over::Http;
        let firmware = Firmware::Uefi { secure_boot, over };
        Guest::power_on(cluster, &Machine::new(name, &[mac], firmware))
    };
    let mut altered = power_on("altered", ALTERED, true);
    let refused = altered.wait_for("bad shim signature", LOGIN);
    // What GRUB does then is in its menu too.
    altered.wait_for("trying again in 15 seconds", LOGIN);
    assert!(
        !altered.console().contains("Linux version"),
        "it was started"
    );
    drop(altered);
    let [name, address, mac] = HTTP;
    let mut guest = power_on(name, mac, false);
    guest.wait_for("Start HTTP Boot over IPv4", LOGIN);
    let login = guest.wait_for(" login:", LOGIN);
    let hostname = guest.shell(address, "hostname").success();
    assert_eq!(hostname.trim(), name);
    format!(
        "login after {:.0} s; the altered kernel refused after {:.0} s",
        login.as_secs_f64(),
        refused.as_secs_f64()
    )
}

/// What the boot server has, but for one bit of the kernel.
fn serve_altered_kernel(files: &Files, server: &WebServer, boot_server: &BootServer) {
    files.copy_all(server.folder());
    for file in ["ltsp/grub/grub.cfg", "ltsp/grub/settings.cfg"] {
        let text = boot_server.get(&format!("/{file}"));
        fs::write(server.folder().join(file), text).expect("written");
    }
    let configuration = format!("ltsp/configuration/{}", boot_server.configuration());
    let folder = server.folder().join(configuration);
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join("ltsp.img"), boot_server.ltsp_img()).expect("written");
    let there = format!("set there={}", boot_server.configuration());
    fs::write(folder.join("there.cfg"), there).expect("written");
    let kernel = files::release(server.folder()).join("vmlinuz");
    let middle = fs::metadata(&kernel).expect("a kernel").len() / 2;
    Files::flip_byte(&kernel, middle);
}
