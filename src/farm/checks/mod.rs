//! Checks between values: what each of them allows alone, but a farm does not.

mod accounts;
mod addresses;
mod announced;
mod api_server_egress;
mod backups;
mod counts;
mod dhcp;
mod dnsmasq_flags;
mod join;
mod konnectivity;
mod kubernetes;
mod local_disk;
mod ltsp;
mod netboot;
mod network;
mod network_policies;
mod node_networks;
mod nodes;
mod options;
mod pods;
mod pools;
mod ports;
pub mod quotes;
mod references;
mod scripts;
mod sections;
mod services;
mod settings;
mod tags;
mod versions;

pub use versions::OLDEST as OLDEST_MINOR;

use super::findings::Findings;
use super::names::Names;
use super::spec::Values;
use super::subnets::Subnets;

/// Records every problem between values that would keep the farm from working.
pub fn check(
    values: &Values,
    names: &Names,
    services: &Subnets,
    pods: &Subnets,
    findings: &mut Findings,
) {
    network::check(values, services, pods, findings);
    versions::check(values, findings);
    addresses::check(values, services, pods, findings);
    announced::check(values, services, findings);
    kubernetes::check(values, findings);
    konnectivity::check(values, findings);
    backups::check(values, findings);
    join::check(values, findings);
    node_networks::check(values, findings);
    ports::check(values, findings);
    services::check(values, findings);
    network_policies::check(values, findings);
    api_server_egress::check(values, findings);
    references::check(values, findings);
    counts::check(values, findings);
    pods::check(values, findings);
    nodes::check(&values.node_pools, &names.ltsp, findings);
    pools::check(values, &names.ltsp, findings);
    tags::check(values, &names.ltsp, findings);
    dhcp::check(values, findings);
    netboot::check(values, findings);
    ltsp::check(&values.ltsp.config, values, findings);
    scripts::check(&values.ltsp.config, values, findings);
}
