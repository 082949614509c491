//! `kubefarm kubeconfig`: access to the child cluster for people.

mod document;
mod file;

use std::io::{self, IsTerminal as _, Write as _};
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use http::Uri;

use crate::cli::args::{AppliedArgs, ClusterArgs, span};
use crate::cli::failure::Failure;
use crate::cli::on_cluster::{no_farm, on_cluster};
use crate::cli::stdout::write_stdout;
use crate::cluster::change::{check_clock, now};
use crate::cluster::state::{Access, access};
use crate::cluster::{Api, Interrupt};
use crate::farm::Release;
use crate::farm::syntax::split_endpoint;
use crate::pki::{Certificate, Client, Flaw, Material, PkiError, issue_client};
use crate::values::to_yaml;
use document::{Entry, merged};
use file::Kubeconfig as File;

/// The certificates that are used, by their short names.
const ADMIN: &str = "admin-client";
const AUTHORITY: &str = "ca";
const SERVER: &str = "apiserver-server";

const EXAMPLES: &str = "\
The kubeconfig goes to standard output, or is merged into a file: an entry of the
same name is replaced, and everything else stays, but for comments. Only its
owner may read the file (0600), and it is written whole or not at all.

Certificates cannot be revoked before they expire: give people their own, for a
short time, instead of the admin's, which is valid for a year.

Examples:
  As the admin of a child cluster, beside the other clusters of kubectl:
    kubefarm kubeconfig farm -n clusters --merge ~/.kube/config
    kubectl --context clusters/farm get nodes

  A user with the rights of the group `ops` in RBAC, for eight hours:
    kubefarm kubeconfig farm -n clusters --user jane --group ops --ttl 8h --merge jane.kubeconfig

  Through a port that kubectl forwards:
    kubectl -n clusters port-forward service/farm-kubernetes-apiserver 6443 &
    kubefarm kubeconfig farm -n clusters --server https://localhost:6443 --merge ~/.kube/config";

/// Create a kubeconfig for the child cluster of a farm.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Kubeconfig {
    #[command(flatten)]
    release: AppliedArgs,
    /// The URL of the API server. Default: the address of its Service's load balancer.
    #[arg(long, value_name = "URL", env = "KUBEFARM_SERVER", value_parser = server)]
    server: Option<Uri>,
    /// Issue a certificate for this user instead of using the admin's.
    #[arg(long, value_name = "USER", env = "KUBEFARM_USER", value_parser = identity)]
    user: Option<String>,
    /// A group of the user.
    #[arg(long, value_name = "GROUP", env = "KUBEFARM_GROUP", requires = "user", value_parser = identity)]
    group: Vec<String>,
    /// How long the user's certificate is valid: `8h`, `30d`.
    #[arg(long, value_name = "TIME", env = "KUBEFARM_TTL", requires = "user", default_value = "24h", value_parser = span)]
    ttl: Duration,
    /// Merge it into this file, which is created if it does not exist.
    #[arg(long, value_name = "FILE", env = "KUBEFARM_MERGE")]
    merge: Option<PathBuf>,
    /// The name of the entries. Default: NAMESPACE/NAME.
    #[arg(long, value_name = "ENTRY", env = "KUBEFARM_ENTRY", value_parser = identity)]
    entry: Option<String>,
    #[command(flatten)]
    cluster: ClusterArgs,
}

/// A URL, or the host and port of one.
fn server(text: &str) -> Result<Uri, String> {
    let expected = || "expected a URL such as https://k8s.example.org:6443".to_owned();
    let whole = if text.contains("://") {
        text.to_owned()
    } else {
        format!("https://{text}")
    };
    let uri: Uri = whole.parse().map_err(|_| expected())?;
    match (uri.scheme_str(), uri.host()) {
        (Some("https"), Some(host)) if !host.is_empty() => Ok(uri),
        (Some("http"), _) => Err("client certificates need https".to_owned()),
        _ => Err(expected()),
    }
}

/// A name that a certificate can hold and a person can read.
fn identity(text: &str) -> Result<String, String> {
    if text.is_empty() || text.chars().any(char::is_control) {
        Err("expected a name of printable characters".to_owned())
    } else {
        Ok(text.to_owned())
    }
}

impl Kubeconfig {
    pub fn run(self) -> Result<(), Failure> {
        on_cluster(|interrupt| self.run_until(interrupt))
    }

