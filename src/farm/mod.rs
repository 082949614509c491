//! The typed model of a farm: checked values, and everything that is computed for the templates.

mod address_policy;
mod agent;
mod announced;
mod api_server_pod;
pub(crate) mod boot;
pub mod certificates;
mod checks;
mod child;
mod compat;
mod control_plane;
mod defaults;
pub(crate) mod dhcp;
mod etcd_release;
mod extra_manifests;
mod findings;
pub mod join;
mod known;
mod konnectivity_agent;
mod low_ports;
mod names;
mod network_policies;
pub mod node_settings;
mod publish_address;
pub mod reference;
mod schedule;
pub mod schema;
pub mod server_logs;
mod setting;
mod shell;
pub mod spec;
pub mod split;
mod subnets;
pub mod syntax;
mod tag_settings;
#[cfg(test)]
mod tests;
mod timezones;
mod with_computed;
mod workload;

use indexmap::IndexMap;
use serde::Serialize;

use crate::values::{Node, Path, Problem, Segment, Severity, decode_with_gaps};

use self::address_policy::AddressPolicy;
use self::agent::Agent;
use self::announced::Announced;
use self::api_server_pod::ApiServerPod;
use self::boot::BootServer;
use self::certificates::Pki;
pub use self::checks::OLDEST_MINOR;
use self::child::{Cluster, KubeProxy};
use self::control_plane::{ApiServer, Etcd, EtcdBackup, image_tag};
use self::dhcp::{Controller, Dhcp, Leases, Standalone};
pub use self::extra_manifests::{ExtraManifests, SECRET_SIZE, too_large};
use self::findings::Findings;
use self::join::{Join, JoinToken};
use self::konnectivity_agent::KonnectivityAgent;
use self::low_ports::LowPorts;
use self::names::Names;
pub use self::names::Release;
use self::network_policies::NetworkPolicies;
use self::publish_address::PublishAddress;
use self::spec::{Fragment, JoinMode, KeyKind, NodePools, Patch, PkiMode, Values, null_if_empty};
use self::subnets::Subnets;
use self::tag_settings::TagSettings;
use self::with_computed::WithComputed;
use self::workload::Workload;

/// This program's version, which is also the tag of the images made with it.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A farm, as the templates see it: the top level of their context.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Farm {
    pub release: Release,
    pub tool: Tool,
    pub kubernetes: Cluster,
    pub persistence: spec::Persistence,
    pub etcd: WithComputed<spec::Etcd, Etcd>,
    pub etcd_backup: WithComputed<spec::EtcdBackup, EtcdBackup>,
    pub api_server: WithComputed<spec::ApiServer, ApiServer>,
    pub api_server_pod: ApiServerPod,
    /// Null if any address is accepted.
    pub address_policy: Option<AddressPolicy>,
    pub low_ports: LowPorts,
    /// Null if the API servers announce themselves.
    pub announced: Option<Announced>,
    pub controller_manager: WithComputed<spec::ControllerManager, Workload>,
    pub scheduler: WithComputed<spec::Scheduler, Workload>,
    pub admin: WithComputed<spec::Admin, Workload>,
    pub agent: WithComputed<spec::Agent, Agent>,
    pub bootstrap: WithComputed<spec::Admin, Bootstrap>,
    pub join: Join,
    pub join_token: WithComputed<spec::TokenGenerator, JoinToken>,
    pub kube_proxy: WithComputed<spec::KubeProxy, KubeProxy>,
    pub coredns: WithComputed<spec::Coredns, Workload>,
    pub konnectivity_server: WithComputed<spec::KonnectivityServer, Workload>,
    pub konnectivity_agent: WithComputed<spec::KonnectivityAgent, KonnectivityAgent>,
    pub extra_manifests: Option<ExtraManifests>,
    pub pki: Pki,
    pub ltsp: WithComputed<spec::Ltsp, BootServer>,
    pub dhcp: Dhcp,
    /// Null if the boot server's address is known.
    pub publish_address: Option<PublishAddress>,
    pub network_policies: NetworkPolicies,
    /// The nodes as the values list them.
    #[serde(skip)]
    pub node_pools: NodePools,
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
            self.bootstrap.computed.name.clone(),
            self.join_token.computed.name.clone(),
            PublishAddress::name(&self.ltsp.computed.workload.name),
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

/// What is computed for the Job that sets the child cluster up, and for other Jobs whose pods have the keys of the admin
/// pods.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Bootstrap {
    pub name: String,
    /// The admin pods' affinity as the user wrote it: Jobs need not keep apart from them.
    #[serde(serialize_with = "null_if_empty")]
    pub affinity: Fragment,
    /// Null: what is spread is the admin pods.
    pub topology_spread_constraints: (),
}

