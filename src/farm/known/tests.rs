use super::*;

fn version(program: &'static Program, repository: &str, tag: Option<&str>) -> ProgramVersion {
    let image = serde_json::json!({"repository": repository, "tag": tag});
    let image: Image = serde_json::from_value(image).expect("an image");
    ProgramVersion::of(program, &image, "v1.37.2")
}

fn api_server(tag: Option<&str>) -> ProgramVersion {
    version(&API_SERVER, "registry.k8s.io/kube-apiserver", tag)
}

#[test]
fn a_flag_is_known_removed_or_added_by_version() {
    for (tag, flag, support) in [
        (None, "advertise-address", Support::Supported),
        (None, "advertise_address", Support::Supported),
        (None, "advertise-adress", Support::Unknown),
        (None, "advertise", Support::Unknown),
        (None, "", Support::Unknown),
        (None, "insecure-port", Support::RemovedIn(24)),
        (Some("v1.23.4"), "insecure-port", Support::Supported),
        (Some("v1.24.0"), "insecure-port", Support::RemovedIn(24)),
        (Some("v1.21.0"), "insecure-port", Support::Supported),
        (Some("v1.32.9"), "cloud-provider", Support::Supported),
        (
            Some("v1.22.4"),
            "authentication-config",
            Support::AddedIn(29),
        ),
        (Some("v1.38.0"), "advertise-address", Support::Supported),
    ] {
        assert_eq!(api_server(tag).flag(flag), support, "{tag:?} {flag}");
    }
}

#[test]
fn only_a_release_that_was_read_is_certain() {
    let ours = "registry.k8s.io/kube-apiserver";
    for (repository, tag, certain) in [
        (ours, None, true),
        (ours, Some("v1.37.2"), true),
        (ours, Some("v1.37.99"), false),
        (ours, Some("v1.38.0"), false),
        (ours, Some("v1.22.4"), true),
        (ours, Some("v1.21.4"), false),
        (ours, Some("latest"), false),
        ("k8s.gcr.io/kube-apiserver", Some("v1.22.4"), true),
        ("example.org/kube-apiserver", None, false),
        ("registry.k8s.io/kube-apiserver-arm64", None, false),
    ] {
        assert_eq!(
            version(&API_SERVER, repository, tag).certain,
            certain,
            "{repository} {tag:?}"
        );
    }
}

#[test]
fn etcds_version_is_in_the_tag() {
    for (tag, expected) in [
        ("3.7.0-0", (7, 0)),
        ("3.5.21-0", (5, 21)),
        ("v3.5.13", (5, 13)),
        ("3.4", (4, 0)),
        ("v3.6.1-amd64", (6, 1)),
    ] {
        assert_eq!(ETCD.version_in(tag), Some(expected), "{tag}");
    }
    for tag in ["latest", "", "2.3.7", "v1.37.2", "33.5", "3.x"] {
        assert_eq!(ETCD.version_in(tag), None, "{tag}");
    }
}

#[test]
fn a_gate_is_known_to_its_programs_and_may_be_locked() {
    let server = api_server(None);
    assert_eq!(server.gate("IPv6DualStack").0, Support::RemovedIn(25));
    assert_eq!(server.gate("AllAlpha"), (Support::Supported, None));
    assert_eq!(
        server.gate("AggregatedDiscoveryRemoveBetaType"),
        (Support::Supported, Some(true))
    );
    assert_eq!(
        server.gate("AllowOverwriteTerminationGracePeriodSeconds").1,
        Some(false)
    );
    let scheduler = version(&SCHEDULER, "registry.k8s.io/kube-scheduler", None);
    let gate = "ControllerManagerReleaseLeaderElectionLockOnExit";
    assert_eq!(scheduler.gate(gate).0, Support::Unknown);
    let manager = version(&CONTROLLER_MANAGER, "x", None);
    assert_eq!(manager.gate(gate).0, Support::Supported);
}

/// Each table is sorted, and has only versions that were read.
#[test]
fn tables_are_complete() {
    let servers = [&API_SERVER, &CONTROLLER_MANAGER, &SCHEDULER];
    let others = [&KUBELET, &KUBE_PROXY, &ETCD];
    for program in servers.into_iter().chain(others) {
        let minors: Vec<u32> = program.releases().map(|row| row.first).collect();
        let in_order = minors.windows(2).all(|pair| pair[0] + 1 == pair[1]);
        assert!(in_order && minors.len() >= 4, "{minors:?}");
        for table in [&program.flags, &program.gates] {
            assert_complete(table, &minors);
        }
    }
    let minors: Vec<u32> = API_SERVER.releases().map(|row| row.first).collect();
    assert_complete(&PLUGINS, &minors);
}

fn assert_complete(table: &Table, minors: &[u32]) {
    let lines: Vec<&str> = table.0.lines().collect();
    assert!(lines.len() >= 10 && lines.is_sorted());
    assert_eq!(table.rows().count(), lines.len());
    for row in table.rows() {
        let (first, last) = (row.first, row.last);
        let read = minors.contains(&first) && minors.contains(&last);
        assert!(read && first <= last, "{}", row.name);
    }
}
