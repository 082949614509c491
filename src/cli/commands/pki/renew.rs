//! `kubefarm pki renew`: new certificates before their time.

use std::collections::BTreeSet;

use clap::Args;

use super::TargetArgs;
use crate::cli::failure::Failure;
use crate::farm::Farm;
use crate::pki::Intent;

const EXAMPLES: &str = "\
Every apply renews certificates when less than a third of their life is left;
this command renews them now. In the cluster it is an apply, of everything in the
values, that waits until the pods have the new certificates. A certificate
authority is renewed only by name: it gets a new expiry and keeps its key, so
that the certificates it signed stay valid. So is the key that the configuration
of nodes is signed with, configuration: there is another one then.

Examples:
  Every certificate but the authorities:
    kubefarm pki renew -f values.yaml -n clusters

  A key that somebody may have seen:
    kubefarm pki renew admin-client -f values.yaml -n clusters

  Another key for the configuration of nodes:
    kubefarm pki renew configuration -f values.yaml -n clusters

  In a folder:
    kubefarm pki renew --pki-dir pki -f values.yaml";

/// Reissue certificates: those named, or all but the authorities.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Renew {
    /// Short names, as inspect shows them: `apiserver-server`.
    #[arg(value_name = "CERTIFICATE")]
    certificates: Vec<String>,
    #[command(flatten)]
    target: TargetArgs,
}

impl Renew {
    pub fn run(self) -> Result<(), Failure> {
        let named: BTreeSet<String> = self.certificates.into_iter().collect();
        let farm = self.target.change(|farm| Intent {
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

/// Without keys that machines know.
fn leaves(farm: &Farm) -> BTreeSet<String> {
    let certificates = farm.pki.certificates.iter();
    let leaves = certificates.filter(|certificate| !certificate.is_ca && !certificate.boots);
    leaves.map(|leaf| leaf.short.clone()).collect()
}
