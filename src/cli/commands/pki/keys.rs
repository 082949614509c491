//! `kubefarm pki keys`: what machines verify before they run it, and with which keys.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use serde_json::json;

use crate::cli::args::{AppliedArgs, ClusterArgs, Json};
use crate::cli::failure::Failure;
use crate::cli::on_cluster::{no_farm, on_cluster};
use crate::cli::stdout::write_stdout;
use crate::cluster::Interrupt;
use crate::cluster::state::{ImageKeys, farm_secrets, image_keys, short_name};
use crate::farm::certificates::CONFIGURATION;
use crate::pki::Material;
use crate::report::table;

const EXAMPLES: &str = "\
The key of the configuration is made with the farm's certificates; kubefarm pki renew
configuration replaces it. The key of an image is that of its build, and in its initrd;
a build with another --key replaces it. A boot server is asked for it, through a port
that the API server forwards: this needs the right to create pods/portforward.

Examples:
  The keys of a farm:
    kubefarm pki keys farm -n clusters

  The one that a kernel of your own is to trust (docs/hardened-boot.md):
    kubefarm pki keys farm -n clusters -o json | jq -r .configuration";

/// Show the public keys that machines verify configuration and system image with.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Keys {
    #[command(flatten)]
    release: AppliedArgs,
    #[command(flatten)]
    cluster: ClusterArgs,
    /// Print JSON.
    #[arg(
        short,
        long,
        value_enum,
        env = "KUBEFARM_KEYS_OUTPUT",
        help_heading = "Output"
    )]
    output: Option<Json>,
}

impl Keys {
    pub fn run(self) -> Result<(), Failure> {
        on_cluster(|interrupt| self.run_until(interrupt))
    }

    async fn run_until(self, interrupt: Interrupt) -> Result<(), Failure> {
        let api = self.cluster.open(interrupt).await?;
        let release = self.release.as_release();
        let concurrency = self.cluster.concurrency();
        let Some(secrets) = farm_secrets(&api, &release, concurrency).await? else {
            return Err(no_farm(&api, &release).await);
        };
        let mut secrets = secrets.iter();
        let secret = secrets.find(|(name, _)| short_name(name) == CONFIGURATION);
        let configuration = match secret {
            Some((name, secret)) => Some(public_key(name, &Material::of_secret(secret))?),
            None => None,
        };
        let images = image_keys(&api, &release, concurrency).await?;
        let text = match self.output {
            Some(Json::Json) => as_json(configuration.as_deref(), &images)?,
            None => as_text(configuration.as_deref(), &images),
        };
        write_stdout(text.as_bytes())?;
        Ok(())
    }
}

/// In base64, as the kernel's command line has it.
fn public_key(secret: &str, material: &Material) -> Result<String, Failure> {
    let pair = material.pair();
    let (certificate, _) = pair.map_err(|flaw| anyhow::anyhow!("{secret}: {flaw}"))?;
    Ok(STANDARD.encode(certificate.public_key))
}

fn as_text(configuration: Option<&str>, images: &[ImageKeys]) -> String {
    let none = "none: it is not verified";
    let row = |what: String, key: &str| vec![what, key.to_owned()];
    let mut rows = vec![row(
        "configuration".to_owned(),
        configuration.unwrap_or(none),
    )];
    for image in images {
        let what = format!("image {}, {}", image.release, image.machine);
        let keys = image.keys.iter().map(|key| row(what.clone(), key));
        rows.extend(keys);
        if image.keys.is_empty() {
            rows.push(row(what, none));
        }
    }
    if images.is_empty() {
        rows.push(row(
            "image".to_owned(),
            "unknown: no boot server of the farm runs",
        ));
    }
    table(&["VERIFIED", "PUBLIC KEY"], &rows)
}

fn as_json(configuration: Option<&str>, images: &[ImageKeys]) -> Result<String, Failure> {
    let images: Vec<_> = images
        .iter()
        .map(|image| json!({ "machine": image.machine, "release": image.release, "keys": image.keys }))
        .collect();
    let keys = json!({ "configuration": configuration, "images": images });
    Ok(serde_json::to_string_pretty(&keys).map_err(anyhow::Error::from)? + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_verified_is_said() {
        let image = |keys: &[&str]| ImageKeys {
            machine: "x86_64".to_owned(),
            release: "1f".to_owned(),
            keys: keys.iter().map(|key| (*key).to_owned()).collect(),
        };
        let text = as_text(None, &[image(&["AA", "BB"]), image(&[])]);
        let expected = "\
VERIFIED          PUBLIC KEY
configuration     none: it is not verified
image 1f, x86_64  AA
image 1f, x86_64  BB
image 1f, x86_64  none: it is not verified
";
        assert_eq!(text, expected);
        assert!(as_text(Some("CC"), &[]).contains("no boot server of the farm runs"));
    }
}
