//! How the etcd of a farm is, as its members say: each is asked through a port that the API server forwards.

use futures::stream::{self, StreamExt as _};
use serde_json::{Map, Value as Json};

use super::pods::{is_running, pods, port};
use crate::cluster::client::{Api, ClusterError, Portforwarder, Resource};
use crate::cluster::record::InventoryError;
use crate::cluster::record::inventory::{self, Part};
use crate::etcd::{Answer, Credentials, EtcdError, Member, Seen};
use crate::farm::Release;
use crate::manifest::Key;
use crate::manifest::json::{text_at, value_at};
use crate::pki::Material;

/// The StatefulSet, whatever its name; its container has the name of the component.
const PART: Part = Part {
    kind: "StatefulSet",
    component: "etcd",
};
/// The name of the port for clients.
const PORT: &str = "client";
/// The Secret of a member's certificate for its peers, and that of a client, end like this. The farm makes both.
const OF_PEERS: &str = "etcd-peer";
const OF_A_CLIENT: &str = "etcd-healthcheck-client";
/// Every member's certificate has this address, where a forwarded port arrives.
const HOST: &str = "127.0.0.1";

/// The etcd of a farm, as it is asked.
pub struct Members<'a> {
    api: &'a Api,
    namespace: String,
    /// The name of the StatefulSet.
    name: String,
    replicas: u64,
    quota: Option<u64>,
    port: u16,
    credentials: Credentials,
    concurrency: usize,
}

/// What its members say.
#[derive(Debug)]
pub struct Etcd {
    /// The name of the StatefulSet.
    pub name: String,
    /// The members that are wanted, and further pods.
    pub members: Vec<Seen>,
    /// The limit of a database in bytes, as the members' flags have it; members from 3.6 on say it themselves.
    pub quota: Option<u64>,
}

/// An open connection with a member.
pub struct Connected {
    pub member: Member,
    /// Ends with the connection.
    _forwarder: Portforwarder,
}

/// Why etcd cannot be asked at all.
#[derive(Debug, thiserror::Error)]
pub enum UnknownEtcd {
    #[error(transparent)]
    Inventory(#[from] InventoryError),
    #[error("the farm has no etcd")]
    None,
    #[error("{secret}: {error}")]
    Certificate { secret: String, error: EtcdError },
}

impl From<ClusterError> for UnknownEtcd {
    fn from(error: ClusterError) -> UnknownEtcd {
        UnknownEtcd::Inventory(error.into())
    }
}

impl<'a> Members<'a> {
    /// Those of a farm; `None` where the cluster knows no such farm.
    ///
    /// # Errors
    /// Where the cluster refuses, and where the farm has no etcd or no certificate for it.
    pub async fn of(
        api: &'a Api,
        release: &Release,
        concurrency: usize,
    ) -> Result<Option<Members<'a>>, UnknownEtcd> {
        let Some(parent) = inventory::read(api, release).await? else {
            return Ok(None);
        };
        let sets = inventory::parts(api, release, parent, PART, concurrency).await?;
        let set = sets.into_iter().max_by_key(replicas);
        let set = set.ok_or(UnknownEtcd::None)?;
        let template = value_at(&set, &["spec", "template"]).and_then(Json::as_object);
        Ok(Some(Members {
            name: text_at(&set, &["metadata", "name"]).to_owned(),
            replicas: replicas(&set),
            quota: quota(&set),
            port: template
                .and_then(|template| port(template, PORT))
                .ok_or(UnknownEtcd::None)?,
            credentials: credentials(api, release, &set).await?,
            namespace: release.namespace.clone(),
            api,
            concurrency,
        }))
    }

    /// Asks each. One that does not answer is no failure.
    ///
    /// # Errors
    /// Where the cluster refuses to list pods.
    pub async fn look(&self) -> Result<Etcd, ClusterError> {
        let pods = pods(self.api, &self.namespace, &self.name).await?;
        let names = wanted(self.replicas, &self.name, &pods);
        let members = stream::iter(names).map(async |name| {
            let mut found = pods.iter();
            let found = found.find(|pod| text_at(pod, &["metadata", "name"]) == name);
            let answer = match found {
                Some(pod) if is_running(pod) => self.ask(&name).await,
                Some(pod) => {
                    let phase = text_at(pod, &["status", "phase"]);
                    Err(format!("its pod does not run: {phase}"))
                }
                None => Err("there is no such pod".to_owned()),
            };
            Seen { name, answer }
        });
        Ok(Etcd {
            members: members.buffered(self.concurrency).collect().await,
            quota: self.quota,
            name: self.name.clone(),
        })
    }

