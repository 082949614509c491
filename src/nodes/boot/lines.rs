//! What the servers that machines boot from write into their logs: dnsmasq (log.c, rfc2131.c, tftp.c) and nginx (the
//! format `combined` of ngx_http_log_module).

use std::borrow::Cow;
use std::net::IpAddr;

use super::{Sight, Stage, Who};
use crate::nodes::mac::canonical_mac;

/// Longer words of a machine are cut off.
const LONGEST: usize = 300;
/// Where the system images are, by machine and release: `/ltsp/x86_64/RELEASE/root.squashfs`.
const IMAGE: &str = "root.squashfs";

/// A line of a DHCP server. Requests that follow an offer say nothing new.
pub fn dhcp(line: &str) -> Option<Sight> {
    let (_, message) = line.split_once("DHCP")?;
    let (verb, rest) = message.split_once('(')?;
    let (_, rest) = rest.split_once(") ")?;
    let mut words = rest.split(' ');
    let mut word = words.next()?;
    let address: Option<IpAddr> = word.parse().ok();
    if address.is_some() {
        word = words.next()?;
    }
    let who = Who::Mac(canonical_mac(word)?);
    let said = words.collect::<Vec<_>>().join(" ");
    let asks = |text: Cow<'static, str>| Sight::new(who.clone(), Stage::Dhcp, text);
    match (verb, said.trim()) {
        ("DISCOVER", "") => Some(asks("asks for an address".into())),
        ("DISCOVER", said) => {
            Some(asks(format!("asks for an address: {}", harmless(said)).into()).fault())
        }
        // A running node renews its lease: only who asks for any address boots.
        ("ACK", _) => Some(Sight {
            address,
            stage: None,
            ..asks(format!("has the address {}", address?).into())
        }),
        ("NAK", said) => Some(
            Sight {
                stage: None,
                ..asks(format!("may not have the address {}: {}", address?, harmless(said)).into())
            }
            .fault(),
        ),
        _ => None,
    }
}

/// A line of the TFTP server.
pub fn tftp(line: &str) -> Option<Sight> {
    let (_, message) = line.split_once("dnsmasq-tftp")?;
    let (_, message) = message.split_once(": ")?;
    let loader = |address: &str, text: Cow<'static, str>| {
        let address = address.trim().parse().ok()?;
        Some(Sight::new(Who::Address(address), Stage::Loader, text))
    };
    if let Some(message) = message.strip_prefix("sent ") {
        let (file, address) = message.rsplit_once(" to ")?;
        return loader(address, loaded(file));
    }
    if let Some(message) = message.strip_prefix("failed sending ") {
        let (file, address) = message.rsplit_once(" to ")?;
        return Some(
            loader(
                address,
                format!("did not get all of {}", served(file)).into(),
            )?
            .fault(),
        );
    }
    let (file, address) = message
        .strip_prefix("file ")?
        .rsplit_once(" not found for ")?;
    // Boot loaders ask for lists of what was revoked, for modules and for settings of one machine that nobody has.
    if !is_loader(file) && !is_menu(file) {
        return None;
    }
    let missing = format!("asked for {}, which is not there", served(file));
    Some(loader(address, missing.into())?.fault())
}

/// What a boot loader loads of itself are dozens of files.
fn loaded(file: &str) -> Cow<'static, str> {
    if is_loader(file) {
        format!("loaded {}", served(file)).into()
    } else if file.ends_with(".cfg") {
        "read the boot menu".into()
    } else {
        "loaded parts of the boot loader".into()
    }
}

fn is_loader(file: &str) -> bool {
    let last = file.rsplit('/').next().unwrap_or_default();
    matches!(
        last,
        "core.0" | "core.efi" | "shimx64.efi" | "grubx64.efi" | "kubefarm.efi"
    )
}

fn is_menu(file: &str) -> bool {
    let last = file.rsplit('/').next().unwrap_or_default();
    matches!(last, "grub.cfg" | "settings.cfg")
}

/// The path of a file as a machine asks for it.
fn served(file: &str) -> String {
    harmless(file.strip_prefix("/shared/").unwrap_or(file))
}

