//! The firmware of machines, and QEMU's arguments for it.

use std::path::{Path, PathBuf};

use crate::boot::boot_server::BootServer;
use crate::boot::files::Files;
use crate::e2e::admin_cluster::AdminCluster;

const OVMF: &str = "/usr/share/OVMF";

/// What a machine starts with.
pub enum Firmware {
    /// SeaBIOS, and the network card's own ROM, which is iPXE.
    Bios,
    /// OVMF with its own network driver.
    Uefi { secure_boot: bool, over: Over },
    /// OVMF with Secure Boot on and these variables, which boots by HTTP.
    OwnKeys {
        variables: PathBuf,
        /// Authorities of web servers, as a list of signatures of UEFI; by HTTPS it trusts no other.
        authorities: Option<PathBuf>,
    },
    /// Nothing: kernel and initrd as a boot loader would have loaded them.
    Kernel {
        kernel: PathBuf,
        initrd: PathBuf,
        parameters: String,
    },
}

/// How UEFI loads its boot loader.
#[derive(PartialEq)]
pub enum Over {
    Tftp,
    Http,
}

impl Firmware {
    /// OVMF as most machines have it.
    pub const UEFI: Firmware = Firmware::Uefi {
        secure_boot: false,
        over: Over::Tftp,
    };

    /// What a boot loader would have done on the machine with this MAC, with the image at this address.
    pub fn loaded(
        boot_server: &BootServer,
        files: &Files,
        mac: &str,
        image: &str,
        initrd: PathBuf,
    ) -> Firmware {
        Firmware::Kernel {
            kernel: files.kernel(),
            initrd,
            parameters: format!(
                "boot=kubefarm kubefarm.image={image} kubefarm.tries=3 ltsp.image=/run/kubefarm/root.squashfs \
                 ltsp.server={} BOOTIF=01-{mac} panic=3 console=ttyS0,115200n8 mitigations=off norandmaps",
                boot_server.address()
            ),
        }
    }

    /// The same with more parameters for the kernel.
    pub fn with(mut self, more: &str) -> Firmware {
        if let Firmware::Kernel { parameters, .. } = &mut self {
            parameters.push(' ');
            parameters.push_str(more);
        }
        self
    }

    /// The flags for a machine of this name.
    pub fn flags(&self, cluster: &AdminCluster, name: &str) -> Vec<String> {
        match self {
            Firmware::Bios => Vec::new(),
            Firmware::Uefi { secure_boot, over } => {
                // The variables with the keys of Microsoft, which shim is signed with, and Secure Boot switched on by
                // them.
                let variables = if *secure_boot {
                    "OVMF_VARS_4M.ms.fd"
                } else {
                    "OVMF_VARS_4M.fd"
                };
                let variables = Path::new(OVMF).join(variables);
                uefi(cluster, name, &variables, *secure_boot, over)
            }
            Firmware::OwnKeys {
                variables,
                authorities,
            } => {
                let mut flags = uefi(cluster, name, variables, true, &Over::Http);
                if let Some(file) = authorities {
                    flags.push("-fw_cfg".to_owned());
                    let file = file.display();
                    flags.push(format!("name=etc/edk2/https/cacerts,file={file}"));
                }
                flags
            }
            Firmware::Kernel {
                kernel,
                initrd,
                parameters,
            } => vec![
                "-kernel".to_owned(),
                kernel.display().to_string(),
                "-initrd".to_owned(),
                initrd.display().to_string(),
                "-append".to_owned(),
                parameters.clone(),
                // What it says before it starts anew is the end.
                "-no-reboot".to_owned(),
            ],
        }
    }

    /// A network card on the backend `nNUMBER`, as this firmware drives one.
    pub fn card(&self, number: usize, mac: &str) -> String {
        let card = format!("netdev=n{number},mac={mac}");
        match self {
            Firmware::Bios => format!("e1000,{card},bootindex={number}"),
            // Without a ROM of its own, OVMF drives it.
            Firmware::Uefi { .. } | Firmware::OwnKeys { .. } => {
                format!("virtio-net-pci,{card},bootindex={number},romfile=")
            }
            Firmware::Kernel { .. } => format!("e1000,{card}"),
        }
    }

    /// What QEMU's `-boot` says.
    pub fn start(&self) -> &'static str {
        match self {
            Firmware::Kernel { .. } => "menu=off",
            // A BIOS that finds nothing to boot stands still, where a server's tries again.
            _ => "reboot-timeout=3000",
        }
    }
}

fn uefi(
    cluster: &AdminCluster,
    name: &str,
    variables: &Path,
    secure_boot: bool,
    over: &Over,
) -> Vec<String> {
    let code = if secure_boot {
        "OVMF_CODE_4M.secboot.fd"
    } else {
        "OVMF_CODE_4M.fd"
    };
    // A machine writes into its own.
    let own = cluster.scratch().join(format!("{name}.variables"));
    std::fs::copy(variables, &own).expect("OVMF");
    let mut flags = vec![
        "-drive".to_owned(),
        format!("if=pflash,unit=0,format=raw,readonly=on,file={OVMF}/{code}"),
        "-drive".to_owned(),
        format!("if=pflash,unit=1,format=raw,file={}", own.display()),
    ];
    if secure_boot {
        // Only the firmware itself may write its variables.
        flags.extend(["-machine", "smm=on", "-global"].map(str::to_owned));
        flags.push("driver=cfi.pflash01,property=secure,value=on".to_owned());
    }
    // A minute of asking for IPv6 before IPv4 counts for nothing here.
    let mut left_out = vec!["IPv6PXESupport"];
    if *over == Over::Http {
        left_out.extend(["IPv4PXESupport", "IPv6Support"]);
    }
    for what in left_out {
        flags.push("-fw_cfg".to_owned());
        flags.push(format!("name=opt/org.tianocore/{what},string=no"));
    }
    flags
}
