//! `kubefarm pki import`: certificates and keys of a farm that lived in another cluster.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;

use super::{check_control_plane, check_folder, check_owner};
use crate::cli::args::{ClusterArgs, FarmArgs};
use crate::cli::failure::{Failure, report};
use crate::cli::on_cluster::on_cluster;
use crate::cluster::change::{ImportOptions, import as import_secrets, now};
use crate::cluster::{Event, Observer};
use crate::farm::Farm;
use crate::farm::spec::PkiMode;
use crate::manifest::{Manifest, Object};
use crate::pki::directory::{about_folders, read};
use crate::pki::secrets::secret;
use crate::pki::{Change, Import as Imported, Issued, import};

const EXAMPLES: &str = "\
The folder is one that export --layout pki-dir or init wrote; the farm's name and
namespace have to be those it had. Every certificate authority has to be in it and
valid, or nothing is written. Other certificates are kept where they fit the
values; the rest is issued by the next apply, or by cert-manager. Authorities that
the cluster has already are never replaced, unless --replace-authorities says so.
Run again, it completes what was stopped, and changes nothing else.

Examples:
  Move a farm's certificates to another cluster, before the farm is applied there:
    kubefarm pki export farm pki -n clusters --layout pki-dir --context old
    kubefarm pki import pki -f values.yaml -n clusters --create-namespace --context new
    kubefarm apply -f values.yaml -n clusters --context new";

/// Write exported certificates and keys of a farm to a cluster.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Import {
    /// The folder.
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// Replace certificate authorities that the cluster has: nodes, kubeconfigs and tokens of these are worthless then.
    #[arg(long, env = "KUBEFARM_REPLACE_AUTHORITIES")]
    replace_authorities: bool,
    /// Create the namespaces of the certificates where they do not exist.
    #[arg(long, env = "KUBEFARM_CREATE_NAMESPACE")]
    create_namespace: bool,
    #[command(flatten)]
    farm: FarmArgs,
    #[command(flatten)]
    cluster: ClusterArgs,
    /// Print nothing but warnings and errors.
    #[arg(short, long, env = "KUBEFARM_QUIET", help_heading = "Output")]
    quiet: bool,
}

impl Import {
    pub fn run(self) -> Result<(), Failure> {
        let outcome = self.farm.render()?;
        report(&outcome.warnings)?;
        let farm = &outcome.farm;
        let imported = judged(&self.dir, farm)?;
        let secrets = secrets(farm, &outcome.manifest, &imported.kept);
        let options = ImportOptions {
            replaces_authorities: self.replace_authorities,
            creates_namespaces: self.create_namespace,
            concurrency: self.cluster.concurrency(),
        };
        let cluster = &self.cluster;
        let mut written = 0;
        on_cluster(|interrupt| async {
            let api = cluster.open(interrupt).await?;
            let (release, pki) = (&farm.release, &farm.pki);
            written = import_secrets(&api, release, pki, &secrets, options, &Held).await?;
            Ok(())
        })?;
        if self.quiet {
            Ok(())
        } else {
            Ok(print(farm, &imported, written)?)
        }
    }
}

/// Reports whom it waits for.
struct Held;

impl Observer for Held {
    fn observe(&self, event: &Event<'_>) {
        if let Event::Held { holder } = event {
            // What cannot be printed is not worth stopping for.
            let _ = writeln!(
                io::stderr(),
                "waiting for {holder}, which works on this farm"
            );
        }
    }
}

/// What is worth keeping of a folder; nothing is written yet.
fn judged(dir: &Path, farm: &Farm) -> Result<Imported, Failure> {
    check_control_plane(farm)?;
    check_folder(dir)?;
    if dir.join("ca.crt").exists() {
        return Err(Failure::Usage(format!(
            "{} has the names of kubeadm's files, which lack a part of what the farm needs; export it again: \
             kubefarm pki export NAME DIR --layout pki-dir",
            dir.display()
        )));
    }
    let found = read(dir, &farm.pki)?;
    check_owner(dir, farm, &found)?;
    let imported = import(&farm.pki, &found, now()?);
    Ok(imported.map_err(|errors| about_folders(dir, &farm.pki, errors))?)
}

/// The Secrets, in the namespaces where the farm has them.
fn secrets(farm: &Farm, manifest: &Manifest, kept: &[Issued]) -> Vec<Object> {
    let places = manifest.objects().iter();
    let places = places.filter(|object| ["Secret", "Certificate"].contains(&object.kind()));
    let places: BTreeMap<&str, &str> = places
        .filter_map(|object| Some((object.name(), object.namespace()?)))
        .collect();
    let secrets = kept.iter().filter_map(|issued| {
        let mut certificates = farm.pki.certificates.iter();
        let wanted = certificates.find(|one| one.short == issued.certificate)?;
        let place = places.get(wanted.secret_name.as_str()).copied();
        let namespace = place.unwrap_or(&farm.release.namespace);
        Some(secret(wanted, &issued.secret, namespace, &issued.material))
    });
    secrets.collect()
}

fn print(farm: &Farm, imported: &Imported, written: usize) -> io::Result<()> {
    let mut err = io::stderr().lock();
    for issued in &imported.others {
        if let Change::Issued(reason) = &issued.change {
            writeln!(err, "{} is not imported: {reason}", issued.certificate)?;
        }
    }
    let unchanged = imported.kept.len() - written;
    let issuer = match farm.pki.mode {
        PkiMode::Builtin => "kubefarm apply issues",
        PkiMode::CertManager => "cert-manager issues, once the farm is applied,",
    };
    writeln!(
        err,
        "{written} Secrets written, {unchanged} unchanged; {issuer} what is missing"
    )
}
