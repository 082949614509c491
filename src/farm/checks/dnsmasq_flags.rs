//! Flags of the farm's own dnsmasq, which does not start with an unknown one or one with a wrong kind of value.

use serde_json::Value;

use crate::farm::findings::Findings;
use crate::farm::spec::{Flags, Image};
use crate::values::{Path, Problem};

/// The flags of dnsmasq 2.90: name, whether there is a value, and `once` if a second one is an error. A test generates
/// the table with dnsmasq.
const FLAGS: &str = include_str!("../known/tables/dnsmasq.tsv");

/// The image with this dnsmasq. Other images may have a newer one.
const OURS: &str = "ghcr.io/kubefarm/boot";

/// Flags that the farm's configuration has already and that may be there only once, or that make dnsmasq exit.
const NOT_FOR_USERS: [(&str, &str); 5] = [
    ("port", "the farm's dnsmasq serves no DNS"),
    (
        "dhcp-leasefile",
        "the farm keeps leases in a volume of its own",
    ),
    ("help", "dnsmasq exits with it"),
    ("test", "dnsmasq exits with it"),
    ("version", "dnsmasq exits with it"),
];

struct Flag {
    name: &'static str,
    /// `none`, `maybe` or `value`, with the suffix `-number` for a number.
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

/// Checks the flags at `path` of the dnsmasq in `image`.
pub fn check(flags: &Flags, image: &Image, path: &Path, findings: &mut Findings) {
    let is_read = !findings.is_wrong_inside(&Path::from("dhcp.standalone.image"));
    let is_ours = is_read && image.repository == *OURS && image.digest.is_none();
    for (name, value) in flags {
        let path = path.join(name.as_str());
        if let Some((_, why)) = NOT_FOR_USERS.iter().find(|(flag, _)| flag == name) {
            let problem = Problem::error(format!("--{name} cannot be set in a farm: {why}"));
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
        let message = format!("dnsmasq accepts --{} only once", flag.name);
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
            .help("write true to set the flag without a value"),
        ("value" | "value-number", true) => {
            Problem::error(format!("dnsmasq's flag --{name} needs a value"))
                .help("write a value, or null to leave the flag out")
        }
        ("value-number" | "maybe-number", false) if !is_number && NUMBERS_ALONE.contains(&name) => {
            Problem::error(format!(
                "dnsmasq's flag --{name} takes a number, not `{text}`"
            ))
            .help("write digits only")
        }
        _ => return,
    };
    findings.record(path, problem);
}

/// The flags whose value is a number only: no list, no mask.
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