/// The name of a release if neither a flag nor the values set one.
pub const DEFAULT_NAME: &str = "kubefarm";

/// What the check of values found.
#[derive(Debug)]
pub struct Checked {
    /// What a farm is built of, unless a problem is an error.
    pub values: Option<CheckedValues>,
    /// All problems, warnings included.
    pub problems: Vec<Problem>,
}

/// Values without errors. They borrow nothing from the tree that they were read from, so that it can be freed before
/// the farm is built: with many nodes each of the three is large.
#[derive(Debug)]
pub struct CheckedValues {
    values: Values,
    names: Names,
    release: Release,
    services: Subnets,
    pods: Subnets,
    key_kind: KeyKind,
}

impl CheckedValues {
    /// The farm that they describe.
    pub fn build(mut self) -> Farm {
        defaults::fill_in(&mut self.values, &self.names, &self.release.namespace);
        let subnets = (&self.services, &self.pods);
        build(
            self.values,
            &self.names,
            self.release,
            subnets,
            self.key_kind,
        )
    }

    /// The user's manifests for the child, by file name.
    pub fn extra_manifests(&self) -> IndexMap<String, String> {
        child::manifest_texts(&self.values.kubernetes.extra_manifests)
    }

    /// Whether errors of rendering may have to be reported at their place: those of patches and of the user's objects.
    pub fn are_needed_for_places(&self) -> bool {
        !self.values.patches.is_empty() || !self.values.extra_objects.is_empty()
    }
}

