//! The boot file for each machine, by the firmware in its request.

use super::pools::{PROXIED, has_proxy};
use super::{DhcpOption, DnsmasqOption};
use crate::farm::spec::{NodePools, Tags, Values};

/// A kind of firmware, the tag that its requests get, and what it loads from the boot server.
#[derive(Debug)]
pub struct Platform {
    pub tag: &'static str,
    /// The architectures in its requests: RFC 4578, IANA "Processor Architecture Types".
    architectures: &'static [&'static str],
    file: &'static str,
    /// UEFI HTTP boot: it needs a URL, and an option that marks the answer as meant for it (UEFI 2.10, 24.7.3).
    by_http: bool,
}

/// The distribution's signed shim, which loads its signed GRUB, with Secure Boot on and off.
const SHIM: &str = "ltsp/grub/x86_64-efi/shimx64.efi";
const GRUB_ARM64: &str = "ltsp/grub/arm64-efi/core.efi";

/// The operator's signed kernel, initrd and command line in one file (UAPI group, "Unified Kernel Image").
const UNIFIED_KERNEL_IMAGE: &str = "ltsp/uki/kubefarm.efi";

/// Every kind of firmware that can boot a node.
pub const PLATFORMS: [Platform; 5] = [
    Platform {
        tag: "X86PC",
        architectures: &["0"],
        file: "ltsp/grub/i386-pc/core.0",
        by_http: false,
    },
    Platform {
        tag: "X86-64_EFI",
        architectures: &["7", "9"],
        file: SHIM,
        by_http: false,
    },
    Platform {
        tag: "ARM64_EFI",
        architectures: &["11"],
        file: GRUB_ARM64,
        by_http: false,
    },
    Platform {
        tag: "X86-64_HTTP",
        architectures: &["16"],
        file: SHIM,
        by_http: true,
    },
    Platform {
        tag: "ARM64_HTTP",
        architectures: &["19"],
        file: GRUB_ARM64,
        by_http: true,
    },
];

/// The tag of 32-bit UEFI, by PXE and by HTTP, x86 and ARM, which cannot boot: the kernels have 64 bits.
pub const EFI_OF_32_BITS: &str = "EFI_32BIT";
const ARCHITECTURES_OF_32_BITS: [&str; 4] = ["6", "10", "15", "18"];

/// The tag of iPXE, whose requests also have the architecture of the firmware below it.
const IPXE: &str = "iPXE";
/// The script that iPXE boots kernel and initrd with.
const IPXE_SCRIPT: &str = "ltsp/boot.ipxe";

/// The text of the only item of a PXE menu.
const MENU_TEXT: &str = "Boot into the cluster";

const BOOT_FILE: &str = "option:bootfile-name";
const TFTP_SERVER: &str = "option:tftp-server";
const VENDOR_CLASS: &str = "option:vendor-class";

impl Platform {
    /// What it loads, if the farm has something for it: a unified kernel image is for x86 with UEFI only.
    fn boot_file(&self, values: &Values) -> Option<&'static str> {
        let has_menu = has_menu(values);
        match self.file {
            SHIM if !has_menu => Some(UNIFIED_KERNEL_IMAGE),
            file => has_menu.then_some(file),
        }
    }
}

/// Tags by the content of a request.
pub fn matchers() -> Vec<DnsmasqOption> {
    // iPXE announces itself by its own encapsulating option (ipxe.org/howto/dhcpd).
    let ipxe = DnsmasqOption::new("dhcp-match", &["set:iPXE", "175"]);
    let platforms = PLATFORMS.iter();
    let platforms = platforms.map(|platform| (platform.tag, platform.architectures));
    let all = platforms.chain([(EFI_OF_32_BITS, ARCHITECTURES_OF_32_BITS.as_slice())]);
    let by_architecture = all.flat_map(|(tag, architectures)| {
        architectures.iter().map(move |architecture| {
            let tag = format!("set:{tag}");
            DnsmasqOption::new("dhcp-match", &[&tag, "option:client-arch", architecture])
        })
    });
    std::iter::once(ipxe).chain(by_architecture).collect()
}

/// Boot options that need no address.
pub fn options(values: &Values, release: &str) -> Vec<DhcpOption> {
    let Some(ours) = BootOptions::new(values, release) else {
        return Vec::new();
    };
    let of_platform = |platform: &Platform| {
        let file = platform.boot_file(values)?;
        if platform.by_http {
            ours.option(VENDOR_CLASS, &[platform.tag], "HTTPClient")
        } else {
            ours.option(BOOT_FILE, &[platform.tag, "!iPXE"], file)
        }
    };
    PLATFORMS.iter().filter_map(of_platform).collect()
}

/// Boot options with the boot server's address.
pub fn address_options(values: &Values, release: &str, address: &str) -> Vec<DhcpOption> {
    let Some(ours) = BootOptions::new(values, release) else {
        return Vec::new();
    };
    let server = ["option:server-ip-address", TFTP_SERVER];
    let server = server.map(|key| ours.option(key, &[], address));
    let by_http = PLATFORMS.iter().filter(|platform| platform.by_http);
    let by_http = by_http.map(|platform| {
        let tags = [platform.tag, "!iPXE"];
        let file = platform.boot_file(values)?;
        ours.option(BOOT_FILE, &tags, &verified_url(values, address, file))
    });
    let not_for_us = format!("!{EFI_OF_32_BITS}");
    let ipxe = has_menu(values)
        .then(|| ours.option(BOOT_FILE, &[IPXE, &not_for_us], &url(address, IPXE_SCRIPT)));
    let options = server.into_iter().chain(by_http).chain([ipxe.flatten()]);
    options.flatten().collect()
}

