//! Each kind of danger, from two control planes that are made up.

mod plan;

use std::collections::BTreeMap;

use super::{Change, Claim};
use crate::cluster::guard::control_plane::ControlPlane;
use crate::cluster::guard::memory::Memory;
use crate::cluster::guard::risk::Risk;
use plan::Plan;

fn memory(facts: &[(&str, &str)]) -> Memory {
    let facts = facts.iter();
    let facts: BTreeMap<String, String> = facts
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    Memory::read(&facts)
}

/// A memory in which nothing speaks against an etcd that is newer by one.
fn clear() -> Memory {
    memory(&[("etcd-versions", "3.6.16")])
}

/// The kinds of danger, and what is said of them, where `after` takes the place of `before`.
fn dangers(before: &Plan, after: &Plan, memory: &Memory) -> Vec<(Risk, String)> {
    let claims = before.claims();
    found(&before.control_plane(), after, memory, &claims)
}

fn found(
    before: &ControlPlane,
    after: &Plan,
    memory: &Memory,
    claims: &[Claim],
) -> Vec<(Risk, String)> {
    let change = Change {
        before,
        after: &after.control_plane(),
        memory,
        claims,
        prunes: true,
        dns_domain: Some("cluster.local"),
    };
    let dangers = super::dangers(&change).into_iter();
    dangers
        .map(|danger| (danger.risk, format!("{}; {}", danger.what, danger.way)))
        .collect()
}

fn risks(before: &Plan, after: &Plan) -> Vec<Risk> {
    let found = dangers(before, after, &clear()).into_iter();
    found.map(|(risk, _)| risk).collect()
}

#[test]
fn what_stays_as_it_is_is_no_danger() {
    let plan = Plan::default();
    assert_eq!(risks(&plan, &plan), []);
    let asleep = Plan {
        members: 0,
        ..plan.clone()
    };
    assert_eq!(risks(&plan, &asleep), []);
    let newer = Plan {
        etcd: "3.7.1-0",
        server: "v1.37.2",
        scheduler: "v1.37.2",
        services: "10.96.0.0/12,fd00::/112",
        issuers: &[
            "https://new.example",
            "https://kubernetes.default.svc.cluster.local",
        ],
        ..plan.clone()
    };
    assert_eq!(risks(&plan, &newer), []);
}

#[test]
fn each_danger_has_its_kind() {
    let plan = Plan::default;
    #[rustfmt::skip]
    let changes = [
        (Risk::EtcdMembers, Plan { members: 5, ..plan() }),
        (Risk::EtcdMembers, Plan { members: 1, ..plan() }),
        (Risk::EtcdAddress, Plan { ports: (2379, 3380), ..plan() }),
        (Risk::EtcdAddress, Plan { ports: (3379, 2380), ..plan() }),
        (Risk::EtcdPersistence, Plan { volumes: None, ..plan() }),
        (Risk::EtcdRemoved, Plan { has_etcd: false, ..plan() }),
        (Risk::VolumeSize, Plan { volumes: Some("16Gi"), ..plan() }),
        (Risk::VolumeSize, Plan { volumes: Some("4Gi"), ..plan() }),
        (Risk::EtcdVersion, Plan { etcd: "3.8.0-0", ..plan() }),
        (Risk::EtcdVersion, Plan { etcd: "3.5.35-0", ..plan() }),
        (Risk::KubernetesVersion, Plan { server: "v1.38.0", ..plan() }),
        (Risk::KubernetesVersion, Plan { server: "v1.35.0", scheduler: "v1.35.0", ..plan() }),
        (Risk::VersionSkew, Plan { scheduler: "v1.37.0", ..plan() }),
        (Risk::ServiceSubnet, Plan { services: "10.128.0.0/12", ..plan() }),
        (Risk::ServiceSubnet, Plan { services: "10.96.0.0/120", ..plan() }),
        (Risk::ServiceSubnet, Plan { services: "fd00::/112,10.96.0.0/12", ..plan() }),
        (Risk::PodSubnet, Plan { pods: "10.160.0.0/12", ..plan() }),
        (Risk::Issuer, Plan { issuers: &["https://new.example"], ..plan() }),
        (Risk::PkiPrefix, Plan { secret: "other-pki-apiserver", ..plan() }),
    ];
    for (risk, after) in changes {
        let found = risks(&plan(), &after);
        assert_eq!(found, [risk]);
    }
}

