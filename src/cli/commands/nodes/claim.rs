//! `kubefarm nodes claim`: a machine moves into a values file.

use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;

use super::import::listing;
use crate::chart::Charts;
use crate::cli::args::FarmArgs;
use crate::cli::failure::{Failure, report};
use crate::cli::sources::KeptStdin;
use crate::cli::stdout::write_stdout;
use crate::farm::spec::{HostName, Text as _};
use crate::farm::syntax::HostAddress;
use crate::files::{self, failed, found};
use crate::nodes::claim::{Claimed, NewNode, claim, taken, with_node};
use crate::nodes::import::{Lease, leases};
use crate::nodes::mac;
use crate::render::{RenderError, check};
use crate::report::{Style, print_changed_text};
use crate::values::{Defaults, Input, Loaded, Problem, Severity, load, load_with_removed};

const EXAMPLES: &str = "\
The file keeps its comments, its order and its layout: only the node is added,
behind the last one of its pool. Nothing is written where its name, MAC or
address is used in any of the files, or where more than it would change.

Examples:
  A machine that booted into the catch-all farm; first a look at what changes:
    kubefarm nodes claim 02:00:00:40:07:0a --as r1n07 --ip 10.64.1.17 --into claimed.yaml --dry-run
    kubefarm nodes claim 02:00:00:40:07:0a --as r1n07 --ip 10.64.1.17 --into claimed.yaml

  The same with the other files of the farm, which must not have it already:
    kubefarm nodes claim 02:00:00:40:07:0a --as r1n07 --into claimed.yaml --pool racks -f values.yaml

  With the name and the address that DHCP gave it:
    kubectl exec -n kubefarm-catchall deploy/catchall-kubernetes-ltsp-dhcp -- cat /var/lib/misc/dnsmasq.leases |
      kubefarm nodes claim 02:00:00:40:07:0a --leases - --into claimed.yaml";

/// Add a machine to a values file, which otherwise stays as it is.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Claim {
    /// The machine's MAC, in any spelling.
    #[arg(value_name = "MAC", value_parser = a_mac)]
    mac: String,
    /// The values file that it is added to; it is created if it does not exist.
    #[arg(long, value_name = "FILE", env = "KUBEFARM_INTO")]
    into: PathBuf,
    /// The pool: its name, or its number where the pools are a list. Default: the only one of FILE.
    #[arg(long, value_name = "POOL", env = "KUBEFARM_CLAIM_POOL")]
    pool: Option<String>,
    /// Its name. Default: that of its lease.
    #[arg(long = "as", value_name = "NAME", env = "KUBEFARM_AS", value_parser = a_name)]
    as_name: Option<String>,
    /// Its address. Default: that of its lease; without a lease it gets none.
    #[arg(long, value_name = "ADDRESS", env = "KUBEFARM_IP", value_parser = an_address)]
    ip: Option<String>,
    /// dnsmasq's file of leases; `-` is stdin.
    #[arg(long, value_name = "FILE", env = "KUBEFARM_LEASES")]
    leases: Option<String>,
    /// Print what would change as a unified diff, and change nothing.
    #[arg(long, env = "KUBEFARM_CLAIM_DRY_RUN")]
    dry_run: bool,
    #[command(flatten)]
    farm: FarmArgs,
}

fn a_mac(text: &str) -> Result<String, String> {
    mac(text).map_err(|refusal| refusal.message)
}

fn a_name(text: &str) -> Result<String, String> {
    let name = HostName::parse(text.to_owned());
    name.map(|name| name.to_string())
        .map_err(|refusal| refusal.message)
}

fn an_address(text: &str) -> Result<String, String> {
    let address = text.parse::<HostAddress>();
    let address = address.map_err(|()| format!("`{text}` is not an IP address"));
    address.map(|_| text.trim_matches(['[', ']']).to_owned())
}

impl Claim {
    pub fn run(self) -> Result<(), Failure> {
        let node = self.node()?;
        let into = self.into.display().to_string();
        let is_new = found(&self.into)?.is_none();
        let text = if is_new {
            String::new()
        } else {
            listing(&into)?.text
        };
        let layers = self.layers(is_new)?;
        not_taken(&layers, &node)?;
        let claimed = claim(&into, &text, self.pool.as_deref(), &node);
        let claimed = claimed.map_err(|problem| Failure::Values(vec![problem]))?;
        self.check(&layers, &claimed, &node)?;
        if self.dry_run {
            let mut diff = Vec::new();
            print_changed_text(&into, &text, &claimed.text, Style::of_stdout(), &mut diff)?;
            return write_stdout(&diff);
        }
        self.write(&text, &claimed.text, is_new)?;
        let pool = crate::nodes::listed::pool_name(&claimed.pool);
        Ok(writeln!(
            io::stderr(),
            "{} ({}) is in pool {pool} of {into}",
            node.name,
            node.mac
        )?)
    }

    fn node(&self) -> Result<NewNode, Failure> {
        let lease = match &self.leases {
            Some(file) => Some(self.lease(file)?),
            None => None,
        };
        let lease = lease.as_ref();
        let name = self
            .as_name
            .clone()
            .or(lease.and_then(|lease| lease.name.clone()));
        let name = name.ok_or_else(|| {
            let why = match lease {
                Some(_) => "its lease has no name",
                None => "a node needs one",
            };
            Failure::Usage(format!("{why}: name it with --as NAME"))
        })?;
        Ok(NewNode {
            name,
            mac: self.mac.clone(),
            address: self.ip.clone().or(lease.map(|lease| lease.address.clone())),
        })
    }

