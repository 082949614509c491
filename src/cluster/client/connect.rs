//! Which cluster, and how it is reached: kubeconfig files, a context, or the account of the pod we run in.

use std::env;
use std::path::{Path, PathBuf};
use std::time::Duration;

use kube::config::{KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::{Client, Config};

use super::error::ClusterError;
use super::proxy;
use crate::values::nearest;

/// How long a TCP connection and its TLS handshake may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The cluster that the user chose.
#[derive(Debug, Clone, Default)]
pub struct Target {
    /// One file, instead of the files of `KUBECONFIG` or `~/.kube/config`.
    pub kubeconfig: Option<PathBuf>,
    /// A context of it, instead of the current one.
    pub context: Option<String>,
    /// The account of the pod that we run in, whatever `KUBECONFIG` says.
    pub in_pod: bool,
}

/// A cluster that can be asked. Nothing has been asked yet.
#[derive(Clone)]
pub struct Connection {
    pub client: Client,
    /// `https://10.0.0.1:6443`, for messages.
    pub server: String,
}

impl From<PathBuf> for Target {
    /// The current context of a kubeconfig.
    fn from(kubeconfig: PathBuf) -> Target {
        Some(kubeconfig).into()
    }
}

impl From<Option<PathBuf>> for Target {
    /// The current context of a kubeconfig, or of the one that kubectl would use.
    fn from(kubeconfig: Option<PathBuf>) -> Target {
        Target {
            kubeconfig,
            ..Target::default()
        }
    }
}

impl Target {
    /// The cluster of the pod that we run in.
    pub fn of_pod() -> Target {
        Target {
            in_pod: true,
            ..Target::default()
        }
    }

    /// Reads the configuration and prepares a client, in the order of kubectl: the file given, the files of
    /// `KUBECONFIG` merged, `~/.kube/config`, and without any the pod's own service account.
    ///
    /// # Errors
    /// No configuration, one that cannot be read, a context that is not in it, or one that turns off the
    /// verification of the server's certificate.
    pub async fn connect(&self) -> Result<Connection, ClusterError> {
        let mut config = match self.kubeconfig()? {
            Some(kubeconfig) => self.config(kubeconfig).await?,
            None => Config::incluster().map_err(|_| ClusterError::NoConfiguration)?,
        };
        let server = without_users(&config.cluster_url.to_string());
        let server = server.trim_end_matches('/').to_owned();
        if config.accept_invalid_certs {
            return Err(ClusterError::Unverified { server });
        }
        config.connect_timeout = Some(CONNECT_TIMEOUT);
        // Retrying is decided in one place, `Transport`.
        config.default_retry = false;
        let plugin = config.auth_info.exec.as_ref();
        let plugin = plugin.and_then(|plugin| plugin.command.clone());
        let client = Client::try_from(config).map_err(|error| ClusterError::Configuration {
            message: match plugin {
                Some(plugin) => format!("credential plugin {plugin}: {}", error_chain(&error)),
                None => error_chain(&error),
            },
        })?;
        Ok(Connection { client, server })
    }

    /// The names of the contexts that may be chosen from; none where the configuration cannot be read.
    pub fn contexts(&self) -> Vec<String> {
        let found = self.kubeconfig().ok().flatten();
        let contexts = found.map(|found| found.contexts).unwrap_or_default();
        contexts.into_iter().map(|context| context.name).collect()
    }

    fn kubeconfig(&self) -> Result<Option<Kubeconfig>, ClusterError> {
        if self.in_pod {
            return Ok(None);
        }
        if let Some(file) = &self.kubeconfig {
            return read(file).map(Some);
        }
        let listed = env::var_os("KUBECONFIG").unwrap_or_default();
        let listed = env::split_paths(&listed).filter(|file| !file.as_os_str().is_empty());
        let listed: Vec<PathBuf> = listed.collect();
        if let Some((first, _)) = listed.split_first() {
            // As kubectl does: of several files, those that are missing are passed over.
            let there: Vec<&PathBuf> = listed.iter().filter(|file| file.exists()).collect();
            let (first, others) = there.split_first().unwrap_or((&first, &[]));
            let merged = others.iter().try_fold(read(first)?, |merged, file| {
                merged.merge(read(file)?).map_err(unreadable)
            });
            return merged.map(Some);
        }
        let home = env::home_dir().map(|home| home.join(".kube/config"));
        match home.filter(|file| file.exists()) {
            Some(file) => read(&file).map(Some),
            None => Ok(None),
        }
    }

    async fn config(&self, kubeconfig: Kubeconfig) -> Result<Config, ClusterError> {
        let contexts: Vec<String> = kubeconfig
            .contexts
            .iter()
            .map(|context| context.name.clone())
            .collect();
        let wanted = self
            .context
            .as_ref()
            .or(kubeconfig.current_context.as_ref());
        match wanted.filter(|name| !name.is_empty()) {
            None => return Err(ClusterError::NoContext { contexts }),
            Some(name) if !contexts.contains(name) => {
                let near = nearest(name, contexts.iter().map(String::as_str)).map(str::to_owned);
                return Err(ClusterError::UnknownContext {
                    name: name.clone(),
                    near,
                    contexts,
                });
            }
            Some(_) => {}
        }
        let options = KubeConfigOptions {
            context: self.context.clone(),
            ..KubeConfigOptions::default()
        };
        let names_proxy = wanted.is_some_and(|name| names_proxy(&kubeconfig, name));
        let mut config = Config::from_custom_kubeconfig(kubeconfig, &options)
            .await
            .map_err(unreadable)?;
        let host = config.cluster_url.host().unwrap_or_default();
        let port = config.cluster_url.port_u16().unwrap_or(443);
        if !names_proxy && proxy::is_exempt(&proxy::exemptions(), host, port) {
            config.proxy_url = None;
        }
        Ok(config)
    }
}

/// Whether the cluster of a context has a proxy of its own, which no exemption of the environment is about.
fn names_proxy(kubeconfig: &Kubeconfig, context: &str) -> bool {
    let contexts = &kubeconfig.contexts;
    let context = contexts.iter().find(|found| found.name == context);
    let Some(context) = context.and_then(|found| found.context.as_ref()) else {
        return false;
    };
    let clusters = &kubeconfig.clusters;
    let cluster = clusters.iter().find(|found| found.name == context.cluster);
    let cluster = cluster.and_then(|found| found.cluster.as_ref());
    cluster.is_some_and(|cluster| cluster.proxy_url.is_some())
}

fn read(file: &Path) -> Result<Kubeconfig, ClusterError> {
    Kubeconfig::read_from(file).map_err(|error| {
        // Most of them do not say in which file.
        let message = match &error {
            KubeconfigError::ReadConfig(..) => return unreadable(error),
            // The whole error quotes lines of the file, which may hold a token or a key.
            KubeconfigError::Parse(error) => error.without_snippet().to_string(),
            other => error_chain(other),
        };
        ClusterError::Configuration {
            message: format!("{}: {message}", file.display()),
        }
    })
}

fn unreadable(error: KubeconfigError) -> ClusterError {
    let message = match &error {
        KubeconfigError::ReadConfig(error, file) => format!("{}: {error}", file.display()),
        other => error_chain(other),
    };
    ClusterError::Configuration { message }
}

/// An error and what caused it, without what each repeats of the next.
pub(super) fn error_chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    without_users(&text)
}

/// A text without the names and passwords that URLs in it may have.
fn without_users(text: &str) -> String {
    let mut parts = text.split("://");
    let mut shown = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let ends = |character: char| character.is_whitespace() || "/?#\"'".contains(character);
        let end = part.find(ends).unwrap_or(part.len());
        let (authority, behind) = part.split_at_checked(end).unwrap_or((part, ""));
        let host = authority.rsplit('@').next().unwrap_or_default();
        shown = format!("{shown}://{host}{behind}");
    }
    shown
}
