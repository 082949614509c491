//! `kubefarm nodes import`: machines from the listings of other systems, as a layer of values.

use std::io::Read as _;

use clap::{Args, ValueEnum};

use crate::cli::failure::{Failure, report};
use crate::cli::sources::KeptStdin;
use crate::cli::stdout::write_stdout;
use crate::farm::spec::{Tag, Text as _};
use crate::files::failed;
use crate::nodes::import::{self, Listing, Names, Wishes, layer, read};
use crate::values::Severity;

const EXAMPLES: &str = "\
Several MACs, addresses or tags in a cell of a table are separated by spaces.
Names are made of what stands in braces: {mac}, {file} (the name of the file
without its ending), of Moonshot's listing {slot} and {node}, of Redfish {system}.

Examples:
  A table with a header: name, mac, ip, pool, tags:
    kubefarm nodes import --format csv machines.csv > machines.yaml
    kubefarm render -f values.yaml -f machines.yaml

  A Moonshot chassis; its nodes are named ch1-c1n1, ch1-c2n1:
    ssh admin@chassis1 show node macaddr all |
      kubefarm nodes import --format moonshot --name-prefix ch1- --pool moonshot

  What booted into the catch-all farm, from its DHCP server:
    kubectl exec -n kubefarm-catchall deploy/catchall-kubernetes-ltsp-dhcp -- cat /var/lib/misc/dnsmasq.leases |
      kubefarm nodes import --format dnsmasq-leases --tag new

  Servers with Redfish, a file for each, named after the files:
    curl -s 'https://bmc-r1n01/redfish/v1/Systems/1/EthernetInterfaces?$expand=.' > r1n01.json
    kubefarm nodes import --format redfish --name '{file}' r1n01.json r1n02.json";

/// Print machines of a table, a chassis, a file of leases or Redfish as a layer of values.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Import {
    /// The listings; without one, or for `-`, stdin.
    #[arg(value_name = "FILE")]
    listings: Vec<String>,
    /// What they are.
    #[arg(long, value_enum, env = "KUBEFARM_IMPORT_FORMAT")]
    format: Format,
    /// The pool of machines for which a listing has none.
    #[arg(
        long,
        value_name = "POOL",
        default_value = "imported",
        env = "KUBEFARM_IMPORT_POOL"
    )]
    pool: String,
    /// A tag of every machine, beside those of the listing.
    #[arg(long, value_name = "TAG", env = "KUBEFARM_IMPORT_TAG", value_delimiter = ',', value_parser = tag)]
    tag: Vec<Tag>,
    /// The names of machines for which a listing has none: `rack1-{mac}`.
    #[arg(long, value_name = "PATTERN", env = "KUBEFARM_NODE_NAME")]
    name: Option<String>,
    /// What stands before every name that is made.
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        env = "KUBEFARM_NAME_PREFIX"
    )]
    name_prefix: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A table with a header: name, mac, ip, pool, tags.
    Csv,
    /// What an HPE Moonshot chassis prints for `show node macaddr all`.
    Moonshot,
    /// dnsmasq's file of leases.
    DnsmasqLeases,
    /// Redfish's EthernetInterfaces, as JSON.
    Redfish,
}

fn tag(text: &str) -> Result<Tag, String> {
    Tag::parse(text.to_owned()).map_err(|refusal| refusal.message)
}

impl Import {
    pub fn run(self) -> Result<(), Failure> {
        let format = match self.format {
            Format::Csv => import::Format::Csv,
            Format::Moonshot => import::Format::Moonshot,
            Format::DnsmasqLeases => import::Format::DnsmasqLeases,
            Format::Redfish => import::Format::Redfish,
        };
        let stdin = ["-".to_owned()];
        let files = match self.listings.as_slice() {
            [] => stdin.as_slice(),
            files => files,
        };
        let listings: Result<Vec<Listing>, Failure> =
            files.iter().map(|file| listing(file)).collect();
        let wishes = Wishes {
            pool: self.pool,
            tags: self.tag,
            names: Names {
                pattern: self.name,
                prefix: self.name_prefix,
            },
        };
        let (found, mut problems) = read(format, &listings?, &wishes);
        problems.sort_by(|left, right| left.position().cmp(&right.position()));
        if problems
            .iter()
            .any(|problem| problem.severity == Severity::Error)
        {
            return Err(Failure::Values(problems));
        }
        report(&problems)?;
        if found.is_empty() {
            let message = "the listing has no machine; nothing is printed";
            return Err(Failure::Usage(message.to_owned()));
        }
        write_stdout(layer(&found, &wishes).as_bytes())
    }
}

/// A listing's text: a file's, or that of stdin.
pub(super) fn listing(file: &str) -> Result<Listing, Failure> {
    let mut bytes = Vec::new();
    if file == "-" {
        KeptStdin.read_to_end(&mut bytes)?;
    } else {
        let path = std::path::Path::new(file);
        bytes = std::fs::read(path).map_err(failed(path))?;
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Listing {
            source: file.to_owned(),
            text,
        }),
        Err(_) => Err(Failure::Usage(format!("{file} is not text in UTF-8"))),
    }
}
