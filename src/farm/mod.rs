//! The typed model of a farm: values checked, and everything computed that templates only lay out.

mod announced;
mod api_server_pod;
mod boot;
pub mod certificates;
mod checks;
mod cluster;
mod compat;
mod control_plane;
mod etcd_release;
mod findings;
mod known;
mod leases;
mod low_ports;
mod names;
mod network_policies;
mod publish_address;
pub mod reference;
mod schedule;
pub mod schema;
mod service;
mod setting;
mod settings;
mod shell;
pub mod spec;
pub mod split;
mod subnets;
pub mod syntax;
#[cfg(test)]
mod tests;
mod timezones;
mod workload;

use std::num::NonZeroU32;

use indexmap::IndexMap;
use serde::Serialize;

use crate::values::{Node, Path, Problem, Segment, Severity, decode, decode_with_gaps};

use self::announced::Announced;
use self::api_server_pod::ApiServerPod;
use self::boot::BootServer;
use self::certificates::Pki;
pub use self::checks::OLDEST_MINOR;
use self::cluster::{Cluster, Coredns, KonnectivityAgent, KubeProxy, Persistence};
use self::control_plane::{Admin, ApiServer, Controller, Etcd, EtcdBackup, KonnectivityServer};
use self::findings::Findings;
use self::leases::Dhcp;
use self::low_ports::LowPorts;
use self::names::Names;
pub use self::names::Release;
use self::network_policies::NetworkPolicies;
use self::publish_address::PublishAddress;
use self::schedule::with_own_minute;
use self::settings::TagSettings;
use self::spec::{KeyKind, Patch, PkiMode, Values};
use self::subnets::Subnets;

/// This program's version, which is also the tag of the images made with it.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A farm, as the templates see it: the top level of their context.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Farm {
    pub release: Release,
    pub tool: Tool,
    pub kubernetes: Cluster,
    pub persistence: Persistence,
    pub etcd: Etcd,
    pub etcd_backup: EtcdBackup,
    pub api_server: ApiServer,
    pub api_server_pod: ApiServerPod,
    pub low_ports: LowPorts,
    /// Null where the API servers announce themselves.
    pub announced: Option<Announced>,
    pub controller_manager: Controller,
    pub scheduler: Controller,
    pub admin: Admin,
    pub bootstrap: Named,
    pub join_token: JoinToken,
    pub kube_proxy: KubeProxy,
    pub coredns: Coredns,
    pub konnectivity_server: KonnectivityServer,
    pub konnectivity_agent: KonnectivityAgent,
    pub extra_manifests: Option<IndexMap<String, String>>,
    pub pki: Pki,
    pub ltsp: BootServer,
    pub dhcp: Dhcp,
    /// Null where the boot server's address is known.
    pub publish_address: Option<PublishAddress>,
    pub network_policies: NetworkPolicies,
    /// Objects beside the farm as YAML texts, by the names that the user gave them.
    #[serde(skip)]
    pub extra_objects: IndexMap<String, String>,
    #[serde(skip)]
    pub patches: IndexMap<String, Patch>,
}

impl Farm {
    /// The names of Jobs without the hash of their content at the end: a Job cannot be changed, and a new one has another
    /// name.
    pub fn hashed_jobs(&self) -> [String; 3] {
        [
            self.bootstrap.name.clone(),
            self.join_token.name.clone(),
            PublishAddress::name(&self.ltsp.workload.name),
        ]
    }

    /// Whether kubefarm issues the farm's certificates, and not cert-manager.
    pub fn issues_certificates(&self) -> bool {
        self.kubernetes.enabled && self.pki.mode == PkiMode::Builtin
    }
}

/// This program.
#[derive(Debug, Clone, Serialize)]
pub struct Tool {
    pub version: &'static str,
}

/// An object that is only referred to.
#[derive(Debug, Clone, Serialize)]
pub struct Named {
    pub name: String,
}

/// The Job and CronJob that make join tokens.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct JoinToken {
    pub enabled: bool,
    pub name: String,
    pub secret_name: String,
    pub ttl: String,
    pub schedule: String,
    pub active_deadline_seconds: Option<NonZeroU32>,
}

/// The name a release has where neither a flag nor the values give one.
pub const DEFAULT_NAME: &str = "kubefarm";

/// The values, typed and checked; and the farm they describe.
#[derive(Debug)]
pub struct Checked {
    /// The farm, unless a problem is an error.
    pub farm: Option<Farm>,
    /// Everything that was found, warnings included.
    pub problems: Vec<Problem>,
}

