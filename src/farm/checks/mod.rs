//! Checks between values: what each of them allows alone, but a farm does not.

mod components;
mod dhcp;
mod kubernetes;
mod ltsp;
mod nodes;
mod tags;

use super::findings::Findings;
use super::spec::Values;
use super::subnets::Subnets;

/// Records everything that would make these values no sane farm.
pub fn check(values: &Values, services: &Subnets, pods: &Subnets, findings: &mut Findings) {
    kubernetes::check(values, services, pods, findings);
    components::check(values, findings);
    nodes::check(&values.node_pools, findings);
    tags::check(values, findings);
    dhcp::check(values, findings);
    ltsp::check(&values.ltsp.config, values, findings);
}
