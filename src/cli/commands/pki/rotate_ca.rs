//! `kubefarm pki rotate-ca`: a new certificate authority in three steps.

use std::io::{self, Write as _};

use clap::{Args, ValueEnum};

use super::TargetArgs;
use crate::cli::failure::Failure;
use crate::pki::{Intent, Step};

const EXAMPLES: &str = "\
Each step is an apply, of everything in the values, that waits until every pod
has the result. If a step was stopped, the same command finishes it. Between the
steps the farm can be applied as usual.
  trust    creates the new authority; both are trusted
  reissue  the new authority signs everything; both are trusted
  drop     only the new authority is trusted: the old one, and everything that
           it signed, is worthless from then on

The authorities: ca (the cluster's), etcd-ca, front-proxy-ca, konnectivity-ca,
and sa, the key that signs tokens of service accounts.

With pki.mode certManager, take the steps with --set pki.mode=builtin: the Secrets
are taken over from cert-manager, and the next apply without it gives them back.

Examples:
  The cluster's authority; nodes learn which ones are trusted when they boot, so
  boot them after trust, and again after reissue:
    kubefarm pki rotate-ca ca --step trust -f values.yaml -n clusters
    kubefarm pki rotate-ca ca --step reissue -f values.yaml -n clusters
    kubefarm pki rotate-ca ca --step drop -f values.yaml -n clusters";

/// Replace a certificate authority in three steps without an interruption.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct RotateCa {
    /// The authority's short name, as inspect shows it: `ca`, `etcd-ca`, `sa`.
    #[arg(value_name = "AUTHORITY")]
    authority: String,
    /// The step to take.
    #[arg(long, value_enum, value_name = "STEP")]
    step: StepArg,
    #[command(flatten)]
    target: TargetArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum StepArg {
    Trust,
    Reissue,
    Drop,
}

impl StepArg {
    fn step(self) -> Step {
        match self {
            StepArg::Trust => Step::Trust,
            StepArg::Reissue => Step::Reissue,
            StepArg::Drop => Step::Drop,
        }
    }

    /// What has to be done before the next step.
    fn next(self, authority: &str) -> &'static str {
        match self {
            StepArg::Trust if !is_known_outside(authority) => {
                "Both authorities are trusted by the farm's own pods; nothing else uses this one. Next: --step reissue."
            }
            StepArg::Reissue if !is_known_outside(authority) => {
                "The new authority signs, and the farm's own pods have its certificates. Next: --step drop."
            }
            StepArg::Trust => {
                "Both authorities are trusted. Before --step reissue, everything outside of the farm's own pods has to \
                 trust both as well: reboot nodes, and fetch kubeconfigs again."
            }
            StepArg::Reissue => {
                "The new authority signs. Before --step drop, everything that the old one signed has to be replaced: \
                 reboot nodes, fetch kubeconfigs again, and wait an hour for tokens of service accounts."
            }
            StepArg::Drop => "Only the new authority is trusted.",
        }
    }
}

/// Whether nodes and people trust the authority, or have what it signed. Those of etcd and of the API server's front
/// proxy are between the control plane's pods only.
fn is_known_outside(authority: &str) -> bool {
    !["etcd-ca", "front-proxy-ca"].contains(&authority)
}

impl RotateCa {
    pub fn run(self) -> Result<(), Failure> {
        let prints_advice = self.target.prints_advice();
        let next = self.step.next(&self.authority);
        let rotation = (self.authority, self.step.step());
        self.target.change(|_| Intent {
            rotation: Some(rotation),
            ..Intent::default()
        })?;
        if prints_advice {
            writeln!(io::stderr(), "{next}")?;
        }
        Ok(())
    }
}