    async fn run_until(self, interrupt: Interrupt) -> Result<(), Failure> {
        if self.merge.is_none() && io::stdout().is_terminal() {
            return Err(Failure::Usage(
                "a kubeconfig has a private key, which is not printed to a terminal: use --merge FILE, or a pipe".to_owned(),
            ));
        }
        let api = self.cluster.open(interrupt).await?;
        let release = self.release.as_release();
        let Some(access) = access(&api, &release, self.cluster.concurrency()).await? else {
            return Err(no_farm(&api, &release).await);
        };
        let server = self.url(&access)?;
        let material = self.material(&api, &access).await?;
        let entry = self.entry_of(&release, &server, &material);
        let Some(path) = &self.merge else {
            let document = merged(serde_json::Map::new(), &entry).map_err(Failure::Usage)?;
            return write_stdout(to_yaml(&document).as_bytes());
        };
        let file = File::open(path)?;
        let document = merged(file.content()?, &entry)
            .map_err(|reason| Failure::Usage(format!("{}: {reason}", path.display())))?;
        file.replace(&to_yaml(&document))?;
        let context = &entry.context;
        writeln!(
            io::stderr(),
            "{} has the context {context}: kubectl --context {context} get nodes",
            path.display()
        )?;
        Ok(())
    }

    /// The URL of the API server, with a warning if its certificate is not valid for that.
    fn url(&self, access: &Access) -> Result<String, Failure> {
        let certificate = access.certificates.get(SERVER);
        let certificate = certificate.and_then(|it| Certificate::parse(&it.certificate).ok());
        let serves = |host: &str| certificate.as_ref().is_none_or(|it| it.serves(host));
        let (host, url) = match (&self.server, &access.addresses) {
            (Some(uri), _) => (bare(uri.host().unwrap_or_default()), uri.to_string()),
            (None, Err(reason)) => {
                let Some((host, endpoint)) = endpoint(access) else {
                    return Err(Failure::Usage(format!(
                        "{reason}: pass --server https://HOST:PORT"
                    )));
                };
                (host, format!("https://{endpoint}"))
            }
            (None, Ok((hosts, port))) => {
                // There is at least one.
                let best = hosts.iter().find(|host| serves(host)).or(hosts.first());
                let host = best.map(String::as_str).unwrap_or_default();
                let shown = match host.parse() {
                    Ok(IpAddr::V6(address)) => format!("[{address}]"),
                    _ => host.to_owned(),
                };
                (host, format!("https://{shown}:{port}"))
            }
        };
        if !serves(host) {
            writeln!(
                io::stderr(),
                "warning: the API server's certificate is not valid for {host}, so kubectl will refuse it: \
                 add it to kubernetes.apiServer.certSANs"
            )?;
        }
        Ok(url.trim_end_matches('/').to_owned())
    }

    /// The admin's certificate and key, or new ones.
    async fn material(&self, api: &Api, access: &Access) -> Result<Material, Failure> {
        let found = |name: &str| access.certificates.get(name).cloned().unwrap_or_default();
        let here = now()?;
        let (name, material) = match &self.user {
            None => (ADMIN, found(ADMIN)),
            Some(user) => {
                check_clock(api, here).await?;
                let client = Client {
                    user: user.clone(),
                    groups: self.group.clone(),
                    life: self.ttl,
                };
                let issued = issue_client(&client, AUTHORITY, &found(AUTHORITY), here)?;
                (AUTHORITY, issued)
            }
        };
        let unusable = |flaw| PkiError::Unusable {
            name: name.to_owned(),
            flaw,
        };
        let (certificate, _) = material.pair().map_err(unusable)?;
        if certificate.not_after <= here {
            return Err(unusable(Flaw::Expired(certificate.not_after)).into());
        }
        match Certificate::parse_all(&material.authorities) {
            Ok(authorities) if !authorities.is_empty() => Ok(material),
            _ => Err(unusable(Flaw::Missing("ca.crt")).into()),
        }
    }

    fn entry_of(&self, release: &Release, server: &str, material: &Material) -> Entry {
        let cluster = match &self.entry {
            Some(entry) => entry.clone(),
            None => format!("{}/{}", release.namespace, release.name),
        };
        let (user, context) = match &self.user {
            None => (format!("{cluster}/admin"), cluster.clone()),
            Some(user) => (format!("{cluster}/{user}"), format!("{user}@{cluster}")),
        };
        Entry::new(cluster, user, context, server, material)
    }
}

/// The host of the farm's own endpoint, and all of it.
fn endpoint(access: &Access) -> Option<(&str, &str)> {
    let endpoint = access.endpoint.as_deref()?;
    let (host, _) = split_endpoint(endpoint)?;
    Some((host, endpoint))
}

/// An IPv6 address without the brackets of a URL.
fn bare(host: &str) -> &str {
    let inside = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    inside.unwrap_or(host)
}
