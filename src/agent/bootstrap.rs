//! `kubefarm agent bootstrap`: what a child cluster needs before nodes can join it.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value as Json, json};
use sha2::{Digest as _, Sha256};

use super::announce::{self, Announce};
use super::authorities::Authorities;
use super::error::{AgentError, read, unreadable};
use super::waiting::{JobContext, connect, wait_for};
use crate::cluster::change::{Allowed, ApplyError, ApplyOptions, apply};
use crate::cluster::guard::Risk;
use crate::cluster::record::{PART_OF, inventory};
use crate::cluster::{Api, Observer, Resource, Resources, Target};
use crate::farm::Release;
use crate::hexadecimal::hexadecimal;
use crate::manifest::json::into_object;
use crate::manifest::{Key, Manifest, Object, order, parse};

/// Where the records are of what we keep in a child cluster.
const NAMESPACE: &str = "kube-system";
/// What is kept there: two sets, so that a user's manifest which the cluster refuses keeps no node from joining.
const ADDONS: &str = "kubefarm-addons";
const EXTRA_MANIFESTS: &str = "kubefarm-extra-manifests";
/// The namespaces that an API server makes for itself, a moment after it is ready.
const OWN_NAMESPACES: [&str; 3] = ["default", "kube-public", NAMESPACE];

/// What to bring into a child cluster.
#[derive(Debug, Clone)]
pub struct Bootstrap {
    /// A folder of manifests: ours.
    pub addons: PathBuf,
    /// A folder of manifests: the user's.
    pub extra_manifests: Option<PathBuf>,
    /// PEM: what nodes have to trust.
    pub authorities: PathBuf,
    /// `host:port` at which nodes reach the API server.
    pub endpoint: String,
    /// What the Service `kubernetes` of the child leads to.
    pub announce: Announce,
    /// How many requests to have under way at a time.
    pub concurrency: usize,
}

/// What a child is to have, and the child.
pub(super) struct Prepared {
    pub api: Api,
    pub addons: Vec<Object>,
    extra: Vec<Object>,
    /// The endpoint that the Service `kubernetes` itself needs, unless the API servers announce themselves.
    primary: Option<SocketAddr>,
}

/// Applies the addons, `cluster-info`, the endpoints of the API server and the user's manifests, and removes what was
/// among them before. The admin cluster is asked only where it has to say which endpoints these are.
///
/// # Errors
/// Where a file is not a manifest, a cluster or an address does not come in time, or one refuses something.
pub async fn bootstrap(
    admin: Target,
    child: Target,
    wanted: &Bootstrap,
    context: &JobContext<'_>,
) -> Result<(), AgentError> {
    let prepared = prepare(admin, child, wanted, context).await?;
    let (api, concurrency) = (&prepared.api, wanted.concurrency);
    apply_addons(api, prepared.addons, concurrency, false, context.observer).await?;
    let (extra, release) = (prepared.extra, release(EXTRA_MANIFESTS));
    let record = inventory::read(api, &release).await;
    if !extra.is_empty() || record.map_err(ApplyError::from)?.is_some() {
        let options = options(&extra, concurrency);
        apply(api, &release, extra, &options, context.observer).await?;
    }
    match prepared.primary {
        Some(primary) => announce::take_over(api, primary, context.observer).await,
        None => Ok(()),
    }
}

/// Reads what is wanted, and waits for the clusters and for the namespaces that an API server makes.
///
/// # Errors
/// Where a file is not a manifest, or a cluster or an address does not come in time.
pub(super) async fn prepare(
    admin: Target,
    child: Target,
    wanted: &Bootstrap,
    context: &JobContext<'_>,
) -> Result<Prepared, AgentError> {
    let authorities = Authorities::read(&wanted.authorities)?;
    let mut addons = manifests(&wanted.addons)?;
    if addons.is_empty() {
        // Taken at its word, an empty folder would remove everything.
        return Err(unreadable(&wanted.addons, &"there is no manifest in it"));
    }
    addons.push(cluster_info(&authorities.text, &wanted.endpoint));
    let extra = match &wanted.extra_manifests {
        Some(folder) => manifests(folder)?,
        None => Vec::new(),
    };

    let addresses = wanted.announce.addresses(admin, context).await?;
    let api = connect(child, context).await?;
    let (mut addons, mut extra) = in_namespaces(addons, extra, &api.resources)?;
    let primary = match &wanted.announce {
        Announce::Nothing => None,
        _ => Some(announce::primary(&api, &addresses, context.observer).await?),
    };
    if let Some(primary) = primary {
        addons.extend(announce::objects(&addresses, primary));
        (addons, extra) = in_namespaces(addons, extra, &api.resources)?;
    }
    for namespace in OWN_NAMESPACES {
        let key = Key::core("Namespace", "", namespace);
        let namespaces = Resource::core("Namespace", "namespaces");
        wait_for(&api, &namespaces, &key, context.observer, |_| Ok(())).await?;
    }
    Ok(Prepared {
        api,
        addons,
        extra,
        primary,
    })
}

