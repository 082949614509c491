//! Machines from the listings of other systems, as a layer of values.

mod csv;
mod layer;
mod leases;
mod moonshot;
mod name;
mod redfish;
mod unique;

use std::net::IpAddr;

pub use layer::layer;
pub use leases::{Lease, leases};
pub use name::Names;

use super::mac::mac;
use crate::farm::spec::{HostName, Tag, Text as _};
use crate::farm::syntax::HostAddress;
use crate::values::{Origin, Problem, Refusal, yaml};

/// The formats that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Csv,
    Moonshot,
    DnsmasqLeases,
    Redfish,
}

/// A file, and its text.
#[derive(Debug, Clone)]
pub struct Listing {
    /// Its path, or `-`.
    pub source: String,
    pub text: String,
}

impl Listing {
    /// A place in it, by a line that counts from 1.
    fn line(&self, line: usize) -> Origin {
        Origin::Place {
            source: self.source.clone().into(),
            line: u32::try_from(line).unwrap_or(u32::MAX),
            column: 1,
        }
    }

    /// Its lines with their places, without space at their ends.
    fn lines(&self) -> impl Iterator<Item = (Origin, &str)> {
        let lines = yaml::lines(&self.text).enumerate();
        lines.map(|(index, line)| (self.line(index + 1), line.trim()))
    }

    /// The name of the file without its folder and ending: `r1n01` of `dumps/r1n01.json`.
    fn stem(&self) -> &str {
        let file = self.source.rsplit('/').next().unwrap_or_default();
        file.split('.').next().unwrap_or_default()
    }
}

/// What is asked for beside the listings.
#[derive(Debug, Clone)]
pub struct Wishes {
    /// The pool of machines for which the listing has none.
    pub pool: String,
    /// Tags of every machine, beside those of the listing.
    pub tags: Vec<Tag>,
    pub names: Names,
}

/// A machine of a listing.
#[derive(Debug, Clone)]
pub struct Found {
    pub origin: Origin,
    /// `None` where the listing has none.
    pub name: Option<String>,
    pub macs: Vec<String>,
    pub addresses: Vec<String>,
    pub pool: Option<String>,
    pub tags: Vec<Tag>,
    /// What may stand in the pattern of a name: `slot`, `node`, `system`.
    pub facts: Vec<(&'static str, String)>,
}

impl Found {
    fn at(origin: Origin) -> Found {
        Found {
            origin,
            name: None,
            macs: Vec::new(),
            addresses: Vec::new(),
            pool: None,
            tags: Vec::new(),
            facts: Vec::new(),
        }
    }
}

/// Reads listings. Problems that are only warnings are about what was left out.
pub fn read(format: Format, listings: &[Listing], wishes: &Wishes) -> (Vec<Found>, Vec<Problem>) {
    let mut found = Vec::new();
    let mut problems = Vec::new();
    for listing in listings {
        let read = match format {
            Format::Csv => csv::read,
            Format::Moonshot => moonshot::read,
            Format::DnsmasqLeases => leases::read,
            Format::Redfish => redfish::read,
        };
        let first = found.len();
        read(listing, &mut found, &mut problems);
        for machine in found.iter_mut().skip(first) {
            machine.facts.push(("file", listing.stem().to_owned()));
            wishes.names.give(machine, format, &mut problems);
            let more = wishes.tags.iter().filter(|tag| !machine.tags.contains(tag));
            let more: Vec<Tag> = more.cloned().collect();
            machine.tags.extend(more);
        }
    }
    unique::check(&found, &mut problems);
    (found, problems)
}

/// The problem of a value that its type refuses.
fn refused(refusal: Refusal, origin: &Origin) -> Problem {
    let problem = Problem::error(refusal.message).at(origin.clone());
    match refusal.help {
        Some(help) => problem.help(help),
        None => problem,
    }
}

/// A MAC in any spelling.
fn read_mac(text: &str, origin: &Origin, problems: &mut Vec<Problem>) -> Option<String> {
    let read = mac(text).map_err(|refusal| problems.push(refused(refusal, origin)));
    read.ok()
}

fn read_address(text: &str, origin: &Origin, problems: &mut Vec<Problem>) -> Option<String> {
    match text.parse::<HostAddress>() {
        Ok(_) => Some(text.trim_matches(['[', ']']).to_owned()),
        Err(()) => {
            let problem = Problem::error(format!("`{text}` is not an IP address"));
            let help = "as in 10.64.1.11 or fd00::11";
            problems.push(problem.at(origin.clone()).help(help));
            None
        }
    }
}

fn read_name(text: &str, origin: &Origin, problems: &mut Vec<Problem>) -> Option<String> {
    let read = HostName::parse(text.to_owned());
    let read = read.map_err(|refusal| problems.push(refused(refusal, origin)));
    read.ok().map(|name| name.to_string())
}

/// Whether an address is one that a machine gave itself, or none.
fn is_of_no_use(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(ip) => ip.is_unspecified() || ip.is_link_local() || ip.is_loopback(),
        IpAddr::V6(ip) => ip.is_unspecified() || ip.is_unicast_link_local() || ip.is_loopback(),
    }
}
