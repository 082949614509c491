//! A machine's network ports, as the kernel shows them below /sys.

use std::fs::{create_dir_all, write};
use std::os::unix::fs::symlink;
use std::path::Path;

/// A port of a card.
#[derive(Debug, Clone, Copy)]
pub struct Port<'a> {
    pub name: &'a str,
    /// Its device, below /sys/devices.
    pub device: &'a str,
    /// `pci`, `usb`, `virtio`.
    pub bus: &'a str,
    pub mac: &'a str,
}

impl Port<'_> {
    /// A port of a PCI card, whose last digit is the function.
    pub fn pci<'a>(name: &'a str, device: &'a str, mac: &'a str) -> Port<'a> {
        Port {
            name,
            device,
            bus: "pci",
            mac,
        }
    }

    /// Puts it below `root`.
    pub fn plug_in(&self, root: &Path) {
        self.plug_in_for(root, root);
    }

    /// Puts it below `root` for programs that see that folder as `seen`.
    pub fn plug_in_for(&self, root: &Path, seen: &Path) {
        let device = root.join("sys/devices").join(self.device);
        let net = device.join("net").join(self.name);
        let bus = root.join("sys/bus").join(self.bus);
        let class = root.join("sys/class/net");
        for folder in [&net, &bus, &class] {
            create_dir_all(folder).expect("a folder");
        }
        let as_seen = |path: &Path| seen.join(path.strip_prefix(root).expect("below the root"));
        // Ports of one device share this link.
        let _ = symlink(as_seen(&bus), device.join("subsystem"));
        symlink(as_seen(&device), net.join("device")).expect("a link");
        symlink(as_seen(&net), class.join(self.name)).expect("a link");
        for (file, text) in [
            ("type", "1"),
            ("addr_assign_type", "0"),
            ("address", self.mac),
        ] {
            write(net.join(file), format!("{text}\n")).expect("written");
        }
    }
}
