//! Flags of the farm's own dnsmasq: it does not start with one that it does not know, or with a value of another shape.

use serde_json::Value;

use crate::farm::findings::Findings;
use crate::farm::spec::{Flags, Image};
use crate::values::{Path, Problem};

/// What dnsmasq 2.90 takes: name, whether there is a value, and `once` where a second one is an error. A test makes it
/// anew by asking dnsmasq.
const FLAGS: &str = include_str!("../known/tables/dnsmasq.tsv");

/// The image that has this dnsmasq. Another one may have a newer one.
const OURS: &str = "ghcr.io/kubefarm/boot";

/// What stands in the farm's configuration already, and only once, or ends the server.
const NOT_FOR_USERS: [(&str, &str); 5] = [
    ("port", "the farm's dnsmasq serves no DNS"),
    (
        "dhcp-leasefile",
        "the farm keeps leases in a volume of its own",
    ),
    ("help", "with it dnsmasq ends"),
    ("test", "with it dnsmasq ends"),
    ("version", "with it dnsmasq ends"),
];

struct Flag {
    name: &'static str,
    /// `none`, `maybe` or `value`; a number with `-number` behind it.
    takes: &'static str,
    once: bool,
}

fn known() -> impl Iterator<Item = Flag> {
    FLAGS.lines().filter_map(|line| {
        let mut fields = line.split('\t');
        Some(Flag {
            name: fields.next()?,
            takes: fields.next()?,
            once: fields.next() == Some("once"),
        })
    })
}

/// Checks the flags at `path` of what runs in `image`.
pub fn check(flags: &Flags, image: &Image, path: &Path, findings: &mut Findings) {
    let is_ours = image.repository == *OURS && image.digest.is_none();
    for (name, value) in flags {
        let path = path.join(name.as_str());
        if let Some((_, why)) = NOT_FOR_USERS.iter().find(|(flag, _)| flag == name) {
            let problem = Problem::error(format!("--{name} is not for a farm: {why}"));
            findings.record_key(&path, problem.help("remove it"));
            continue;
        }
        match known().find(|flag| flag.name == name) {
            Some(flag) => values(&flag, value, &path, findings),
            None => findings.record_key(&path, unknown(name, is_ours)),
        }
    }
}

fn unknown(name: &str, is_ours: bool) -> Problem {
    let message = format!("dnsmasq has no flag --{name}");
    let problem = if is_ours {
        Problem::error(message)
    } else {
        Problem::warning(message)
    };
    let names: Vec<&str> = known().map(|flag| flag.name).collect();
    problem.help_nearest(name, &names, "`dnsmasq --help` lists them; remove it")
}

fn values(flag: &Flag, value: &Value, path: &Path, findings: &mut Findings) {
    let Value::Array(items) = value else {
        findings_of(flag, value, path, findings);
        return;
    };
    for (index, item) in items.iter().enumerate() {
        findings_of(flag, item, &path.join(index), findings);
    }
    if flag.once && items.len() > 1 {
        let message = format!("dnsmasq takes --{} once only", flag.name);
        findings.record(path, Problem::error(message).help("leave one"));
    }
}

fn findings_of(flag: &Flag, value: &Value, path: &Path, findings: &mut Findings) {
    let name = flag.name;
    let text = match value {
        // The flag is left out.
        Value::Null | Value::Bool(false) => return,
        Value::Bool(true) => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<i32>().is_ok();
    let problem = match (flag.takes, text.is_empty()) {
        ("none", false) => Problem::error(format!("dnsmasq's flag --{name} takes no value"))
            .help("write true, which stands for the flag alone"),
        ("value" | "value-number", true) => {
            Problem::error(format!("dnsmasq's flag --{name} needs a value"))
                .help("write it, or null to leave the flag out")
        }
        ("value-number" | "maybe-number", false) if !is_number && NUMBERS_ALONE.contains(&name) => {
            Problem::error(format!(
                "dnsmasq's flag --{name} takes a number, not `{text}`"
            ))
            .help("write digits alone")
        }
        _ => return,
    };
    findings.record(path, problem);
}

/// Of those that take a number, the ones that take nothing else: no list, no mask.
const NUMBERS_ALONE: [&str; 21] = [
    "auth-ttl",
    "cache-size",
    "dhcp-lease-max",
    "dhcp-reply-delay",
    "dhcp-ttl",
    "dns-forward-max",
    "edns-packet-max",
    "local-ttl",
    "log-async",
    "max-cache-ttl",
    "max-port",
    "max-tcp-connections",
    "max-ttl",
    "min-cache-ttl",
    "min-port",
    "neg-ttl",
    "port-limit",
    "query-port",
    "tftp-max",
    "tftp-mtu",
    "use-stale-cache",
];
