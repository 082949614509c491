use super::*;

fn request(request: &str, client: &str) -> Option<Sight> {
    let line = format!(
        r#"10.64.1.11 - - [30/Nov/2026:22:00:00 +0000] "GET {request} HTTP/1.1" 200 5 "-" "{client}""#
    );
    http(&line)
}

fn words(sight: Option<Sight>) -> String {
    let Some(sight) = sight else {
        return "nothing".to_owned();
    };
    let who = match sight.who {
        Who::Mac(mac) => mac,
        Who::Address(address) => address.to_string(),
        Who::Name(name) => name,
    };
    let stage = sight.stage.map_or("-", Stage::name);
    let fault = if sight.is_fault { "!" } else { "" };
    let percent = sight.percent.map(|percent| format!(" {percent}"));
    format!(
        "{who} {stage}{fault} {}{}",
        sight.text,
        percent.unwrap_or_default()
    )
}

#[test]
fn what_a_dhcp_server_writes() {
    for (line, expected) in [
        (
            "dnsmasq-dhcp: DHCPDISCOVER(eth0) 02:00:00:40:01:0A ",
            "02:00:00:40:01:0a dhcp asks for an address",
        ),
        (
            "Nov 30 22:00:00 dnsmasq-dhcp[1]: 77 DHCPDISCOVER(br0) 10.64.1.9 02:00:00:40:01:0a no address available",
            "02:00:00:40:01:0a dhcp! asks for an address: no address available",
        ),
        (
            "dnsmasq-dhcp: DHCPDISCOVER(eth0) 02:00:00:40:01:0a ignored",
            "02:00:00:40:01:0a dhcp! asks for an address: ignored",
        ),
        (
            "dnsmasq-dhcp: DHCPOFFER(eth0) 10.64.1.11 02:00:00:40:01:0a ",
            "nothing",
        ),
        (
            "dnsmasq-dhcp: DHCPREQUEST(eth0) 10.64.1.11 02:00:00:40:01:0a ",
            "nothing",
        ),
        (
            "dnsmasq-dhcp: DHCPACK(eth0) 10.64.1.11 02:00:00:40:01:0a r1n01",
            "02:00:00:40:01:0a - has the address 10.64.1.11",
        ),
        (
            "dnsmasq-dhcp: DHCPNAK(eth0) 10.9.9.9 02:00:00:40:01:0a wrong network",
            "02:00:00:40:01:0a -! may not have the address 10.9.9.9: wrong network",
        ),
        (
            "dnsmasq-dhcp: DHCPSOLICIT(eth0) 00:01:00:01:2c:0f:0a ",
            "nothing",
        ),
        ("dnsmasq: started, version 2.90 DNS disabled", "nothing"),
        ("DHCP(", "nothing"),
    ] {
        assert_eq!(words(dhcp(line)), expected, "{line}");
    }
    let given = dhcp("dnsmasq-dhcp: DHCPACK(eth0) 10.64.1.11 02:00:00:40:01:0a ").unwrap();
    assert_eq!(given.address, Some("10.64.1.11".parse().unwrap()));
}

#[test]
fn what_a_tftp_server_writes() {
    for (line, expected) in [
        (
            "dnsmasq-tftp: sent /shared/ltsp/grub/i386-pc/core.0 to 10.64.1.11",
            "10.64.1.11 loader loaded ltsp/grub/i386-pc/core.0",
        ),
        (
            "dnsmasq-tftp[7]: sent /shared/grubx64.efi to fd00::1",
            "fd00::1 loader loaded grubx64.efi",
        ),
        (
            "dnsmasq-tftp: failed sending /shared/ltsp/grub/i386-pc/core.0 to 10.64.1.11",
            "10.64.1.11 loader! did not get all of ltsp/grub/i386-pc/core.0",
        ),
        (
            "dnsmasq-tftp: file /shared/ltsp/grub/i386-pc/core.0 not found for 10.64.1.11",
            "10.64.1.11 loader! asked for ltsp/grub/i386-pc/core.0, which is not there",
        ),
        (
            "dnsmasq-tftp: file /shared/revocations_sku.efi not found for 10.64.1.11",
            "nothing",
        ),
        (
            "dnsmasq-tftp: error 0 TFTP Aborted received from 10.64.1.11",
            "nothing",
        ),
        (
            "dnsmasq-tftp: file /shared/ltsp/grub/settings.cfg not found for 10.64.1.11",
            "10.64.1.11 loader! asked for ltsp/grub/settings.cfg, which is not there",
        ),
        (
            "dnsmasq-tftp: sent /shared/ltsp/grub/i386-pc/normal.mod to 10.64.1.11",
            "10.64.1.11 loader loaded parts of the boot loader",
        ),
        (
            "dnsmasq-tftp: sent /shared/ltsp/grub/grub.cfg to 10.64.1.11",
            "10.64.1.11 loader read the boot menu",
        ),
        ("dnsmasq-tftp: sent /shared/x to y", "nothing"),
    ] {
        assert_eq!(words(tftp(line)), expected, "{line}");
    }
}