    /// The machine's lease in a file: the last one, if there are several.
    fn lease(&self, file: &str) -> Result<Lease, Failure> {
        let mut problems = Vec::new();
        let leases = leases(&listing(file)?, &mut problems);
        if problems
            .iter()
            .any(|problem| problem.severity == Severity::Error)
        {
            return Err(Failure::Values(problems));
        }
        let mut own = leases.into_iter().filter(|lease| lease.mac == self.mac);
        own.next_back().ok_or_else(|| {
            let message = format!("there is no lease for {} in {file}", self.mac);
            Failure::Usage(format!(
                "{message}; leave out --leases, and name it with --as NAME"
            ))
        })
    }

    /// The layers that were given, FILE among them; stdin is read.
    fn layers(&self, is_new: bool) -> Result<Vec<Input>, Failure> {
        let mut layers = self.farm.values.inputs()?;
        for layer in &mut layers {
            if *layer == Input::File(PathBuf::from("-")) {
                let mut text = String::new();
                KeptStdin.read_to_string(&mut text)?;
                let source = "-".to_owned();
                *layer = Input::Text { source, text };
            }
        }
        if is_new {
            layers.retain(|layer| !self.is_into(layer));
        } else if !layers.iter().any(|layer| self.is_into(layer)) {
            layers.push(Input::File(self.into.clone()));
        }
        Ok(layers)
    }

    fn is_into(&self, layer: &Input) -> bool {
        let real = |path: &Path| std::fs::canonicalize(path).ok();
        matches!(layer, Input::File(path) if *path == self.into || (real(path).is_some() && real(path) == real(&self.into)))
    }

    /// Refuses what changes more than the node in the merged values, or makes them wrong.
    fn check(&self, layers: &[Input], claimed: &Claimed, node: &NewNode) -> Result<(), Failure> {
        let charts = self.farm.charts.load()?;
        let merged = |layers: &[Input]| load_with_removed(&charts.default_values(), layers);
        let before = merged(layers).map_err(Failure::Values)?;
        let after = merged(&self.edited(layers, claimed)).map_err(Failure::Values)?;
        let wanted = with_node((&before.tree).into(), &claimed.pool, &node.as_json());
        if wanted != serde_json::Value::from(&after.tree) {
            return Err(Failure::Usage(format!(
                "with {}, more would change than this node: it and another file both have the pools, and one \
                 replaces those of the other; name the file that has them last, or another pool of a map",
                self.into.display()
            )));
        }
        let known = self.problems(&charts, &before)?;
        let is_known = |new: &Problem| {
            let mut known = known.iter();
            known.any(|old| old.message == new.message && old.path == new.path)
        };
        let mut new = self.problems(&charts, &after)?;
        new.retain(|problem| !is_known(problem));
        if new
            .iter()
            .any(|problem| problem.severity == Severity::Error)
        {
            return Err(Failure::Values(new));
        }
        Ok(report(&new)?)
    }

    /// The layers with the text that FILE would have.
    fn edited(&self, layers: &[Input], claimed: &Claimed) -> Vec<Input> {
        let place = layers.iter().position(|layer| self.is_into(layer));
        let mut edited = layers.to_vec();
        edited.retain(|layer| !self.is_into(layer));
        let new = Input::Text {
            source: self.into.display().to_string(),
            text: claimed.text.clone(),
        };
        edited.insert(place.unwrap_or(edited.len()).min(edited.len()), new);
        edited
    }

    /// What is wrong with merged values.
    fn problems(&self, charts: &Charts, loaded: &Loaded) -> Result<Vec<Problem>, Failure> {
        let release = &self.farm.release;
        match check(charts, loaded, release.name.as_deref(), &release.namespace) {
            Ok((_, problems)) | Err(RenderError::Values(problems)) => Ok(problems),
            Err(other) => Err(other.into()),
        }
    }

    /// Writes the file, unless somebody else has changed it meanwhile.
    fn write(&self, before: &str, after: &str, is_new: bool) -> Result<(), Failure> {
        let now = match found(&self.into)? {
            Some(_) => Some(std::fs::read_to_string(&self.into).map_err(failed(&self.into))?),
            None => None,
        };
        if now.as_deref() != (!is_new).then_some(before) {
            let message = format!("{} was changed meanwhile; try again", self.into.display());
            return Err(Failure::Other(anyhow::anyhow!(message)));
        }
        Ok(files::replace(&self.into, after)?)
    }
}

/// Refuses a node that a layer has already, whether or not a later one replaces that.
fn not_taken(layers: &[Input], node: &NewNode) -> Result<(), Failure> {
    let mut problems = Vec::new();
    for layer in layers {
        let alone = Defaults {
            layers: Vec::new(),
            is_section: |_| false,
        };
        // Flags are about the files before them; the merged values are checked as well.
        if matches!(
            layer,
            Input::File(_) | Input::Builtin { .. } | Input::Text { .. }
        ) {
            let tree = load(&alone, std::slice::from_ref(layer)).map_err(Failure::Values)?;
            problems.extend(taken(&tree, node));
        }
    }
    if problems.is_empty() {
        Ok(())
    } else {
        Err(Failure::Values(problems))
    }
}
