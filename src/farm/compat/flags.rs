//! Flags that are no more: a component that is given one does not start.

use serde_json::Value;

use super::flags_of_servers;
use crate::farm::findings::Findings;
use crate::farm::spec::{Flags, Kubernetes};
use crate::values::{Path, Problem};

const NO_INSECURE_PORT: &str = "the API server has no insecure port any more";
const CLOUD: &str = "run the cloud provider's own controller manager";
const CONFIGURATION: &str = "use a KubeSchedulerConfiguration (--config)";
const NOT_READ: &str = "nothing reads it any more";

/// Flags that were removed since Kubernetes 1.21: component, flag, what to do instead.
const OF_KUBERNETES: [(&str, &str, &str); 18] = [
    ("apiServer", "insecure-port", NO_INSECURE_PORT),
    ("apiServer", "insecure-bind-address", NO_INSECURE_PORT),
    (
        "apiServer",
        "kubelet-https",
        "kubelets are always reached over HTTPS",
    ),
    ("apiServer", "cloud-provider", CLOUD),
    ("apiServer", "cloud-config", CLOUD),
    (
        "apiServer",
        "service-account-api-audiences",
        "use api-audiences",
    ),
    ("apiServer", "target-ram-mb", "use default-watch-cache-size"),
    ("apiServer", "enable-swagger-ui", "there is no such page"),
    (
        "controllerManager",
        "port",
        "use kubernetes.controllerManager.port",
    ),
    ("controllerManager", "address", "use bind-address"),
    (
        "controllerManager",
        "pod-eviction-timeout",
        "set tolerationSeconds in pods",
    ),
    (
        "controllerManager",
        "experimental-cluster-signing-duration",
        "use cluster-signing-duration",
    ),
    ("controllerManager", "register-retry-count", NOT_READ),
    (
        "controllerManager",
        "enable-taint-manager",
        "it is always on",
    ),
    ("scheduler", "port", "use kubernetes.scheduler.port"),
    ("scheduler", "address", "use bind-address"),
    ("scheduler", "policy-config-file", CONFIGURATION),
    ("scheduler", "algorithm-provider", CONFIGURATION),
];

/// klog's flags, which Kubernetes' components lost in 1.26 (KEP-2845).
const OF_KLOG: [&str; 11] = [
    "logtostderr",
    "alsologtostderr",
    "stderrthreshold",
    "log-dir",
    "log-file",
    "log-file-max-size",
    "skip-headers",
    "skip-log-headers",
    "one-output",
    "add-dir-header",
    "log-backtrace-at",
];

/// etcd's `--experimental-…` flags that became feature gates in etcd 3.6; 3.7 knows only these.
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

/// Leaves removed flags out of every component of the control plane.
pub fn drop_removed(kubernetes: &mut Kubernetes, findings: &mut Findings) {
    for (component, flags) in flags_of_servers(kubernetes) {
        let instead = |flag: &str| removed_from_kubernetes(component, flag);
        drop_from(flags, component, "Kubernetes", instead, findings);
    }
    let etcd = &mut kubernetes.etcd.extra_args;
    drop_from(etcd, "etcd", "etcd", removed_from_etcd, findings);
}

fn drop_from(
    flags: &mut Flags,
    component: &str,
    program: &str,
    instead: impl Fn(&str) -> Option<String>,
    findings: &mut Findings,
) {
    let path = Path::from("kubernetes").join(component).join("extraArgs");
    flags.retain(|flag, value| {
        let Some(instead) = instead(flag) else {
            return true;
        };
        // null asks for the flag to be left out, which it is.
        if *value != Value::Null {
            let message = format!("the flag --{flag} was removed from {program} and is left out");
            let problem = Problem::warning(message).help(instead);
            findings.record(&path.join(flag.as_str()), problem);
        }
        false
    });
}

/// What to do instead of setting a flag that Kubernetes removed.
fn removed_from_kubernetes(component: &str, flag: &str) -> Option<String> {
    if OF_KLOG.contains(&flag) {
        let instead = "logs go to stderr; a container runtime keeps them";
        return Some(instead.to_owned());
    }
    OF_KUBERNETES
        .iter()
        .find(|(of, name, _)| (*of, *name) == (component, flag))
        .map(|(_, _, instead)| (*instead).to_owned())
}

/// What to do instead of setting a flag that etcd 3.7 no longer has.
fn removed_from_etcd(flag: &str) -> Option<String> {
    if matches!(flag, "enable-v2" | "experimental-enable-v2v3") {
        return Some("etcd has no v2 API any more".to_owned());
    }
    let name = flag.strip_prefix("experimental-")?;
    let gate = ETCD_GATES.iter().find(|(flag, _)| *flag == name);
    Some(match gate {
        Some((_, gate)) => format!("use feature-gates: {gate}=true"),
        None => format!("use {name}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_of_etcd_says_what_replaced_it() {
        let instead = |flag| removed_from_etcd(flag).unwrap_or_default();
        assert_eq!(
            instead("experimental-initial-corrupt-check"),
            "use feature-gates: InitialCorruptCheck=true"
        );
        assert_eq!(
            instead("experimental-compaction-batch-limit"),
            "use compaction-batch-limit"
        );
        assert_eq!(instead("enable-v2"), "etcd has no v2 API any more");
        assert_eq!(instead("quota-backend-bytes"), "");
    }

    #[test]
    fn klogs_flags_are_gone_from_every_component() {
        for component in ["apiServer", "controllerManager", "scheduler"] {
            assert!(removed_from_kubernetes(component, "logtostderr").is_some());
            assert!(removed_from_kubernetes(component, "v").is_none());
        }
    }
}
