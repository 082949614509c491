//! `kubefarm render`: layered values in, manifests out.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::pki::{check_folder, check_owner};
use crate::cli::args::{FarmArgs, NameArgs};
use crate::cli::failure::{Failure, report};
use crate::cli::stdout::write_stdout;
use crate::manifest::{Manifest, select, write_directory, write_json, write_yaml};
use crate::pki::secrets::{fill, leave_out};
use crate::pki::{Intent, complete, directory};
use crate::render::Outcome;

const EXAMPLES: &str = "\
Examples:
  Render two layers and apply them with kubectl:
    kubefarm render -n farm1 -f values.yaml -f extra.yaml | kubectl apply --server-side -f -

  An embedded example, smaller, with one value changed:
    kubefarm render -f builtin:generic -f builtin:minimal --set ltsp.replicaCount=2

  Only etcd's objects; only one object:
    kubefarm render -f values.yaml --show-only kubernetes/templates/etcd.yaml
    kubefarm render -f values.yaml --show-only Service/kubefarm-kubernetes-apiserver

  One file an object, for a GitOps repository:
    kubefarm render -f values.yaml --output-dir manifests/";

/// Merge values, check them, and print every manifest of the farm.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Render {
    #[command(flatten)]
    name: NameArgs,
    #[command(flatten)]
    farm: FarmArgs,
    /// The folder of certificates and keys that kubefarm pki init wrote, for pki.mode builtin.
    #[arg(long, value_name = "DIR", env = "KUBEFARM_PKI_DIR")]
    pki_dir: Option<PathBuf>,
    /// The format: a YAML stream, or one JSON List.
    #[arg(short, long, value_enum, default_value_t = Format::Yaml, env = "KUBEFARM_OUTPUT", help_heading = "Output")]
    output: Format,
    /// Instead of printing, write a file for each object into DIR, all of them or none.
    #[arg(
        long,
        value_name = "DIR",
        env = "KUBEFARM_OUTPUT_DIR",
        help_heading = "Output"
    )]
    output_dir: Option<PathBuf>,
    /// Only the objects of a template, or those of Kind/name; `*` matches anything.
    #[arg(
        long,
        value_name = "PATTERN",
        env = "KUBEFARM_SHOW_ONLY",
        help_heading = "Output"
    )]
    show_only: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Yaml,
    Json,
}

impl Render {
    pub fn run(mut self) -> Result<(), Failure> {
        self.farm.take_name(&self.name, "render")?;
        if self.output_dir.is_some() && self.output == Format::Json {
            let reason = "--output json cannot be used with --output-dir, whose files are YAML";
            return Err(Failure::Usage(reason.to_owned()));
        }
        let outcome = self.farm.render_to_write()?;
        report(&outcome.warnings)?;
        let manifest = if outcome.farm.issues_certificates() {
            self.with_certificates(outcome)?
        } else {
            if self.pki_dir.is_some() {
                let why = "kubefarm does not issue the certificates of this farm; set pki.mode to builtin";
                writeln!(io::stderr(), "warning: --pki-dir is ignored: {why}")?;
            }
            outcome.manifest
        };
        let manifest = if self.show_only.is_empty() {
            manifest
        } else {
            select(manifest, &self.show_only)?
        };
        if let Some(dir) = &self.output_dir {
            return Ok(write_directory(&manifest, dir)?);
        }
        match self.output {
            Format::Yaml => {
                let mut stdout = io::stdout().lock();
                write_yaml(&manifest, &mut stdout)?;
                stdout.flush()?;
            }
            Format::Json => {
                let mut text = Vec::new();
                write_json(&manifest, &mut text)?;
                write_stdout(&text)?;
            }
        }
        Ok(())
    }

    /// The manifest with the certificates of a folder, or without the Secrets that would hold them.
    fn with_certificates(&self, outcome: Outcome) -> Result<Manifest, Failure> {
        let Outcome { farm, manifest, .. } = outcome;
        let mut objects = manifest.into_objects();
        match &self.pki_dir {
            Some(dir) => {
                check_folder(dir)?;
                let found = directory::read(dir, &farm.pki)?;
                check_owner(dir, &farm, &found)?;
                let completed = complete(&farm.pki, &found, None, &Intent::default());
                let about = |errors| directory::about_folders(dir, &farm.pki, errors);
                let completed = completed.map_err(about)?;
                fill(&mut objects, &farm.pki, &completed);
            }
            None => {
                leave_out(&mut objects, &farm.pki);
                writeln!(
                    io::stderr(),
                    "note: Secrets with certificates are left out, because rendering makes no keys; \
                     apply makes them, or kubefarm pki init for --pki-dir"
                )?;
            }
        }
        Ok(Manifest::assemble(objects, &farm.release.namespace)?)
    }
}