#[test]
fn volumes_and_pods_are_not_each_others_heirs() {
    let with = Plan::default();
    let without = Plan {
        volumes: None,
        ..Plan::default()
    };
    for (before, after, words) in [
        (
            &with,
            &without,
            "leave kubernetes.persistence.enabled at true",
        ),
        (
            &without,
            &with,
            "leave kubernetes.persistence.enabled at false",
        ),
    ] {
        let found = dangers(before, after, &clear());
        assert_eq!(found.len(), 1, "{found:?}");
        let (risk, text) = &found[0];
        assert_eq!(*risk, Risk::EtcdPersistence);
        assert!(text.contains(words), "{text}");
    }
}

#[test]
fn a_volume_grows_and_never_shrinks() {
    let plan = Plan::default();
    for (size, words) in [("16Gi", "patch pvc"), ("4Gi", "a volume never shrinks")] {
        let resized = Plan {
            volumes: Some(size),
            ..plan.clone()
        };
        let found = dangers(&plan, &resized, &clear());
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].1.contains(words), "{}", found[0].1);
    }
    // The same, written otherwise; and claims that have grown already.
    let same = Plan {
        volumes: Some("8192Mi"),
        ..plan.clone()
    };
    assert_eq!(risks(&plan, &same), []);
    let grown = Plan {
        volumes: Some("16Gi"),
        ..plan.clone()
    };
    assert_eq!(
        found(&plan.control_plane(), &grown, &clear(), &grown.claims()),
        []
    );
}

#[test]
fn other_names_are_no_new_farm() {
    let plan = Plan::default();
    let renamed = Plan {
        name: "other",
        ..plan.clone()
    };
    // The live workloads of the old name are known by their labels.
    assert_eq!(risks(&plan, &renamed), [Risk::EtcdName]);
    // The farm was deleted, and its volumes are there.
    let nothing = ControlPlane::default();
    let found = found(&nothing, &renamed, &clear(), &plan.claims());
    assert_eq!(found.len(), 1);
    let (risk, text) = &found[0];
    assert_eq!(*risk, Risk::EtcdName);
    assert!(
        text.contains("farm-etcd before the farm was deleted"),
        "{text}"
    );
}

#[test]
fn what_was_deleted_is_remembered() {
    let plan = Plan::default();
    let nothing = ControlPlane::default();
    let fewer = Plan {
        members: 1,
        ..plan.clone()
    };
    let older = Plan {
        etcd: "3.5.35-0",
        ..plan.clone()
    };
    let risks = |after: &Plan, memory: &Memory, claims: &[Claim]| -> Vec<Risk> {
        let found = found(&nothing, after, memory, claims).into_iter();
        found.map(|(risk, _)| risk).collect()
    };
    // By its claims, or by what the record says of it while those are few.
    assert_eq!(
        risks(&fewer, &Memory::default(), &plan.claims()),
        [Risk::EtcdMembers]
    );
    let three = memory(&[("etcd-members", "3")]);
    assert_eq!(risks(&fewer, &three, &fewer.claims()), [Risk::EtcdMembers]);
    assert_eq!(risks(&older, &clear(), &plan.claims()), [Risk::EtcdVersion]);
    // Without volumes nothing is left to lose.
    assert_eq!(risks(&older, &clear(), &[]), []);
    // A farm that sleeps has no members in its flags.
    let asleep = Plan {
        members: 0,
        ..plan.clone()
    };
    let five = Plan {
        members: 5,
        ..plan.clone()
    };
    let woken = dangers(&asleep, &five, &three).into_iter();
    assert_eq!(
        woken.map(|(risk, _)| risk).collect::<Vec<_>>(),
        [Risk::EtcdMembers]
    );
}

#[test]
fn a_rollout_comes_to_its_end_first() {
    let rolling = Plan {
        is_rolled_out: false,
        ..Plan::default()
    };
    let newer = Plan {
        etcd: "3.7.1-0",
        server: "v1.37.2",
        scheduler: "v1.37.2",
        ..Plan::default()
    };
    let found = dangers(&rolling, &newer, &clear());
    let risks: Vec<Risk> = found.iter().map(|(risk, _)| *risk).collect();
    assert_eq!(risks, [Risk::EtcdVersion, Risk::KubernetesVersion]);
    for (_, text) in found {
        assert!(text.contains("kubectl rollout status"), "{text}");
    }
}