#[test]
fn what_an_http_server_writes() {
    const GRUB: &str = "GRUB 2.12";
    for (request, client, expected) in [
        (
            "/ltsp/grub/settings.cfg",
            GRUB,
            "10.64.1.11 loader read the boot menu",
        ),
        (
            "/grub/grub.cfg",
            GRUB,
            "10.64.1.11 loader read the boot menu",
        ),
        (
            "/ltsp/boot.ipxe",
            "iPXE/1.21.1",
            "10.64.1.11 loader read the boot menu",
        ),
        (
            "/ltsp/grub/x86_64-efi/shimx64.efi",
            "UefiHttpBoot/1.0",
            "10.64.1.11 loader loaded the boot loader",
        ),
        (
            "/ltsp/configuration/a1/there.cfg?mac=02:00:00:40:01:0A",
            GRUB,
            "02:00:00:40:01:0a loader read the boot menu",
        ),
        (
            "/ltsp/configuration/a1/ltsp.img",
            GRUB,
            "10.64.1.11 kernel loaded the configuration",
        ),
        (
            "/ltsp/x86_64/r5/vmlinuz",
            GRUB,
            "10.64.1.11 kernel loaded the kernel",
        ),
        (
            "/ltsp/x86_64/r5/initrd.img",
            GRUB,
            "10.64.1.11 kernel loaded the initial RAM disk",
        ),
        (
            "/ltsp/x86_64/r5/root.squashfs.manifest",
            "kubefarm",
            "10.64.1.11 image asks for the system image",
        ),
        (
            "/ltsp/grub/settings.cfg",
            "curl/8.14.1",
            "10.64.1.11 join asks how to join",
        ),
        ("/ltsp/configuration/a1/ltsp.img", "curl/8.14.1", "nothing"),
        (
            "/ltsp/configuration/a1/ltsp.img.signed",
            "kubefarm-fetch/0.1.0",
            "10.64.1.11 kernel loaded the configuration",
        ),
        (
            "/ltsp/report?mac=02-00-00-40-01-0a&stage=image&percent=40",
            "x",
            "02:00:00:40:01:0a image loads the system image 40",
        ),
        (
            "/ltsp/report?mac=02-00-00-40-01-0a&stage=image&percent=100",
            "x",
            "02:00:00:40:01:0a configuration has the system image",
        ),
        (
            "/ltsp/report?mac=02-00-00-40-01-0a&stage=ready",
            "x",
            "nothing",
        ),
        ("/ltsp/report?stage=join", "x", "10.64.1.11 join joins"),
        (
            "/ltsp/last-words?mac=02:00:00:40:01:0a&said=NO+LINK%0a%1b[2J",
            "x",
            "02:00:00:40:01:0a -! NO LINK[2J",
        ),
        ("/healthz", "kube-probe/1.37", "nothing"),
        ("/x", "x", "nothing"),
    ] {
        assert_eq!(words(self::request(request, client)), expected, "{request}");
    }
    let kernel = request("/ltsp/x86_64/r5/vmlinuz", GRUB).unwrap();
    assert_eq!(kernel.release.as_deref(), Some("r5"));
    let missing = r#"10.64.1.11 - - [x] "GET /ltsp/x86_64/r5/vmlinuz HTTP/1.1" 404 0 "-" "GRUB""#;
    assert_eq!(
        words(http(missing)),
        "10.64.1.11 kernel! asked for ltsp/x86_64/r5/vmlinuz: HTTP 404"
    );
    for line in [
        "",
        "x",
        "10.64.1.11 - - [x] \"\" 400 0",
        "10.64.1.11 \"GET\" 200",
        "unix: \"GET /ltsp/report?stage=join\" 200",
    ] {
        assert_eq!(words(http(line)), "nothing", "{line}");
    }
}
