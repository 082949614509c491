//! `kubefarm pki inspect`: every certificate, and how long it is valid.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use jiff::Timestamp;
use serde_json::json;

use super::export::in_cluster;
use crate::cli::args::{ClusterArgs, FarmArgs, Json, object_name, span};
use crate::cli::failure::{Failure, report};
use crate::cli::on_cluster::on_cluster;
use crate::cli::stdout::write_stdout;
use crate::cluster::change::now;
use crate::farm::Release;
use crate::farm::certificates::{AUTHORITIES, CONFIGURATION, Pki};
use crate::pki::{Certificate, Flaw, Material, directory};
use crate::report::{Style, columns, fitted};

/// A certificate that expires sooner is shown in red, in days.
const SOON: i64 = 30;
const DAY: i64 = 24 * 3600;

const EXAMPLES: &str = "\
Examples:
  The certificates of a farm in the cluster:
    kubefarm pki inspect farm -n clusters

  For monitoring: exit code 1 if one expires within 30 days or is not valid;
  stderr names it:
    kubefarm pki inspect farm -n clusters --check-expiry 30d

  Those in a folder, and those that values would issue:
    kubefarm pki inspect --pki-dir pki
    kubefarm pki inspect -f values.yaml

Exit codes: 0 done, 1 one is due (--check-expiry) or the command failed.";

/// Show every certificate of a farm in the cluster, of a folder, or of values.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Inspect {
    /// A farm in the cluster.
    #[arg(value_name = "FARM", conflicts_with = "pki_dir", value_parser = object_name)]
    applied: Option<String>,
    /// A folder that kubefarm pki init wrote.
    #[arg(long, value_name = "DIR", env = "KUBEFARM_PKI_DIR")]
    pki_dir: Option<PathBuf>,
    /// Exit with 1 if a certificate expires within this time or is not valid: `30d`, `12h`.
    #[arg(long, value_name = "TIME", env = "KUBEFARM_CHECK_EXPIRY", value_parser = span)]
    check_expiry: Option<Duration>,
    /// Print JSON.
    #[arg(short, long, value_enum, env = "KUBEFARM_INSPECT_OUTPUT")]
    output: Option<Json>,
    #[command(flatten)]
    farm: FarmArgs,
    #[command(flatten)]
    cluster: ClusterArgs,
}

impl Inspect {
    pub fn run(self) -> Result<(), Failure> {
        let now = now()?;
        let is_there = self.pki_dir.is_some() || self.applied.is_some();
        let of_values = self.farm.values.is_given();
        if of_values && is_there {
            let why = "they describe what would be issued, and this shows what exists";
            writeln!(io::stderr(), "warning: the values are ignored: {why}")?;
        }
        if of_values && !is_there && self.check_expiry.is_some() {
            return Err(Failure::Usage(
                "--check-expiry needs certificates that exist: in the cluster (FARM) or a folder (--pki-dir)"
                    .to_owned(),
            ));
        }
        let materials = if let Some(dir) = &self.pki_dir {
            directory::read_all(dir)?
        } else if let Some(name) = &self.applied {
            self.of_farm(name)?
        } else if of_values {
            return self.of_values();
        } else {
            return Err(Failure::Usage(
                "name what to inspect: a farm in the cluster (FARM), a folder (--pki-dir) or values (-f)".to_owned(),
            ));
        };
        let certificates = found(materials);
        let text = match self.output {
            Some(Json::Json) => as_json(&certificates, now)?,
            None => as_text(&certificates, now, Style::of_stdout()),
        };
        write_stdout(text.as_bytes())?;
        // A wrong folder must not look healthy to monitoring.
        if certificates.is_empty() && self.check_expiry.is_some() {
            return Err(Failure::Other(anyhow::anyhow!("there are no certificates")));
        }
        let Some(within) = self.check_expiry else {
            return Ok(());
        };
        let due = certificates
            .iter()
            .filter_map(|found| due(found, within, now));
        let due: Vec<String> = due.collect();
        for line in &due {
            writeln!(io::stderr(), "due: {line}")?;
        }
        if due.is_empty() {
            Ok(())
        } else {
            Err(Failure::Reported)
        }
    }

    fn of_farm(&self, name: &str) -> Result<BTreeMap<String, Material>, Failure> {
        let release = Release {
            name: name.to_owned(),
            namespace: self.farm.release.namespace.clone(),
        };
        let mut found = BTreeMap::new();
        on_cluster(|interrupt| async {
            found = in_cluster(&self.cluster, &release, interrupt).await?;
            Ok(())
        })?;
        Ok(found)
    }

    /// What would be issued.
    fn of_values(&self) -> Result<(), Failure> {
        let (farm, warnings) = self.farm.check()?;
        report(&warnings)?;
        let rows: Vec<Vec<String>> = if farm.kubernetes.enabled {
            farm.pki
                .certificates
                .iter()
                .map(|one| wanted(&farm.pki, one))
                .collect()
        } else {
            Vec::new()
        };
        let text = match self.output {
            None => {
                let rows: Vec<_> = rows.iter().map(|row| (row.clone(), false)).collect();
                let headers = ["CERTIFICATE", "SUBJECT", "ISSUER", "HOURS", "NAMES"];
                fitted(&headers, &rows, Style::Plain, columns())
            }
            Some(Json::Json) => {
                let certificates: Vec<_> = rows
                    .iter()
                    .zip(&farm.pki.certificates)
                    .map(|(row, one)| {
                        json!({
                            "name": row.first(),
                            "commonName": one.common_name,
                            "organizations": one.organizations,
                            "issuer": row.get(2),
                            "dnsNames": one.dns_names,
                            "ipAddresses": one.ip_addresses,
                            "usages": one.usages,
                            "isCA": one.is_ca,
                            "hours": one.duration.0,
                        })
                    })
                    .collect();
                pretty(&certificates)?
            }
        };
        write_stdout(text.as_bytes())
    }
}