#[test]
fn a_minor_version_is_left_from_a_late_patch_release() {
    for (before, after, is_danger) in [
        ("3.5.25-0", "3.6.16-0", true),
        ("3.5.26-0", "3.6.16-0", false),
        ("3.6.10-0", "3.7.1-0", true),
        ("3.6.11-0", "3.7.1-0", false),
        ("3.5.1-0", "3.5.35-0", false),
    ] {
        let plan = |etcd| Plan {
            etcd,
            ..Plan::default()
        };
        let found = dangers(&plan(before), &plan(after), &clear());
        let risks: Vec<Risk> = found.iter().map(|(risk, _)| *risk).collect();
        let wanted: &[Risk] = if is_danger { &[Risk::EtcdVersion] } else { &[] };
        assert_eq!(risks, wanted, "{before} {after}");
    }
}

#[test]
fn the_log_of_an_etcd_that_was_3_5_is_asked_about() {
    let newer = Plan {
        etcd: "3.7.1-0",
        ..Plan::default()
    };
    for (versions, is_danger) in [
        ("3.6.16", false),
        ("3.5.35 3.6.16", true),
        ("? 3.6.16", true),
        ("", true),
    ] {
        let memory = memory(&[("etcd-versions", versions)]);
        let found = dangers(&Plan::default(), &newer, &memory);
        let risks: Vec<Risk> = found.iter().map(|(risk, _)| *risk).collect();
        let wanted: &[Risk] = if is_danger { &[Risk::EtcdOldLog] } else { &[] };
        assert_eq!(risks, wanted, "{versions:?}");
    }
}

#[test]
fn a_dns_domain_is_that_of_the_record_or_of_the_issuer() {
    let plan = Plan::default();
    let moved = memory(&[("dns-domain", "old.example"), ("etcd-versions", "3.6.16")]);
    let found = dangers(&plan, &plan, &moved);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].0, Risk::DnsDomain);
    let before = Plan {
        issuers: &["https://kubernetes.default.svc.old.example"],
        ..Plan::default()
    };
    let after = Plan {
        issuers: before.issuers,
        ..Plan::default()
    };
    assert_eq!(risks(&before, &after), [Risk::DnsDomain]);
}

#[test]
fn a_record_knows_what_ran() {
    let plan = Plan::default();
    let asleep = Plan {
        members: 0,
        ..plan.clone()
    };
    let newer = Plan {
        etcd: "3.7.1-0",
        ..plan.clone()
    };
    let written = |memory: &Memory| {
        let mut facts = BTreeMap::new();
        memory.write(&mut facts);
        facts
    };
    let found = Memory::default().with(&plan.control_plane(), &newer.control_plane());
    let facts = written(&found);
    assert_eq!(facts["etcd-versions"], "? 3.6.16 3.7.1");
    assert_eq!(facts["etcd-members"], "3");
    // Its own beginning is known, and a farm that sleeps has its members yet.
    let first = Memory::default().with(&ControlPlane::default(), &plan.control_plane());
    let slept = first.with(&plan.control_plane(), &asleep.control_plane());
    assert_eq!(written(&slept)["etcd-versions"], "3.6.16");
    assert_eq!(written(&slept)["etcd-members"], "3");
}

#[test]
fn encryption_at_rest_may_begin_and_move_and_not_just_end() {
    let plain = Plan::default();
    let encrypted = |path| Plan {
        encryption: Some(path),
        ..Plan::default()
    };
    let first = encrypted("/etc/encryption/first.yaml");
    assert_eq!(risks(&plain, &first), []);
    assert_eq!(risks(&first, &first), []);
    let moved = encrypted("/etc/other/second.yaml");
    assert_eq!(risks(&first, &moved), []);
    let found = dangers(&first, &plain, &clear());
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].0, Risk::EncryptionAtRest);
    assert!(found[0].1.contains("identity: {}"), "{found:?}");
}

#[test]
fn of_two_workloads_that_of_the_name_counts() {
    let plan = Plan::default();
    let left_over = Plan {
        name: "other",
        members: 5,
        ..plan.clone()
    };
    for order in [[&plan, &left_over], [&left_over, &plan]] {
        let objects: Vec<_> = order.into_iter().flat_map(Plan::objects).collect();
        let live = ControlPlane::live(
            objects.iter().map(|(key, object)| (key, object)),
            &plan.control_plane(),
        );
        assert_eq!(found(&live, &plan, &clear(), &plan.claims()), []);
    }
}
