//! Networks and addresses of the whole farm: what is used twice, and what cannot be reached.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::farm::defaults::SHARED_ADDRESS;
use crate::farm::findings::Findings;
use crate::farm::spec::{DhcpRange, NodePool, Range, TextMap, Values};
use crate::farm::subnets::Subnets;
use crate::farm::syntax::HostAddress;
use crate::values::{Path, Problem};

/// Checks the nodes' networks and addresses against those of Services, pods, routers and load balancers.
pub fn check(values: &Values, services: &Subnets, pods: &Subnets, findings: &mut Findings) {
    let addresses = Addresses {
        pools: values.node_pools.own().map(Pool::of).collect(),
        routers: routers(values),
        balancers: balancers(values),
        services: services.clone(),
        pods: pods.clone(),
    };
    if values.kubernetes.enabled {
        addresses.networks(findings);
        addresses.balancers(findings);
    }
    balancers_twice(values, findings);
    addresses.routers(findings);
    addresses.ranges(findings);
    addresses.nodes(values.kubernetes.enabled, findings);
}

/// Which part of the farm has which addresses.
struct Addresses<'a> {
    pools: Vec<Pool<'a>>,
    routers: Vec<Router<'a>>,
    balancers: Vec<(Path, IpAddr)>,
    services: Subnets,
    pods: Subnets,
}

/// A pool, and its own range if that could be read.
struct Pool<'a> {
    path: Path,
    pool: &'a NodePool,
    range: Option<&'a Range>,
}

/// The router of the nodes with a tag.
struct Router<'a> {
    tag: &'a str,
    path: Path,
    address: IpAddr,
}

impl<'a> Pool<'a> {
    fn of((step, pool): &'a (crate::values::Segment, NodePool)) -> Pool<'a> {
        Pool {
            path: Path::from("nodePools").join(step.clone()),
            pool,
            range: pool.range.as_ref().map(DhcpRange::read),
        }
    }

    fn network(&self) -> Option<IpNet> {
        self.range.and_then(Range::network)
    }

    fn has_tag(&self, tag: &str) -> bool {
        tag == "all" || self.pool.tags.iter().any(|own| *own == *tag)
    }
}

/// DHCP's option 3, of every tag.
fn routers(values: &Values) -> Vec<Router<'_>> {
    let mut routers = Vec::new();
    for (tag, name, option) in values.tags.options() {
        if !option.is(3, "router") {
            continue;
        }
        let path = Path::from("tags.dhcpOptions").join(tag).join(name);
        for (path, text) in option.fields.places(&path) {
            let address = text.parse().ok();
            routers.extend(address.map(|address| Router { tag, path, address }));
        }
    }
    routers
}

/// The load balancers' addresses that nodes connect to: of the API server, Konnectivity's server and the boot server.
fn balancers(values: &Values) -> Vec<(Path, IpAddr)> {
    let asked = [
        "kubernetes.apiServer.service",
        "kubernetes.konnectivityServer.service",
        "ltsp.service",
    ];
    let all = values.services();
    all.filter(|(service, _)| asked.contains(&service.as_str()))
        .filter_map(|(service, keys)| {
            let address = *keys.load_balancer_ip.as_ref()?.read();
            Some((Path::from(service.as_str()).join("loadBalancerIP"), address))
        })
        .collect()
}

/// A load balancer gives an address to one Service only, unless Services have the annotation to share it.
fn balancers_twice(values: &Values, findings: &mut Findings) {
    let kubernetes = &values.kubernetes;
    let shares = |annotations: &TextMap| {
        SHARED_ADDRESS
            .iter()
            .any(|key| annotations.contains_key(*key))
    };
    let asked = [
        (
            "kubernetes.apiServer.service",
            &kubernetes.api_server.service.load_balancer_ip,
            kubernetes.enabled && !shares(&kubernetes.api_server.service.annotations),
        ),
        (
            "kubernetes.konnectivityServer.service",
            &kubernetes.konnectivity_server.service.load_balancer_ip,
            kubernetes.enabled
                && kubernetes.konnectivity_server.enabled
                && !shares(&kubernetes.konnectivity_server.service.annotations),
        ),
        (
            "ltsp.service",
            &values.ltsp.service.load_balancer_ip,
            values.ltsp.enabled && !shares(&values.ltsp.service.annotations),
        ),
    ];
    let mut taken: Vec<(&str, &str)> = Vec::new();
    for (service, address, is_alone) in asked {
        let Some(address) = address.as_deref().filter(|_| is_alone) else {
            continue;
        };
        match taken.iter().find(|(_, other)| *other == address) {
            Some((other, _)) => {
                let problem = Problem::warning(format!(
                    "{address} is already used by {other}, so one of the two Services gets no address"
                ));
                let help = "set another address; or, with MetalLB, the same annotation metallb.io/allow-shared-ip on both";
                findings.record(
                    &Path::from(service).join("loadBalancerIP"),
                    problem.help(help),
                );
            }
            None => taken.push((service, address)),
        }
    }
}

