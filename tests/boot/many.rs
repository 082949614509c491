//! A rack is switched on: many ask the boot server at once.

use crate::boot::boot_server::BootServer;
use crate::boot::guest::in_network;
use crate::boot::{Farm, Seen};
use crate::support::run;

/// Every client gets every byte: 100 of kernel, initrd and image over HTTP, 30 of boot loaders over TFTP.
pub fn clients(farm: &mut Farm) -> Seen {
    let cluster = farm.release.cluster;
    let boot_server = BootServer::of(&farm.release);
    let address = boot_server.address();
    let image = boot_server.image_url();
    let release = image.trim_end_matches("root.squashfs");
    // Each prints how many clients got which bytes: one line, where all got the same.
    let ask = |clients: u32, get: String| {
        let script =
            format!("seq {clients} | xargs -P {clients} -I N sh -c '{get}' | sort | uniq -c");
        let answers = run(in_network(cluster, "sh").args(["-c", &script])).success();
        let all = answers.lines().count() == 1
            && answers.trim_start().starts_with(&format!("{clients} "));
        assert!(all, "{get}:\n{answers}");
    };
    for file in ["vmlinuz", "initrd.img"] {
        ask(100, format!("curl -sSf {release}{file} | sha256sum"));
    }
    // Hashes of all would take minutes.
    ask(100, format!("curl -sSf {image} | wc -c"));
    for file in ["i386-pc/core.0", "x86_64-efi/shimx64.efi"] {
        ask(
            30,
            format!("curl -sSf tftp://{address}/ltsp/grub/{file} | sha256sum"),
        );
    }
    "100 over HTTP, 30 over TFTP: each has every byte".to_owned()
}
