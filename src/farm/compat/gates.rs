//! Feature gates that old values files set and that are no more; a component with an unknown gate does not start.

use serde_json::Value;

use super::flags_of_servers;
use crate::farm::findings::Findings;
use crate::farm::spec::{Flags, Fragment, Kubernetes};
use crate::values::{Path, Problem};

/// None of these is in Kubernetes 1.37's `kube_features.go` or those of its libraries.
const REMOVED: [&str; 60] = [
    "BalanceAttachedNodeVolumes",
    "BoundServiceAccountTokenVolume",
    "CSIMigration",
    "CSIMigrationAWS",
    "CSIMigrationAWSComplete",
    "CSIMigrationAzureDisk",
    "CSIMigrationAzureDiskComplete",
    "CSIMigrationAzureFile",
    "CSIMigrationAzureFileComplete",
    "CSIMigrationGCE",
    "CSIMigrationGCEComplete",
    "CSIMigrationOpenStack",
    "CSIMigrationOpenStackComplete",
    "CSIMigrationPortworx",
    "CSIMigrationRBD",
    "CSIMigrationvSphere",
    "CSIMigrationvSphereComplete",
    "CSRDuration",
    "CronJobControllerV2",
    "DefaultPodTopologySpread",
    "EndpointSlice",
    "EndpointSliceProxying",
    "EphemeralContainers",
    "ExpandCSIVolumes",
    "ExpandInUsePersistentVolumes",
    "ExpandPersistentVolumes",
    "GenericEphemeralVolume",
    "HugePageStorageMediumSize",
    "IPv6DualStack",
    "ImmutableEphemeralVolumes",
    "IndexedJob",
    "IngressClassNamespacedParams",
    "LegacyNodeRoleBehavior",
    "NetworkPolicyEndPort",
    "NodeLease",
    "NonPreemptingPriority",
    "PodDisruptionBudget",
    "PodOverhead",
    "PodSecurity",
    "RootCAConfigMap",
    "RuntimeClass",
    "SCTPSupport",
    "ServerSideApply",
    "ServiceAccountIssuerDiscovery",
    "ServiceLoadBalancerClass",
    "ServiceNodeExclusion",
    "ServiceTopology",
    "SetHostnameAsFQDN",
    "StartupProbe",
    "StatefulSetMinReadySeconds",
    "StorageObjectInUseProtection",
    "SupportNodePidsLimit",
    "SupportPodPidsLimit",
    "SuspendJob",
    "Sysctls",
    "TTLAfterFinished",
    "TokenRequestProjection",
    "VolumePVCDataSource",
    "VolumeSnapshotDataSource",
    "WatchBookmark",
];

/// Leaves removed gates out of the flags of the control plane, and out of what nodes are configured with.
pub fn drop_removed(kubernetes: &mut Kubernetes, findings: &mut Findings) {
    for (component, flags) in flags_of_servers(kubernetes) {
        let path = Path::from("kubernetes").join(component).join("extraArgs");
        drop_from_flags(flags, &path.join("feature-gates"), findings);
    }
    for (component, config) in [
        ("kubelet", &mut kubernetes.kubelet.config),
        ("kubeProxy", &mut kubernetes.kube_proxy.config),
    ] {
        let path = Path::from("kubernetes").join(component).join("config");
        drop_from_config(config, &path.join("featureGates"), findings);
    }
}

fn drop_from_flags(flags: &mut Flags, path: &Path, findings: &mut Findings) {
    let Some(Value::String(gates)) = flags.get("feature-gates") else {
        return;
    };
    let name = |gate: &str| gate.split('=').next().unwrap_or_default().trim().to_owned();
    let (gone, left): (Vec<&str>, Vec<&str>) = gates
        .split(',')
        .partition(|gate| REMOVED.contains(&name(gate).as_str()));
    if gone.is_empty() {
        return;
    }
    for gate in gone {
        findings.record(path, removed(&name(gate)));
    }
    let left = left.join(",");
    if left.is_empty() {
        flags.shift_remove("feature-gates");
    } else {
        flags.insert("feature-gates".to_owned(), left.into());
    }
}

fn drop_from_config(config: &mut Fragment, path: &Path, findings: &mut Findings) {
    let Some(Value::Object(gates)) = config.get_mut("featureGates") else {
        return;
    };
    gates.retain(|gate, _| {
        let is_gone = REMOVED.contains(&gate.as_str());
        if is_gone {
            findings.record(&path.join(gate.as_str()), removed(gate));
        }
        !is_gone
    });
    if gates.is_empty() {
        config.shift_remove("featureGates");
    }
}

fn removed(gate: &str) -> Problem {
    Problem::warning(format!(
        "the feature gate {gate} is always on or gone by now, and no longer known"
    ))
    .help("it is left out; remove it")
}