/// Reads the merged values as a farm. `name` wins over the values' own name. `defaults` is asked for only where a
/// value is so wrong that its default has to stand in for it, to find the problems behind it.
pub fn check(
    tree: &Node,
    name: Option<&str>,
    namespace: &str,
    defaults: impl FnOnce() -> Option<Node>,
) -> Checked {
    let (mut values, mut problems, gaps) = decode_with_gaps::<Values>(tree);
    if values.is_none()
        && let Some(defaults) = defaults()
    {
        values = decode_mended(tree, &defaults, &mut problems);
    }
    let mut findings = Findings::new(tree, gaps, problems);
    let Some(mut values) = values else {
        return Checked {
            farm: None,
            problems: findings.into_problems(),
        };
    };
    let release = Release {
        name: name
            .or(values.name.as_deref())
            .unwrap_or(DEFAULT_NAME)
            .to_owned(),
        namespace: namespace.to_owned(),
    };
    compat::modernise(&mut values, &mut findings);
    let networking = &values.kubernetes.networking;
    let services = Subnets::from(&networking.service_subnet);
    let pods = networking.pod_subnet.as_ref().map(Subnets::from);
    let pods = pods.unwrap_or_default();
    let names = Names::new(&values, &release);
    names.check(&values, &mut findings);
    names::check_namespaces(namespace, &values, &mut findings);
    checks::check(&values, &names, &services, &pods, &mut findings);
    checks::quotes::check(tree, &mut findings);
    let key_kind = values.pki.key_kind().filter(|_| !findings.any_error());
    let farm = key_kind.map(|kind| build(&values, &names, release, (&services, &pods), kind));
    Checked {
        farm,
        problems: findings.into_problems(),
    }
}

/// The values with defaults in place of what is wrong. What comes to light by that is added to the problems, but not
/// what is in lists: their elements may be in other places by then.
fn decode_mended(tree: &Node, defaults: &Node, problems: &mut Vec<Problem>) -> Option<Values> {
    let is_index = |segment: &Segment| matches!(segment, Segment::Index(_));
    loop {
        let (values, more) = decode(&mended(tree, problems, defaults));
        let known = problems.len();
        for problem in more {
            let path = problem.path.as_ref();
            let is_listed = path.is_some_and(|path| path.0.iter().any(is_index));
            if !is_listed && !problems.contains(&problem) {
                problems.push(problem);
            }
        }
        if values.is_some() || problems.len() == known {
            return values;
        }
    }
}

/// The tree with defaults in place of what is wrong, and without what has none.
fn mended(tree: &Node, problems: &[Problem], defaults: &Node) -> Node {
    let errors = problems
        .iter()
        .filter(|problem| problem.severity == Severity::Error);
    let mut paths: Vec<&Path> = errors.filter_map(|problem| problem.path.as_ref()).collect();
    // From the end, so that taking an item out of a list leaves the places of the others.
    paths.sort_by(|left, right| right.cmp(left));
    let mut mended = tree.clone();
    for path in paths {
        mended.put(path, defaults.get(path).cloned());
    }
    mended
}

fn build(
    values: &Values,
    names: &Names,
    release: Release,
    (services, pods): (&Subnets, &Subnets),
    key_kind: KeyKind,
) -> Farm {
    let kubernetes = &values.kubernetes;
    let prefix = &names.kubernetes;
    let own_tag = format!("v{VERSION}");
    let tags = TagSettings::new(&values.tags);
    let etcd = Etcd::new(kubernetes, prefix);
    let ltsp = BootServer::new(values, &names.ltsp, &release.namespace, &own_tag, &tags);
    let dhcp = Dhcp::new(values, &names.ltsp, &ltsp.namespace, &own_tag);
    let api_server = ApiServer::new(values, prefix);
    let controller_manager = Controller::manager(values, prefix);
    let scheduler = Controller::scheduler(values, prefix);
    let konnectivity_server = KonnectivityServer::new(&kubernetes.konnectivity_server, prefix);
    let join_token = format!("{}-join-token", names.ltsp);
    Farm {
        tool: Tool { version: VERSION },
        kubernetes: Cluster::new(values, prefix, &names.certificates, services, pods),
        persistence: Persistence::new(&kubernetes.persistence, &etcd.workload.name),
        etcd_backup: EtcdBackup::new(&kubernetes.etcd, &etcd.workload, &release.namespace),
        announced: Announced::new(values),
        admin: Admin::new(&kubernetes.admin, prefix, &release.namespace, &own_tag),
        bootstrap: Named {
            name: format!("{prefix}-bootstrap"),
        },
        join_token: JoinToken {
            enabled: values.token_generator.enabled,
            schedule: with_own_minute(
                &values.token_generator.schedule,
                &release.namespace,
                &join_token,
            ),
            name: join_token,
            secret_name: format!("{}-join-config", names.ltsp),
            ttl: values.token_generator.token_ttl.to_string(),
            active_deadline_seconds: values.token_generator.active_deadline_seconds,
        },
        kube_proxy: KubeProxy::new(values, pods),
        coredns: Coredns::new(&kubernetes.coredns),
        konnectivity_agent: KonnectivityAgent::new(values),
        extra_manifests: cluster::extra_manifests(values),
        pki: Pki::new(values, names, &release, services, key_kind),
        publish_address: PublishAddress::new(&ltsp, &dhcp),
        dhcp,
        ltsp,
        api_server_pod: ApiServerPod::new(&api_server, &etcd, &konnectivity_server),
        low_ports: LowPorts::new(
            &etcd,
            &api_server,
            (&controller_manager, &scheduler),
            &konnectivity_server,
        ),
        api_server,
        controller_manager,
        scheduler,
        konnectivity_server,
        etcd,
        network_policies: NetworkPolicies::new(values, names),
        extra_objects: cluster::manifest_texts(&values.extra_objects),
        patches: values.patches.clone(),
        release,
    }
}