/// A line of the HTTP server.
pub fn http(line: &str) -> Option<Sight> {
    let (address, rest) = line.split_once(' ')?;
    let mut quoted = rest.split('"');
    let (request, answer) = (quoted.nth(1)?, quoted.next()?);
    let client = quoted.nth(2).unwrap_or_default();
    let status: u16 = answer.split_whitespace().next()?.parse().ok()?;
    let target = request.split(' ').nth(1)?;
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let query = Query::read(query);
    let who = match query.mac {
        Some(ref mac) => Who::Mac(mac.clone()),
        None => Who::Address(address.parse::<IpAddr>().ok()?.to_canonical()),
    };
    match path {
        "/ltsp/report" => return query.report(who),
        "/ltsp/last-words" => {
            let text = query.said.unwrap_or_default();
            let sight = Sight::new(who, Stage::Dhcp, text);
            return Some(
                Sight {
                    stage: None,
                    ..sight
                }
                .fault(),
            );
        }
        _ => {}
    }
    let (stage, text) = what(path, client.starts_with("curl/"))?;
    let release = (stage != Stage::Loader && stage != Stage::Join).then(|| release(path));
    let sight = Sight {
        release: release.flatten(),
        ..Sight::new(who.clone(), stage, text)
    };
    if status < 400 {
        return Some(sight);
    }
    let file = harmless(path.trim_start_matches('/'));
    let refused = Sight::new(who, stage, format!("asked for {file}: HTTP {status}"));
    (stage != Stage::Loader).then(|| refused.fault())
}

/// What a machine does that asks for a file. Nodes ask with curl how to join.
fn what(path: &str, is_node: bool) -> Option<(Stage, &'static str)> {
    let name = path.rsplit('/').next().unwrap_or_default();
    let place = path.strip_prefix('/').unwrap_or(path);
    match (place.split('/').next()?, name) {
        ("ltsp", "settings.cfg") if is_node => Some((Stage::Join, "asks how to join")),
        _ if is_node => None,
        ("ltsp", "vmlinuz") => Some((Stage::Kernel, "loaded the kernel")),
        ("ltsp", "initrd.img") => Some((Stage::Kernel, "loaded the initial RAM disk")),
        ("ltsp", "ltsp.img" | "ltsp.img.signed") => {
            Some((Stage::Kernel, "loaded the configuration"))
        }
        ("ltsp", name) if name.starts_with(IMAGE) => {
            Some((Stage::Image, "asks for the system image"))
        }
        ("ltsp" | "grub", name) if name.ends_with(".cfg") || name.ends_with("ipxe") => {
            Some((Stage::Loader, "read the boot menu"))
        }
        ("ltsp" | "grub", name) if name.ends_with(".efi") => {
            Some((Stage::Loader, "loaded the boot loader"))
        }
        _ => None,
    }
}

/// The release in `/ltsp/MACHINE/RELEASE/FILE`.
fn release(path: &str) -> Option<String> {
    let mut steps = path.split('/').skip(2);
    let (machine, release) = (steps.next()?, steps.next()?);
    steps.next()?;
    matches!(machine, "x86_64" | "arm64").then(|| harmless(release))
}

/// What a machine says of itself.
#[derive(Default)]
struct Query {
    mac: Option<String>,
    stage: Option<String>,
    percent: Option<u8>,
    said: Option<String>,
}

impl Query {
    fn read(query: &str) -> Query {
        let mut read = Query::default();
        for (key, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*key {
                "mac" => read.mac = canonical_mac(&value),
                "stage" => read.stage = Some(value.into_owned()),
                "percent" => read.percent = value.parse().ok().filter(|percent| *percent <= 100),
                "said" => read.said = Some(harmless(&value)),
                _ => {}
            }
        }
        read
    }

    fn report(self, who: Who) -> Option<Sight> {
        match (self.stage.as_deref()?, self.percent) {
            ("image", Some(100)) => Some(Sight::new(
                who,
                Stage::Configuration,
                "has the system image",
            )),
            ("image", percent) => Some(Sight {
                percent,
                ..Sight::new(who, Stage::Image, "loads the system image")
            }),
            ("join", _) => {
                let text = self.said.filter(|said| !said.is_empty());
                let text = text.map_or("joins".into(), Cow::Owned);
                Some(Sight::new(who, Stage::Join, text))
            }
            _ => None,
        }
    }
}

/// On one line, without anything that changes a terminal, and not too long.
fn harmless(text: &str) -> String {
    let signs = text.chars().filter(|sign| !sign.is_control());
    signs.take(LONGEST).collect()
}

#[cfg(test)]
mod tests;