    /// Connects with the member in a pod.
    ///
    /// # Errors
    /// Where the API server does not forward the port, or the member is not whom it should be.
    pub async fn connect(&self, pod: &str) -> Result<Connected, Unanswered> {
        let tunnel = self.api.tunnel(&self.namespace, pod, self.port).await?;
        Ok(Connected {
            member: Member::connect(HOST, tunnel.stream, &self.credentials).await?,
            _forwarder: tunnel.forwarder,
        })
    }

    async fn ask(&self, pod: &str) -> Result<Answer, String> {
        let asked = async {
            let mut connected = self.connect(pod).await?;
            Ok::<_, Unanswered>(Answer {
                status: connected.member.status().await?,
                members: connected.member.members().await?,
            })
        };
        asked.await.map_err(|reason| reason.to_string())
    }
}

/// The names of the pods that are wanted, and of others that are there.
fn wanted(replicas: u64, name: &str, pods: &[Map<String, Json>]) -> Vec<String> {
    let wanted = (0..replicas).map(|ordinal| format!("{name}-{ordinal}"));
    let mut names: Vec<String> = wanted.collect();
    let there = pods.iter().map(|pod| text_at(pod, &["metadata", "name"]));
    let others = there.filter(|pod| !names.iter().any(|name| name == pod));
    let others: Vec<String> = others.map(str::to_owned).collect();
    names.extend(others);
    names
}

/// Why a member said nothing.
#[derive(Debug, thiserror::Error)]
pub enum Unanswered {
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    #[error(transparent)]
    Etcd(#[from] EtcdError),
}

/// The certificate of a client, beside that which members have for each other.
async fn credentials(
    api: &Api,
    release: &Release,
    set: &Map<String, Json>,
) -> Result<Credentials, UnknownEtcd> {
    let secret = client_secret(set).ok_or(UnknownEtcd::None)?;
    let key = Key::core("Secret", &release.namespace, &secret);
    let found = api.get(&Resource::core("Secret", "secrets"), &key).await?;
    let material = found.map(|object| Material::of_secret(&object));
    Credentials::of(&material.unwrap_or_default())
        .map_err(|error| UnknownEtcd::Certificate { secret, error })
}

/// The name of the Secret with a client's certificate, from those that the pods mount.
fn client_secret(set: &Map<String, Json>) -> Option<String> {
    let volumes = value_at(set, &["spec", "template", "spec", "volumes"])?;
    let mut secrets = volumes
        .as_array()?
        .iter()
        .filter_map(|volume| volume.pointer("/secret/secretName")?.as_str());
    let farm = secrets.find_map(|secret| secret.strip_suffix(OF_PEERS))?;
    Some(format!("{farm}{OF_A_CLIENT}"))
}

fn replicas(set: &Map<String, Json>) -> u64 {
    let replicas = value_at(set, &["spec", "replicas"]).and_then(Json::as_u64);
    replicas.unwrap_or_default()
}

/// The flag `--quota-backend-bytes`.
fn quota(set: &Map<String, Json>) -> Option<u64> {
    let containers = value_at(set, &["spec", "template", "spec", "containers"])?.as_array()?;
    let etcd = containers
        .iter()
        .find(|one| one["name"] == PART.component)?;
    let mut flags = etcd["args"].as_array()?.iter().filter_map(Json::as_str);
    flags
        .find_map(|flag| flag.strip_prefix("--quota-backend-bytes="))?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::manifest::json::into_object;

    fn set() -> Map<String, Json> {
        into_object(json!({ "spec": { "replicas": 3, "template": { "spec": {
            "containers": [
                { "name": "sidecar", "args": ["--quota-backend-bytes=1"] },
                { "name": "etcd", "args": ["--name=x", "--quota-backend-bytes=4096"] },
            ],
            "volumes": [
                { "name": "data", "emptyDir": {} },
                { "name": "a", "secret": { "secretName": "farm-kubernetes-pki-etcd-ca" } },
                { "name": "b", "secret": { "secretName": "farm-kubernetes-pki-etcd-peer" } },
            ],
        } } } }))
    }

    #[test]
    fn the_secret_of_a_client_is_beside_that_of_peers() {
        let name = "farm-kubernetes-pki-etcd-healthcheck-client";
        assert_eq!(client_secret(&set()).as_deref(), Some(name));
        assert_eq!(client_secret(&Map::new()), None);
    }

    #[test]
    fn the_quota_is_that_of_etcds_container() {
        assert_eq!(quota(&set()), Some(4096));
        assert_eq!(quota(&Map::new()), None);
    }

    #[test]
    fn wanted_pods_are_asked_and_those_that_are_there() {
        let pod = |name: &str| into_object(json!({ "metadata": { "name": name } }));
        let pods = [pod("etcd-2"), pod("etcd-0")];
        assert_eq!(wanted(2, "etcd", &pods), ["etcd-0", "etcd-1", "etcd-2"]);
        assert_eq!(wanted(0, "etcd", &[]), [""; 0]);
    }
}
