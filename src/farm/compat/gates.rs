//! Feature gates that a program does not have, or that are locked: it does not start with them.

use serde_json::Value;

use super::servers::{Server, is_empty, left_out, refused, rewrite, unknown};
use crate::farm::findings::Findings;
use crate::farm::known::{ProgramVersion, Support};
use crate::farm::spec::{Fragment, scalar_text};
use crate::values::{Path, Problem};

const FLAG: &str = "feature-gates";

/// Gates that were removed before the oldest version of the table, Kubernetes 1.22.
const GONE_BEFORE: [&str; 15] = [
    "BalanceAttachedNodeVolumes",
    "CSIMigrationAWSComplete",
    "CSIMigrationAzureDiskComplete",
    "CSIMigrationAzureFileComplete",
    "CSIMigrationGCEComplete",
    "CSIMigrationOpenStackComplete",
    "CSIMigrationvSphereComplete",
    "LegacyNodeRoleBehavior",
    "RootCAConfigMap",
    "SCTPSupport",
    "ServiceNodeExclusion",
    "ServiceTopology",
    "TokenRequestProjection",
    "VolumePVCDataSource",
    "VolumeSnapshotDataSource",
];

/// Removes obsolete gates from a program's flags, and reports others with which it would not start.
pub fn check(server: &mut Server, findings: &mut Findings) {
    let version = server.version;
    let path = server.path.join(FLAG);
    let Some(value) = server.flags.get_mut(FLAG) else {
        return;
    };
    let was_empty = value.as_str() == Some("");
    rewrite(value, &path, |gates, path| {
        left_of(gates, version, path, findings)
    });
    if is_empty(value) && !was_empty {
        server.flags.shift_remove(FLAG);
    }
}

/// The same for a configuration's map of gates.
pub fn check_config(
    config: &mut Fragment,
    version: ProgramVersion,
    path: &Path,
    findings: &mut Findings,
) {
    let path = path.join("featureGates");
    let Some(Value::Object(gates)) = config.get_mut("featureGates") else {
        return;
    };
    gates.retain(|gate, value| {
        let path = path.join(gate.as_str());
        let problem = problem(gate, &scalar_text(value).unwrap_or_default(), version);
        let left = problem.as_ref().is_none_or(|problem| !problem.leaves_out);
        if let Some(problem) = problem {
            findings.record(&path, problem.problem);
        }
        left
    });
    if gates.is_empty() {
        config.shift_remove("featureGates");
    }
}

/// Gates separated by commas, without the obsolete ones.
fn left_of(gates: &str, version: ProgramVersion, path: &Path, findings: &mut Findings) -> String {
    let mut left = Vec::new();
    for setting in gates.split(',') {
        let (gate, value) = setting.split_once('=').unwrap_or((setting, ""));
        // Since Kubernetes 1.31 a gate may have its component as a prefix (KEP-4330).
        let gate = gate.trim();
        let gate = gate.strip_prefix("kube:").unwrap_or(gate);
        if gate.is_empty() {
            continue;
        }
        let problem = problem(gate, value.trim(), version);
        if problem.as_ref().is_none_or(|problem| !problem.leaves_out) {
            left.push(setting);
        }
        if let Some(problem) = problem {
            findings.record(path, problem.problem);
        }
    }
    left.join(",")
}

struct GateProblem {
    problem: Problem,
    leaves_out: bool,
}

fn problem(gate: &str, value: &str, version: ProgramVersion) -> Option<GateProblem> {
    let what = format!("the feature gate {gate}");
    let (support, locked) = version.gate(gate);
    let gone_before = GONE_BEFORE.contains(&gate) && version.program.product == "Kubernetes";
    let problem = match support {
        Support::Unknown if gone_before => {
            return Some(gone(format!(
                "{what} was removed from Kubernetes and is left out"
            )));
        }
        Support::RemovedIn(since) => return Some(gone(left_out(version, &what, since))),
        Support::Unknown | Support::AddedIn(_) => {
            unknown(version, &what, support, version.nearest_gate(gate))
        }
        Support::Supported => match (go_bool(value), locked) {
            (None, _) => refused(
                version,
                format!("{what} must be true or false, not `{value}`"),
            )
            .help(format!("write {gate}=true or {gate}=false")),
            (Some(set), Some(locked)) if set != locked => refused(
                version,
                format!("{what} is always {locked} in {}", version.release()),
            )
            .help("remove it"),
            _ => return None,
        },
    };
    Some(GateProblem {
        problem,
        leaves_out: false,
    })
}

fn gone(message: String) -> GateProblem {
    let problem = Problem::warning(message);
    GateProblem {
        problem: problem.help("its feature is always on, or was removed; remove it"),
        leaves_out: true,
    }
}

/// A truth value as Go reads it (strconv.ParseBool).
fn go_bool(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Some(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(false),
        _ => None,
    }
}
