//! What replaced a flag.

use crate::farm::known::{Program, ProgramVersion, Support};

/// The replacement for a flag that a version does not have.
#[derive(Debug, PartialEq, Eq)]
pub enum Successor {
    Flag(String),
    /// A feature gate, with the flag's value.
    Gate(String),
}

/// Renamed flags: their values are kept.
const RENAMED: [(&str, &str); 6] = [
    // Without it, encrypted data in etcd could not be read.
    (
        "experimental-encryption-provider-config",
        "encryption-provider-config",
    ),
    (
        "experimental-encryption-provider-config-automatic-reload",
        "encryption-provider-config-automatic-reload",
    ),
    ("service-account-api-audiences", "api-audiences"),
    (
        "experimental-cluster-signing-duration",
        "cluster-signing-duration",
    ),
    ("lock-object-name", "leader-elect-resource-name"),
    ("lock-object-namespace", "leader-elect-resource-namespace"),
];

/// etcd's `--experimental-…` flags that became feature gates in etcd 3.6; 3.7 has only these.
const ETCD_GATES: [(&str, &str); 7] = [
    ("initial-corrupt-check", "InitialCorruptCheck"),
    ("compact-hash-check-enabled", "CompactHashCheck"),
    ("enable-lease-checkpoint", "LeaseCheckpoint"),
    ("enable-lease-checkpoint-persist", "LeaseCheckpointPersist"),
    (
        "txn-mode-write-with-shared-buffer",
        "TxnModeWriteWithSharedBuffer",
    ),
    ("stop-grpc-service-on-defrag", "StopGRPCServiceOnDefrag"),
    ("set-member-localaddr", "SetMemberLocalAddr"),
];

/// The replacement for a flag in a version of its program.
pub fn successor(version: ProgramVersion, flag: &str) -> Option<Successor> {
    let has = |name: &str| version.flag(name) == Support::Supported;
    let new = match version.program.name {
        "etcd" => match flag.strip_prefix("experimental-") {
            Some(name) => {
                let gate = ETCD_GATES.iter().find(|(old, _)| *old == name);
                if let Some((_, gate)) = gate
                    && version.gate(gate).0 == Support::Supported
                {
                    return Some(Successor::Gate((*gate).to_owned()));
                }
                name.to_owned()
            }
            // Its name before etcd 3.6.
            None => format!("experimental-{flag}"),
        },
        _ => RENAMED.iter().find(|(old, _)| *old == flag)?.1.to_owned(),
    };
    has(&new).then_some(Successor::Flag(new))
}

/// Flags that were removed before the oldest version of the tables.
const GONE_BEFORE: [(&str, &str); 4] = [
    ("kube-apiserver", "kubelet-https"),
    ("kube-scheduler", "algorithm-provider"),
    (
        "kube-controller-manager",
        "horizontal-pod-autoscaler-use-rest-clients",
    ),
    (
        "kube-apiserver",
        "experimental-encryption-provider-config-automatic-reload",
    ),
];

pub fn gone_before(program: &Program, flag: &str) -> bool {
    GONE_BEFORE.contains(&(program.name, flag))
}

const NO_INSECURE_PORT: &str = "there is no longer a port without TLS";
const CLOUD: &str = "run the cloud provider's own controller manager";
const CONFIGURATION: &str = "use a KubeSchedulerConfiguration (--config)";
const LOGS: &str = "logs go to stderr; a container runtime keeps them";
const NO_V2: &str = "etcd no longer has the v2 API";
const CONTAINERD: &str =
    "kubelet uses every runtime through CRI; ltsp.config.containerdConfig configures containerd";
const NO_DOCKERSHIM: &str = "Kubernetes has not run on Docker since 1.24";

/// What to do instead of setting a flag, by the start of its name.
const ADVICE: [(&str, &str); 33] = [
    ("insecure-", NO_INSECURE_PORT),
    ("address", NO_INSECURE_PORT),
    ("port", NO_INSECURE_PORT),
    ("kubelet-https", "kubelets are always reached over HTTPS"),
    ("cloud-", CLOUD),
    ("target-ram-mb", "use default-watch-cache-size"),
    (
        "enable-swagger-ui",
        "the API server no longer has this page",
    ),
    ("pod-eviction-timeout", "set tolerationSeconds in pods"),
    ("enable-taint-manager", "it is always on"),
    ("identity-lease-", "the identities' leases have fixed times"),
    (
        "horizontal-pod-autoscaler-downscale-delay",
        "use horizontal-pod-autoscaler-downscale-stabilization",
    ),
    ("algorithm-provider", CONFIGURATION),
    ("policy-", CONFIGURATION),
    ("use-legacy-policy-config", CONFIGURATION),
    ("logtostderr", LOGS),
    ("alsologtostderr", LOGS),
    ("stderrthreshold", LOGS),
    ("log-", LOGS),
    ("skip-", LOGS),
    ("one-output", LOGS),
    ("add-dir-header", LOGS),
    ("experimental-logging-sanitization", LOGS),
    ("enable-v2", NO_V2),
    ("experimental-enable-v2v3", NO_V2),
    ("proxy", NO_V2),
    (
        "network-plugin",
        "a container runtime with CNI needs no flag; it reads /etc/cni/net.d",
    ),
    (
        "cni-",
        "set the paths of CNI plugins in the configuration of the container runtime",
    ),
    ("container-runtime", CONTAINERD),
    ("pod-infra-container-image", CONTAINERD),
    ("containerd", CONTAINERD),
    ("docker", NO_DOCKERSHIM),
    ("experimental-dockershim", NO_DOCKERSHIM),
    ("image-pull-progress-deadline", NO_DOCKERSHIM),
];

/// What to do instead of setting a removed flag.
pub fn advice(flag: &str) -> &'static str {
    let found = ADVICE.iter().find(|(start, _)| flag.starts_with(start));
    found.map_or("it has no effect any more; remove it", |(_, advice)| advice)
}
