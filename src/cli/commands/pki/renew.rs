//! `kubefarm pki renew`: new certificates before their time.

use std::collections::BTreeSet;

use clap::Args;

use super::PlaceArgs;
use crate::cli::failure::Failure;
use crate::farm::Farm;
use crate::pki::Intent;

const EXAMPLES: &str = "\
Certificates are renewed by every apply when less than a third of their life is
left; this command does not wait for that. In the cluster it is an apply, of
everything in the values, that waits until the pods have the new certificates.
A certificate authority is renewed only by name: it gets a new end of life, and
keeps its key, so that what it signed stays good.

Examples:
  Every certificate but the authorities:
    kubefarm pki renew -f values.yaml -n clusters

  A key that somebody may have seen:
    kubefarm pki renew admin-client -f values.yaml -n clusters

  In a folder:
    kubefarm pki renew --pki-dir pki -f values.yaml";

/// Issue certificates anew: those named, or all but the authorities.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Renew {
    /// Short names, as inspect shows them: `apiserver-server`.
    #[arg(value_name = "CERTIFICATE")]
    certificates: Vec<String>,
    #[command(flatten)]
    place: PlaceArgs,
}

impl Renew {
    pub fn run(self) -> Result<(), Failure> {
        let named: BTreeSet<String> = self.certificates.into_iter().collect();
        let farm = self.place.change(|farm| Intent {
            renew: if named.is_empty() {
                leaves(farm)
            } else {
                named
            },
            rotation: None,
        });
        farm.map(drop)
    }
}

fn leaves(farm: &Farm) -> BTreeSet<String> {
    let certificates = farm.pki.certificates.iter();
    let leaves = certificates.filter(|certificate| !certificate.is_ca);
    leaves.map(|leaf| leaf.short.clone()).collect()
}