fn wanted(pki: &Pki, one: &crate::farm::certificates::Certificate) -> Vec<String> {
    let issuer = pki
        .authority_of(one)
        .map_or("itself", |by| by.short.as_str());
    let organizations = one.organizations.iter().flatten().copied();
    let names = one.dns_names.iter().chain(&one.ip_addresses).flatten();
    vec![
        one.short.clone(),
        subject(&one.common_name, organizations),
        issuer.to_owned(),
        one.duration.0.to_string(),
        names.cloned().collect::<Vec<_>>().join(" "),
    ]
}

/// A certificate, or what is wrong with it.
struct Inspected {
    name: String,
    certificate: Result<Certificate, Flaw>,
}

impl Inspected {
    fn of(name: String, material: &Material) -> Inspected {
        let certificate = material.pair().map(|(certificate, _)| certificate);
        Inspected { name, certificate }
    }
}

/// The certificates that exist, and the authorities that are missing.
fn found(materials: BTreeMap<String, Material>) -> Vec<Inspected> {
    let mut found: Vec<Inspected> = materials
        .into_iter()
        .map(|(name, material)| Inspected::of(name, &material))
        .collect();
    let authorities: Vec<Certificate> = found
        .iter()
        .filter_map(|one| one.certificate.as_ref().ok())
        .filter(|certificate| certificate.is_ca)
        .cloned()
        .collect();
    for one in &mut found {
        if let Ok(certificate) = &one.certificate
            && !authorities.iter().any(|by| certificate.is_signed_by(by))
            && !(one.name == CONFIGURATION && certificate.is_signed_by(certificate))
        {
            one.certificate = Err(Flaw::Orphan(certificate.issuer.clone()));
        }
    }
    let is_any = !found.is_empty();
    for name in AUTHORITIES.into_iter().filter(|_| is_any) {
        if !found.iter().any(|one| one.name == name) {
            found.push(Inspected {
                name: name.to_owned(),
                certificate: Err(Flaw::Absent),
            });
        }
    }
    found.sort_by(|left, right| left.name.cmp(&right.name));
    found
}

/// Why a certificate is due: it expires too soon, or is not valid.
fn due(found: &Inspected, within: Duration, now: Timestamp) -> Option<String> {
    let name = &found.name;
    let one = match &found.certificate {
        Err(flaw) => return Some(format!("{name} cannot be used: {flaw}")),
        Ok(one) => one,
    };
    let left = one.not_after.as_second() - now.as_second();
    let is_due = left < i64::try_from(within.as_secs()).unwrap_or(i64::MAX);
    is_due.then(|| match days_left(one, now) {
        days @ 0.. => format!("{name} expires in {days} days, at {}", one.not_after),
        days => format!("{name} expired {} days ago, at {}", -days, one.not_after),
    })
}

fn subject<'a>(common_name: &str, organizations: impl Iterator<Item = &'a str>) -> String {
    let organizations = organizations.map(|name| format!("O={name},"));
    format!("{}CN={common_name}", organizations.collect::<String>())
}

fn names(certificate: &Certificate) -> Vec<String> {
    let addresses = certificate.ip_addresses.iter().map(ToString::to_string);
    certificate
        .dns_names
        .iter()
        .cloned()
        .chain(addresses)
        .collect()
}

/// Whole days; negative ones since its end.
fn days_left(certificate: &Certificate, now: Timestamp) -> i64 {
    (certificate.not_after.as_second() - now.as_second()).div_euclid(DAY)
}

fn as_text(certificates: &[Inspected], now: Timestamp, style: Style) -> String {
    let rows: Vec<(Vec<String>, bool)> = certificates
        .iter()
        .map(|found| match &found.certificate {
            Ok(one) => {
                let days = days_left(one, now);
                let organizations = one.organizations.iter().map(String::as_str);
                let cells = vec![
                    found.name.clone(),
                    days.to_string(),
                    one.not_after.to_string(),
                    subject(&one.common_name, organizations),
                    one.issuer.clone(),
                    names(one).join(" "),
                ];
                (cells, days < SOON)
            }
            Err(flaw) => {
                let cells = [found.name.as_str(), "", "", &flaw.to_string()];
                (cells.map(str::to_owned).to_vec(), true)
            }
        })
        .collect();
    let headers = [
        "CERTIFICATE",
        "DAYS LEFT",
        "NOT AFTER",
        "SUBJECT",
        "ISSUER",
        "NAMES",
    ];
    fitted(&headers, &rows, style, columns())
}

fn as_json(certificates: &[Inspected], now: Timestamp) -> Result<String, Failure> {
    let certificates: Vec<_> = certificates
        .iter()
        .map(|found| match &found.certificate {
            Ok(one) => json!({
                "name": found.name,
                "commonName": one.common_name,
                "organizations": one.organizations,
                "issuer": one.issuer,
                "dnsNames": one.dns_names,
                "ipAddresses": one.ip_addresses,
                "usages": one.usages,
                "isCA": one.is_ca,
                "serial": one.serial,
                "publicKey": STANDARD.encode(&one.public_key),
                "notBefore": one.not_before,
                "notAfter": one.not_after,
                "daysLeft": days_left(one, now),
            }),
            Err(flaw) => json!({ "name": found.name, "error": flaw.to_string() }),
        })
        .collect();
    pretty(&certificates)
}

fn pretty(value: &impl serde::Serialize) -> Result<String, Failure> {
    let text = serde_json::to_string_pretty(value).map_err(anyhow::Error::from)?;
    Ok(text + "\n")
}