/// Reads the merged values as a farm. `name` overrides the name in the values. `defaults` is called only if a value is
/// so wrong that its default has to replace it, to find further problems.
pub fn check(
    tree: &Node,
    name: Option<&str>,
    namespace: &str,
    defaults: impl FnOnce() -> Option<Node>,
) -> Checked {
    let (mut values, mut problems, mut gaps) = decode_with_gaps::<Values>(tree);
    if values.is_none()
        && let Some(defaults) = defaults()
    {
        values = decode_with_defaults(tree, &defaults, &mut problems, &mut gaps);
    }
    let mut findings = Findings::new(tree, gaps, problems);
    let Some(mut values) = values else {
        return Checked {
            values: None,
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
    let values = key_kind.map(|key_kind| CheckedValues {
        values,
        names,
        release,
        services,
        pods,
        key_kind,
    });
    Checked {
        values,
        problems: findings.into_problems(),
    }
}

/// The values with defaults in place of wrong ones. Further problems are added, and the elements of lists that are left
/// out, except in lists that an element was taken out of: the others have moved.
fn decode_with_defaults(
    tree: &Node,
    defaults: &Node,
    problems: &mut Vec<Problem>,
    gaps: &mut Vec<Path>,
) -> Option<Values> {
    loop {
        let tree = with_defaults(tree, problems, defaults);
        let (values, more, left_out) = decode_with_gaps(&tree);
        let shortened: Vec<Path> = problems
            .iter()
            .filter_map(|problem| match problem.path.as_ref()?.0.split_last()? {
                (Segment::Index(_), list) => Some(Path(list.to_vec())),
                _ => None,
            })
            .collect();
        let is_moved = |path: &Path| shortened.iter().any(|list| path.0.starts_with(&list.0));
        let known = problems.len();
        for problem in more {
            let is_moved = problem.path.as_ref().is_some_and(is_moved);
            if !is_moved && !problems.contains(&problem) {
                problems.push(problem);
            }
        }
        if values.is_some() || problems.len() == known {
            gaps.extend(left_out.into_iter().filter(|path| !is_moved(path)));
            return values;
        }
    }
}

/// The tree with wrong values replaced by their defaults, or removed if they have none.
fn with_defaults(tree: &Node, problems: &[Problem], defaults: &Node) -> Node {
    let errors = problems
        .iter()
        .filter(|problem| problem.severity == Severity::Error);
    let mut paths: Vec<&Path> = errors.filter_map(|problem| problem.path.as_ref()).collect();
    // From the end, so that removing an item of a list does not move the others.
    paths.sort_by(|left, right| right.cmp(left));
    let mut mended = tree.clone();
    for path in paths {
        mended.put(path, defaults.get(path).cloned());
    }
    mended
}

/// The farm of values with their defaults filled in.
fn build(
    values: Values,
    names: &Names,
    release: Release,
    (services, pods): (&Subnets, &Subnets),
    key_kind: KeyKind,
) -> Farm {
    let own_tag = format!("v{VERSION}");
    let kubernetes = &values.kubernetes;
    let name = |part: &str| format!("{}-{part}", names.kubernetes);
    let follows = image_tag(&kubernetes.version);
    let cluster = Cluster::new(&values, names, services, pods);
    let etcd = Etcd::new(kubernetes, name("etcd"));
    let etcd_backup = EtcdBackup::new(kubernetes, &etcd.workload.name, names.etcd_backup());
    let api_server = ApiServer::new(&values, name("apiserver"));
    let manager = &kubernetes.controller_manager;
    let manager = Workload::new(manager, name("controller-manager"), &follows);
    let scheduler = Workload::new(&kubernetes.scheduler, name("scheduler"), &follows);
    let admin = Workload::new(&kubernetes.admin, name("admin"), &own_tag);
    let bootstrap = Bootstrap {
        name: names.bootstrap(),
        affinity: kubernetes.admin.affinity.clone(),
        topology_spread_constraints: (),
    };
    let kube_proxy = KubeProxy::new(&values, pods);
    let coredns = Workload::new(&kubernetes.coredns, "coredns".to_owned(), "latest");
    let server = &kubernetes.konnectivity_server;
    let server = Workload::new(server, name("konnectivity-server"), "latest");
    let konnectivity_agent = KonnectivityAgent::new(&values);
    let standalone = Standalone::new(&values, format!("{}-dhcp", names.ltsp), &own_tag);
    let leases = Leases::new(&values, &names.ltsp);
    let tags = TagSettings::new(&values.tags);
    let boot_server = BootServer::new(&values, &names.ltsp, &release.namespace, &own_tag, &tags);
    let agent = Agent::new(&values, name("agent"), &own_tag, &boot_server, &standalone);
    let pki = Pki::new(&values, names, &release, services, key_kind);
    let network_policies = NetworkPolicies::new(&values, names, pods);
    let controller = Controller::new(&values.dhcp.controller, &boot_server.namespace);
    let join = Join::new(&values, names, &boot_server.namespace, &cluster.endpoint);
    let publish_address = PublishAddress::new(&values, &boot_server, &leases);
    let announced = Announced::new(&values);
    let address_policy = AddressPolicy::new(&values, pods);
    let manifests = child::manifest_texts(&kubernetes.extra_manifests);
    let extra_manifests =
        (!manifests.is_empty()).then(|| ExtraManifests::new(manifests, &name("extra-manifests")));

    let (kubernetes, dhcp) = (values.kubernetes, values.dhcp);
    Farm {
        tool: Tool { version: VERSION },
        kubernetes: cluster,
        api_server_pod: ApiServerPod::new(&kubernetes),
        address_policy,
        low_ports: LowPorts::new(&kubernetes),
        persistence: kubernetes.persistence,
        etcd_backup: WithComputed::new(kubernetes.etcd.backup.clone(), etcd_backup),
        etcd: WithComputed::new(kubernetes.etcd, etcd),
        api_server: WithComputed::new(kubernetes.api_server, api_server),
        announced,
        controller_manager: WithComputed::new(kubernetes.controller_manager, manager),
        scheduler: WithComputed::new(kubernetes.scheduler, scheduler),
        bootstrap: WithComputed::new(kubernetes.admin.clone(), bootstrap),
        admin: WithComputed::new(kubernetes.admin, admin),
        agent: WithComputed::new(kubernetes.agent, agent),
        join_token: WithComputed::new(
            values.token_generator,
            JoinToken {
                is_used: join.mode == JoinMode::Token,
                name: names.join_token(),
                secret_name: format!("{}-join-config", names.ltsp),
            },
        ),
        join,
        kube_proxy: WithComputed::new(kubernetes.kube_proxy, kube_proxy),
        coredns: WithComputed::new(kubernetes.coredns, coredns),
        konnectivity_server: WithComputed::new(kubernetes.konnectivity_server, server),
        konnectivity_agent: WithComputed::new(kubernetes.konnectivity_agent, konnectivity_agent),
        extra_manifests,
        pki,
        ltsp: WithComputed::new(values.ltsp, boot_server),
        dhcp: Dhcp {
            mode: dhcp.mode,
            install_controller: dhcp.install_controller,
            controller: WithComputed::new(dhcp.controller, controller),
            standalone: WithComputed::new(dhcp.standalone, standalone),
            leases,
        },
        publish_address,
        network_policies,
        node_pools: values.node_pools,
        extra_objects: child::manifest_texts(&values.extra_objects),
        patches: values.patches,
        release,
    }
}