impl Addresses<'_> {
    /// The range of the child cluster that overlaps with a network, and what it is for.
    fn of_the_cluster(&self, network: &IpNet) -> Option<(IpNet, &'static str, &'static str)> {
        let services = (&self.services, "Services", "serviceSubnet");
        let pods = (&self.pods, "pods", "podSubnet");
        [services, pods]
            .into_iter()
            .find_map(|(ranges, whose, key)| {
                let range = ranges.meeting(network)?;
                Some((range, whose, key))
            })
    }

    /// A node never sends packets for a Service's or a pod's address to another machine of its network.
    fn networks(&self, findings: &mut Findings) {
        for pool in &self.pools {
            let Some(network) = pool.network() else {
                continue;
            };
            if let Some((range, whose, key)) = self.of_the_cluster(&network) {
                let problem = Problem::warning(format!(
                    "the nodes' network {network} and the {whose}' range {range} overlap"
                ));
                let help =
                    format!("change kubernetes.networking.{key}, before the cluster is created");
                findings.record(&pool.path.join("range"), problem.help(help));
            }
        }
    }

    fn balancers(&self, findings: &mut Findings) {
        for (path, address) in &self.balancers {
            if let Some((range, whose, key)) = self.of_the_cluster(&IpNet::from(*address)) {
                let problem = Problem::error(format!(
                    "nodes do not reach {address}: it is in the {whose}' range {range}"
                ));
                findings.record(path, problem.help(format!("kubernetes.networking.{key}")));
            }
        }
    }

    /// A router outside the networks of the nodes that get it. Only a warning: there are networks of single addresses.
    fn routers(&self, findings: &mut Findings) {
        for router in &self.routers {
            let pools = self.pools.iter().filter(|pool| pool.has_tag(router.tag));
            let networks: Option<Vec<IpNet>> = pools
                .filter(|pool| pool.range.is_some() || !pool.pool.nodes.is_empty())
                .map(Pool::network)
                .collect();
            let Some(networks) = networks.filter(|networks| !networks.is_empty()) else {
                continue;
            };
            if !networks
                .iter()
                .any(|network| network.contains(&router.address))
            {
                let networks: Vec<String> = networks.iter().map(ToString::to_string).collect();
                findings.warning(
                    &router.path,
                    format!(
                        "the router {} is in none of the networks of its nodes: {}",
                        router.address,
                        networks.join(", ")
                    ),
                );
            }
        }
    }

    /// Addresses that are leased to any machine, but belong to one.
    fn ranges(&self, findings: &mut Findings) {
        for (index, pool) in self.pools.iter().enumerate() {
            let Some(range) = pool.range else { continue };
            let path = pool.path.join("range");
            for earlier in self.pools.iter().take(index) {
                if earlier
                    .range
                    .is_some_and(|earlier| earlier.shares_leases(range))
                {
                    let earlier = findings.in_tree(&earlier.path.join("range"));
                    findings.warning(
                        &path,
                        format!("{earlier} also leases some of these addresses, with the options of its pool"),
                    );
                }
            }
            let routers = self
                .routers
                .iter()
                .map(|router| (&router.path, router.address));
            let balancers = self
                .balancers
                .iter()
                .map(|(path, address)| (path, *address));
            for (owner, address) in routers.chain(balancers) {
                if range.leases(address) {
                    let owner = findings.in_tree(owner);
                    findings.error(
                        &path,
                        format!("leases {address} to any machine, but it is {owner}"),
                    );
                }
            }
        }
    }

    fn nodes(&self, has_cluster: bool, findings: &mut Findings) {
        for pool in &self.pools {
            for (index, node) in pool.pool.nodes.iter().enumerate() {
                let is_owned = |address: &HostAddress| {
                    let owner = self.owner(pool, address.ip, has_cluster, findings);
                    owner.is_some()
                };
                // There are many nodes, and few of them have a problem to make paths for.
                if !node.addresses().any(is_owned) {
                    continue;
                }
                let path = pool.path.join("nodes").join(index).join("ip");
                for (path, address) in node.ip.iter().flat_map(|ip| ip.places(&path)) {
                    if let Some(message) = self.owner(pool, address.ip, has_cluster, findings) {
                        findings.error(&path, message);
                    }
                }
            }
        }
    }

    /// What else has a node's address.
    fn owner(
        &self,
        pool: &Pool,
        address: IpAddr,
        has_cluster: bool,
        findings: &Findings,
    ) -> Option<String> {
        let router = self
            .routers
            .iter()
            .find(|router| router.address == address && pool.has_tag(router.tag));
        let balancer = self
            .balancers
            .iter()
            .find(|(_, balancer)| *balancer == address);
        if let Some(owner) = router
            .map(|router| &router.path)
            .or(balancer.map(|(path, _)| path))
        {
            return Some(format!(
                "{address} is not free: it is {}",
                findings.in_tree(owner)
            ));
        }
        if let Some(special) = pool
            .network()
            .and_then(|network| special(&network, address))
        {
            return Some(special);
        }
        let service = self
            .services
            .meeting(&IpNet::from(address))
            .filter(|_| has_cluster)?;
        Some(format!(
            "{address} is in the Services' range {service}, and may be assigned to one"
        ))
    }
}

/// The first and the last address of an IPv4 network cannot be a machine's (RFC 1122, section 3.2.1.3), except in
/// networks of one or two addresses (RFC 3021).
fn special(network: &IpNet, address: IpAddr) -> Option<String> {
    let IpNet::V4(network) = network else {
        return None;
    };
    if network.prefix_len() > 30 {
        return None;
    }
    let what = match address {
        IpAddr::V4(address) if address == network.network() => "address of the network itself",
        IpAddr::V4(address) if address == network.broadcast() => "broadcast address",
        _ => return None,
    };
    Some(format!("{address} is the {what} in {network}"))
}