/// Boot files for machines with an address from another DHCP server (dnsmasq(8), --pxe-service): such answers have no
/// options. Empty if the boot server's address is not known beforehand, or the user has lines for it.
pub fn proxied(values: &Values, release: &str) -> Vec<DnsmasqOption> {
    let pools = &values.node_pools;
    let is_published = BootOptions::new(values, release).is_some();
    let is_offered = is_published && has_proxy(pools) && !has_own_services(pools);
    let address = values.ltsp.service.load_balancer_ip.as_deref();
    let Some(address) = address.filter(|_| is_offered) else {
        return Vec::new();
    };
    let [of_release, behind_proxy] = [release, PROXIED].map(|tag| format!("tag:{tag}"));
    let tags = [of_release.as_str(), &behind_proxy];
    let line = |key: &str, fields: &[&str]| DnsmasqOption::new(key, &[&tags, fields].concat());
    let by_pxe = PLATFORMS.iter().filter(|platform| !platform.by_http);
    let services = by_pxe.flat_map(|platform| {
        // dnsmasq's names for architectures differ from IANA's, and are fewer.
        let numbers = platform.architectures.iter();
        let file = platform.boot_file(values);
        numbers.filter_map(move |number| Some([number, MENU_TEXT, file?, address]))
    });
    let services = services.map(|service| {
        let not_ipxe = format!("tag:!{IPXE}");
        line(
            "pxe-service",
            &[&[not_ipxe.as_str()], service.as_slice()].concat(),
        )
    });
    let [is_ipxe, not_for_us] = [format!("tag:{IPXE}"), format!("tag:!{EFI_OF_32_BITS}")];
    let script = url(address, IPXE_SCRIPT);
    let ipxe = || {
        line(
            "dhcp-boot",
            &[&is_ipxe, &not_for_us, &script, address, address],
        )
    };
    services.chain(has_menu(values).then(ipxe)).collect()
}

/// By HTTPS where the boot server has it. GRUB knows HTTP only.
fn verified_url(values: &Values, address: &str, file: &str) -> String {
    if values.ltsp.tls_secret.is_some() && !has_menu(values) {
        format!("https://{address}/{file}")
    } else {
        url(address, file)
    }
}

/// Whether machines load a menu that says what to boot.
fn has_menu(values: &Values) -> bool {
    !values.ltsp.unified_kernel_image
}

/// Whether a pool has `pxe-service` lines of its own.
pub fn has_own_services(pools: &NodePools) -> bool {
    let mut further = pools.own().flat_map(|(_, pool)| pool.lines());
    further.any(|(key, _)| key == "pxe-service")
}

fn url(address: &str, file: &str) -> String {
    format!("http://{address}/{file}")
}

/// Options of kubefarm, each of which is replaced by the user's of the same kind.
struct BootOptions<'a> {
    release: &'a str,
    tags: &'a Tags,
}

impl<'a> BootOptions<'a> {
    /// `None` if the farm does not publish what to boot.
    fn new(values: &'a Values, release: &'a str) -> Option<BootOptions<'a>> {
        let tags = &values.tags;
        let is_published = values.ltsp.enabled && values.ltsp.publish_dhcp;
        is_published.then_some(BootOptions { release, tags })
    }

    /// An option for the nodes of the release with `tags`, except those for which the user has one: which of two
    /// dnsmasq uses would depend on their order, and dnsmasq-controller's files have none. `None` if no nodes are left.
    fn option(&self, key: &str, tags: &[&str], value: &str) -> Option<DhcpOption> {
        let users: Vec<&str> = self.users(key).collect();
        if users.iter().any(|tag| *tag == "all" || tags.contains(tag)) {
            return None;
        }
        let others: Vec<String> = users.iter().map(|tag| format!("!{tag}")).collect();
        let tags = [self.release].into_iter().chain(tags.iter().copied());
        let tags: Vec<&str> = tags.chain(others.iter().map(String::as_str)).collect();
        Some(DhcpOption::new(key, &tags, vec![value.to_owned()]))
    }

    /// The tags for which the user sets this option.
    fn users(&self, key: &str) -> impl Iterator<Item = &'a str> {
        let given = self.tags.options();
        let given = given.filter(move |(_, _, option)| is_same(&option.key, key));
        given.map(|(tag, _, _)| tag)
    }
}

/// Whether the user's key, a name or a number, is our option.
fn is_same(own: &str, key: &str) -> bool {
    let number = match key {
        VENDOR_CLASS => Some(60),
        TFTP_SERVER => Some(66),
        BOOT_FILE => Some(67),
        _ => None,
    };
    own.eq_ignore_ascii_case(key) || (number.is_some() && own.parse::<u8>().ok() == number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_is_the_same_by_name_and_number() {
        for own in ["option:bootfile-name", "option:Bootfile-Name", "67", "067"] {
            assert!(is_same(own, BOOT_FILE), "{own}");
        }
        for own in ["66", "option:bootfile", "encap:67", "option6:67"] {
            assert!(!is_same(own, BOOT_FILE), "{own}");
        }
        assert!(!is_same("option:router", "option:server-ip-address"));
    }
}
