//! A farm from its values to a node that works, on a real admin cluster: `make e2e`.
//!
//! Every check builds on what the ones before it left behind, so they run in a row, and the first that fails is the
//! last. Nothing here runs with `cargo test`: it takes minutes, and root.
//!
//! They begin on an admin cluster of one node. The last ones take the first farm away and add two nodes.
//!
//!   KUBEFARM_E2E_NAME        the release's name
//!   KUBEFARM_E2E_NAMESPACE   its namespace; that of the boot server has `-boot` after it
//!   KUBEFARM_E2E_VALUES      further values files, separated by colons
//!   KUBEFARM_E2E_HOLD        where it is set, a failure leaves everything as it is until Enter is pressed

mod addresses;
pub mod admin_cluster;
mod announced;
mod apply;
mod boot_server;
mod changes;
mod egress;
mod far_side;
mod faults;
mod ha;
mod identity;
mod join;
mod konnectivity;
mod manifests;
pub mod nodes;
mod policies;
mod put_back;
mod refused;
mod registry;
pub mod release;
mod routed;
pub mod runner;
mod second_farm;
mod token;
pub mod upgrade;
mod watcher;
mod way;
mod writer;

use std::process::ExitCode;
use std::time::Instant;

use admin_cluster::AdminCluster;
use release::Release;
use runner::Check;

/// What a check says it saw. A check that does not see what it should panics.
pub type Seen = String;

/// What is shown, and how.
fn checks<'a>() -> [(&'static str, Check<Release<'a>>); 34] {
    [
        ("apply --wait, certificates built in", apply::fresh),
        ("pods ready, none restarted, restricted", apply::pods),
        ("the boot server in its own namespace", boot_server::runs),
        ("the admin pod reaches the child", apply::admin_pod),
        ("the tools image, pulled from a registry", registry::tools),
        ("manifests larger than a Secret", manifests::large),
        ("etcd asks for certificates", identity::etcd),
        ("without credentials: no access", identity::anonymous),
        ("nodes join with labels and taints", nodes::join),
        (
            "labels and taints follow the values",
            changes::node_settings,
        ),
        ("nodes load over HTTP and TFTP", boot_server::serves),
        ("how far machines are, and why", way::known),
        ("the join service refuses all others", join::others),
        ("an outage of a minute grants no name", join::outage),
        ("forged addresses are refused", addresses::fenced),
        (
            "what somebody deletes in the child comes back",
            put_back::by_the_admin_pod,
        ),
        ("the shared token, where it is chosen", token::chosen),
        (
            "routed pods: webhook, aggregated API, logs, exec",
            routed::calls,
        ),
        ("API servers call their own child only", egress::enforced),
        (
            "Konnectivity over GRPC: logs, exec",
            konnectivity::logs_over_grpc,
        ),
        (
            "Konnectivity over GRPC: webhook, aggregated API",
            far_side::calls,
        ),
        ("NetworkPolicies, enforced", policies::enforced),
        ("killed: etcd, API server, leader", faults::killed),
        ("a changed flag rolls the API server alone", changes::flag),
        (
            "so does a changed name in its certificate",
            changes::certificate_name,
        ),
        ("a pod calls the API server meanwhile", announced::kept),
        (
            "Konnectivity over HTTPConnect: logs, exec",
            konnectivity::logs_over_http,
        ),
        (
            "Konnectivity over HTTPConnect: webhook, aggregated API",
            far_side::calls,
        ),
        ("DHCP of the farm's own", boot_server::standalone_dhcp),
        (
            "a second farm, certificates of cert-manager",
            second_farm::beside,
        ),
        ("three machines, layer ha: replicas apart", ha::spread),
        ("the backup CronJob, run now", ha::backup),
        ("changes that would lose data are refused", refused::changes),
        ("a whole machine lost, and back", ha::machine_lost),
    ]
}

pub fn run() -> ExitCode {
    let began = Instant::now();
    let values = release::values();
    // The images are those of everything that the checks will turn on.
    let everything = [
        &values[..],
        &["-f", "builtin:konnectivity"].map(str::to_owned),
    ]
    .concat();
    let Some(cluster) = AdminCluster::up(&everything) else {
        return ExitCode::SUCCESS;
    };
    eprintln!("the admin cluster is up after {:.0?}", began.elapsed());
    let mut release = Release::first(&cluster, values);
    runner::run(&mut release, &checks(), Release::print_state, began)
}
