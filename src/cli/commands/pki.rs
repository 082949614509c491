//! `kubefarm pki`: the certificates of a farm.

mod export;
mod import;
mod init;
mod inspect;
mod keys;
mod renew;
mod rotate_ca;

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;
use indexmap::IndexSet;

use super::apply::ApplyArgs;
use crate::cli::args::FarmArgs;
use crate::cli::failure::{Failure, report};
use crate::cli::on_cluster::on_cluster;
use crate::cli::subcommands::subcommands;
use crate::cluster::Interrupt;
use crate::cluster::change::now;
use crate::farm::Farm;
use crate::pki::directory::{PkiDirectory, about_folders};
use crate::pki::{Change, Completed, Intent, Material, Store, complete};

const EXAMPLES: &str = "\
Examples:
  Every certificate of a farm in the cluster, and how long each is valid:
    kubefarm pki inspect farm -n clusters

  Certificates and keys in a folder, for pipelines that render:
    kubefarm pki init --pki-dir pki -f values.yaml
    kubefarm render --pki-dir pki -f values.yaml | kubectl apply --server-side -f -";

/// Create, inspect, renew, rotate, export and import the certificates of a farm.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Pki {
    #[command(subcommand)]
    command: Command,
}

subcommands! {
    init::Init,
    inspect::Inspect,
    keys::Keys,
    renew::Renew,
    rotate_ca::RotateCa,
    export::Export,
    import::Import,
}

impl Pki {
    pub fn run(self) -> Result<(), Failure> {
        self.command.run()
    }
}

/// Which certificates a command changes: those in the cluster, or in a folder.
#[derive(Debug, Args)]
struct TargetArgs {
    /// Change the certificates in this folder instead of the cluster's.
    #[arg(long, value_name = "DIR", env = "KUBEFARM_PKI_DIR")]
    pki_dir: Option<PathBuf>,
    #[command(flatten)]
    apply: ApplyArgs,
}

impl TargetArgs {
    /// Does what is asked for where the certificates are. In the cluster this is an apply, which waits until the pods
    /// that read them have the new ones.
    fn change(self, intent: impl FnOnce(&Farm) -> Intent) -> Result<Farm, Failure> {
        if let Some(dir) = &self.pki_dir {
            let farm = checked(&self.apply.farm)?;
            let completed = write(dir, &farm, &intent(&farm))?;
            if self.prints_advice() {
                print_changes(dir, &completed)?;
            }
            return Ok(farm);
        }
        let outcome = self.apply.farm.render()?;
        report(&outcome.warnings)?;
        check_mode(&outcome.farm)?;
        let farm = outcome.farm.clone();
        let intent = intent(&farm);
        let apply = &self.apply;
        on_cluster(|interrupt: Interrupt| async {
            apply
                .apply(outcome, intent, true, interrupt)
                .await
                .map(drop)
        })?;
        Ok(farm)
    }

    fn prints_advice(&self) -> bool {
        self.apply.prints_advice()
    }
}

/// The farm of some values, which has to be one whose certificates kubefarm issues.
fn checked(args: &FarmArgs) -> Result<Farm, Failure> {
    let (farm, warnings) = args.check()?;
    report(&warnings)?;
    check_mode(&farm)?;
    Ok(farm)
}

fn check_mode(farm: &Farm) -> Result<(), Failure> {
    check_control_plane(farm)?;
    if farm.issues_certificates() {
        return Ok(());
    }
    let reason = "pki.mode is certManager: cert-manager issues, renews and rotates the certificates \
                  (cmctl renew); with --set pki.mode=builtin, kubefarm does";
    Err(Failure::Usage(reason.to_owned()))
}

/// Refuses a farm that has no certificates.
fn check_control_plane(farm: &Farm) -> Result<(), Failure> {
    if farm.kubernetes.enabled {
        return Ok(());
    }
    let reason =
        "kubernetes.enabled is false: there is no control plane, and so there are no certificates";
    Err(Failure::Usage(reason.to_owned()))
}

/// Prints what changed in a folder.
fn print_changes(dir: &Path, completed: &Completed) -> io::Result<()> {
    let mut err = io::stderr().lock();
    let mut kept = 0;
    // An authority and the one that takes its place have one name.
    let mut lines = IndexSet::new();
    for issued in &completed.issued {
        match &issued.change {
            Change::Kept => kept += 1,
            Change::Trust => {
                lines.insert(format!(
                    "{}: its trusted authorities changed",
                    issued.certificate
                ));
            }
            Change::Issued(reason) => {
                lines.insert(format!("{} is issued: {reason}", issued.certificate));
            }
        }
    }
    for line in lines {
        writeln!(err, "{line}")?;
    }
    for (name, end) in &completed.ending {
        writeln!(err, "the certificate authority {name} expires at {end}")?;
    }
    let count = completed.issued.len();
    writeln!(
        err,
        "{count} certificates in {}, {kept} of them unchanged",
        dir.display()
    )
}

/// Refuses a folder that does not exist.
pub(super) fn check_folder(dir: &Path) -> Result<(), Failure> {
    if dir.exists() {
        Ok(())
    } else {
        Err(Failure::Usage(format!(
            "there is no folder {}; create it with the same values: kubefarm pki init --pki-dir {}",
            dir.display(),
            dir.display()
        )))
    }
}

/// Refuses a folder whose authorities are another farm's: its certificates would be reissued for this one.
pub(super) fn check_owner(dir: &Path, farm: &Farm, found: &Store) -> Result<(), Failure> {
    for wanted in farm.pki.certificates.iter().filter(|wanted| wanted.is_ca) {
        let material = found.get(&wanted.secret_name);
        // One that is not valid is reported where it is used.
        let Some(Ok((authority, _))) = material.map(Material::pair) else {
            continue;
        };
        if authority.common_name != wanted.common_name {
            return Err(Failure::Usage(format!(
                "{} is the folder of another farm: its authority is {:?}, and this farm's is {:?}; use another folder",
                dir.display(),
                authority.common_name,
                wanted.common_name
            )));
        }
    }
    Ok(())
}

/// Completes the certificates in a folder.
fn write(dir: &Path, farm: &Farm, intent: &Intent) -> Result<Completed, Failure> {
    let folder = PkiDirectory::open(dir)?;
    let found = folder.read(&farm.pki)?;
    check_owner(dir, farm, &found)?;
    let completed = complete(&farm.pki, &found, Some(now()?), intent);
    let completed = completed.map_err(|errors| about_folders(dir, &farm.pki, errors))?;
    folder.write(&farm.pki, &completed)?;
    Ok(completed)
}
