//! The keys that the pods of all components have: what Kubernetes would refuse (pkg/apis/core/validation).

use serde_json::Value;

use crate::farm::findings::Findings;
use crate::farm::spec::{Fragment, SpreadConstraint, Unsatisfiable, Values, scalar_text};
use crate::farm::syntax::quantity;
use crate::values::{Path, Problem};

/// Checks resources and placement of every component that runs.
pub fn check(values: &Values, findings: &mut Findings) {
    for (path, component) in values.components() {
        let path = Path::from(path);
        let keys = component.keys();
        if !component.is_enabled() {
            continue;
        }
        resources(keys.resources, &path.join("resources"), findings);
        for (index, constraint) in keys.topology_spread_constraints.iter().enumerate() {
            let path = path.join("topologySpreadConstraints").join(index);
            spread_constraint(constraint, &path, findings);
        }
    }
}

/// The keys of ResourceRequirements.
const RESOURCES: [&str; 3] = ["requests", "limits", "claims"];
/// The resources of a container; all others have a domain as a prefix, or are `hugepages-SIZE`.
const STANDARD: [&str; 3] = ["cpu", "memory", "ephemeral-storage"];

/// Records every key that Kubernetes does not have in such an object.
pub fn known_keys(map: &Fragment, known: &[&str], path: &Path, findings: &mut Findings) {
    for key in map.keys().filter(|key| !known.contains(&key.as_str())) {
        let problem = Problem::error(format!("Kubernetes has no key `{key}` here"));
        let help = format!("one of {}", known.join(", "));
        let problem = problem.help_nearest(key, known, &help);
        findings.record_key(&path.join(key.as_str()), problem);
    }
}

/// What validateTopologySpreadConstraints refuses and the types allow.
fn spread_constraint(constraint: &SpreadConstraint, path: &Path, findings: &mut Findings) {
    let is_soft = constraint.when_unsatisfiable == Unsatisfiable::ScheduleAnyway;
    if is_soft && constraint.min_domains.is_some() {
        findings.error(
            &path.join("minDomains"),
            "can only be set with whenUnsatisfiable: DoNotSchedule",
        );
    }
}

fn resources(resources: &Fragment, path: &Path, findings: &mut Findings) {
    known_keys(resources, &RESOURCES, path, findings);
    for kind in ["requests", "limits"] {
        let asked = resources.get(kind).and_then(Value::as_object);
        for (name, amount) in asked.into_iter().flatten() {
            let path = path.join(kind).join(name.as_str());
            let is_known = STANDARD.contains(&name.as_str()) || name.starts_with("hugepages-");
            if !is_known && !name.contains('/') {
                let problem = Problem::error(format!("Kubernetes has no resource `{name}`"));
                let help =
                    "one of cpu, memory, ephemeral-storage, or one with a domain: example.org/gpu";
                findings.record_key(&path, problem.help_nearest(name, &STANDARD, help));
            }
            let amount = scalar_text(amount);
            if let Some(amount) = amount.filter(|amount| quantity(amount).is_none()) {
                findings.error(&path, format!("`{amount}` is not a quantity"));
            }
        }
    }
    let amount = |kind: &str, name: &str| quantity(&scalar_text(resources.get(kind)?.get(name)?)?);
    let requests = resources.get("requests").and_then(Value::as_object);
    for name in requests.into_iter().flat_map(serde_json::Map::keys) {
        let both = amount("requests", name).zip(amount("limits", name));
        if both.is_some_and(|(request, limit)| request > limit) {
            findings.error(
                &path.join("requests").join(name.as_str()),
                format!("asks for more {name} than `limits` allows"),
            );
        }
    }
}