/// Applies what nodes need; with `only_same`, not over what was applied from other manifests.
///
/// # Errors
/// [`ApplyError::Other`] in that case, and where the child refuses.
pub(super) async fn apply_addons(
    api: &Api,
    addons: Vec<Object>,
    concurrency: usize,
    only_same: bool,
    observer: &dyn Observer,
) -> Result<(), ApplyError> {
    let mut options = options(&addons, concurrency);
    // kubefarm's own objects have to follow its version. The user's may contain data that cannot be recreated.
    options.allowed.replace = true;
    options.only_same = only_same;
    apply(api, &release(ADDONS), addons, &options, observer).await?;
    Ok(())
}

/// The label selector of what nodes need.
pub(super) fn selector_of_addons() -> String {
    format!("{PART_OF}={}", release(ADDONS).id())
}

fn release(name: &str) -> Release {
    Release {
        name: name.to_owned(),
        namespace: NAMESPACE.to_owned(),
    }
}

fn options(objects: &[Object], concurrency: usize) -> ApplyOptions {
    let version = env!("CARGO_PKG_VERSION").to_owned();
    ApplyOptions {
        allowed: Allowed {
            // Nobody can be asked here, and a manual change would stop every later run.
            force: true,
            adopt: false,
            replace: false,
            create_namespace: false,
        },
        prune: true,
        only_same: false,
        concurrency,
        certificates: None,
        facts: BTreeMap::from([
            ("kubefarm".to_owned(), version),
            ("content".to_owned(), content(objects)),
        ]),
        // What is in these sets runs in the child cluster, not the child cluster itself.
        accepted: Risk::ALL.into(),
    }
}

/// By which it is known whether two runs apply the same.
fn content(objects: &[Object]) -> String {
    let mut hash = Sha256::new();
    for object in objects {
        hash.update(Json::Object(object.content.clone()).to_string());
    }
    hexadecimal(hash.finalize())
}

/// The objects of every file in a folder, as a mounted ConfigMap or Secret has them: names with a dot in front are the
/// kubelet's own.
fn manifests(folder: &Path) -> Result<Vec<Object>, AgentError> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| unreadable(folder, &error))? {
        let entry = entry.map_err(|error| unreadable(folder, &error))?;
        if !entry.file_name().to_string_lossy().starts_with('.') {
            paths.push(entry.path());
        }
    }
    paths.sort();
    let mut objects = Vec::new();
    for path in paths {
        let text = read(&path)?;
        objects.extend(parse(&path.display().to_string(), &text)?);
    }
    Ok(objects)
}

/// As kubectl does it, what names no namespace goes to `default`, unless the cluster, or a definition among the objects,
/// says that its kind lives in none. No object is in both lists.
fn in_namespaces(
    addons: Vec<Object>,
    extra: Vec<Object>,
    resources: &Resources,
) -> Result<(Vec<Object>, Vec<Object>), AgentError> {
    let ours: Vec<Key> = addons.iter().map(Object::key).collect();
    let all: Vec<Object> = addons.into_iter().chain(extra).collect();
    let scopes = defined_scopes(&all);
    let is_cluster_scoped = |object: &Object| {
        let (group, kind) = (object.group(), object.kind());
        let served = || Some(!resources.preferred(group, kind)?.namespaced);
        scopes
            .get(&(group.to_owned(), kind.to_owned()))
            .copied()
            .or_else(served)
            .unwrap_or_else(|| order::is_cluster_scoped(group, kind))
    };
    let all = Manifest::assemble_by(all, "default", is_cluster_scoped)?.into_objects();
    Ok(all
        .into_iter()
        .partition(|object| ours.contains(&object.key())))
}

/// Whether the kinds that CustomResourceDefinitions define live outside of namespaces, by group and kind.
fn defined_scopes(objects: &[Object]) -> HashMap<(String, String), bool> {
    let definitions = objects
        .iter()
        .filter(|object| object.kind() == "CustomResourceDefinition");
    let scopes = definitions.filter_map(|object| {
        let spec = object.content.get("spec")?;
        let text = |value: &Json| value.as_str().map(str::to_owned);
        let group = text(spec.get("group")?)?;
        let kind = text(spec.get("names")?.get("kind")?)?;
        Some(((group, kind), spec.get("scope")? == "Cluster"))
    });
    scopes.collect()
}

/// What nodes read before they trust anything (`kubeadm join`, discovery by token). The signatures beside it are the
/// controller manager's.
fn cluster_info(authorities: &str, endpoint: &str) -> Object {
    let kubeconfig = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{
            "name": "",
            "cluster": {
                "certificate-authority-data": STANDARD.encode(authorities),
                "server": format!("https://{endpoint}"),
            },
        }],
        "contexts": null,
        "current-context": "",
        "preferences": {},
        "users": null,
    });
    Object::new(
        "cluster-info",
        into_object(json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": { "name": "cluster-info", "namespace": "kube-public" },
            "data": { "kubeconfig": kubeconfig.to_string() },
        })),
    )
}
