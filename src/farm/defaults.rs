//! Defaults that follow from other values, filled in before templates read the values.

use super::control_plane::{admin_port, agents_port};
use super::names::Names;
use super::schedule::with_own_minute;
use super::spec::{Schedule, ServiceType, Text, TextMap, TrafficPolicy, Values};

/// MetalLB's annotation by which Services share an address (metallb.io/usage, "IP address sharing").
pub const SHARED_ADDRESS: [&str; 2] = [
    "metallb.io/allow-shared-ip",
    "metallb.universe.tf/allow-shared-ip",
];

/// Fills in values that are not set and follow from others, in a farm with these names in `namespace`.
pub fn fill_in(values: &mut Values, names: &Names, namespace: &str) {
    for (_, component) in values.components_mut() {
        component.follow_address();
    }
    let kubernetes = &mut values.kubernetes;
    // The join service has to see where requests come from.
    let agent = &mut kubernetes.agent.service;
    if agent.kind != ServiceType::ClusterIP {
        agent
            .external_traffic_policy
            .get_or_insert(TrafficPolicy::Local);
    }
    let server = &mut kubernetes.konnectivity_server;
    server.service.ports.agent = Some(agents_port(server));
    server.service.ports.admin = admin_port(server);

    for (schedule, name) in [
        (&mut kubernetes.etcd.backup.schedule, names.etcd_backup()),
        (&mut kubernetes.admin.job.schedule, names.bootstrap()),
        (&mut values.token_generator.schedule, names.join_token()),
    ] {
        // With a number in place of `H` it is still a schedule.
        if let Ok(own) = Schedule::parse(with_own_minute(schedule, namespace, &name)) {
            *schedule = own;
        }
    }
    share_address(&mut values.ltsp.service.annotations, &names.ltsp);
}

/// The boot server's two Services share one address, unless the user's annotations change that.
fn share_address(annotations: &mut TextMap, name: &str) {
    if !SHARED_ADDRESS
        .iter()
        .any(|key| annotations.contains_key(*key))
    {
        let ours = SHARED_ADDRESS.map(|key| (key.to_owned(), name.to_owned()));
        let own = std::mem::replace(annotations, TextMap::from(ours));
        annotations.extend(own);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shared_by_our_annotations_or_by_the_users() {
        let annotated = |key: &str| {
            let mut all = TextMap::from_iter([(key.to_owned(), "theirs".to_owned())]);
            share_address(&mut all, "farm-ltsp");
            all.into_iter()
                .map(|(key, value)| format!("{key}: {value}"))
                .collect::<Vec<_>>()
        };
        let ours = SHARED_ADDRESS.map(|key| format!("{key}: farm-ltsp"));
        assert_eq!(
            annotated("a"),
            [&ours[..], &["a: theirs".to_owned()]].concat()
        );
        for key in SHARED_ADDRESS {
            assert_eq!(annotated(key), [format!("{key}: theirs")]);
        }
    }
}
