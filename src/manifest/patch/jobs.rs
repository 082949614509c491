//! New names for patched Jobs: a Job cannot be changed, so its name ends in a hash of its content.

use serde_json::Value as Json;

use crate::chart::{SHORT_HASH, short_hash};
use crate::manifest::Object;
use crate::values::to_yaml;

/// A Job's spec before patches.
pub(super) struct JobSpec {
    /// The Job's position among the objects.
    position: usize,
    spec: Option<Json>,
}

/// The specs of the Jobs whose names are one of `names` with a hash.
pub(super) fn specs(objects: &[Object], names: &[String]) -> Vec<JobSpec> {
    let is_hashed = |object: &Object| {
        let base = base(object.name());
        (object.group(), object.kind()) == ("batch", "Job")
            && names.iter().any(|name| Some(name.as_str()) == base)
    };
    let jobs = objects.iter().enumerate();
    jobs.filter(|(_, object)| is_hashed(object))
        .map(|(position, object)| JobSpec {
            position,
            spec: object.content.get("spec").cloned(),
        })
        .collect()
}

/// Renames the Jobs whose specs have changed.
pub(super) fn rename(objects: &mut [Object], specs: Vec<JobSpec>) {
    for JobSpec { position, spec } in specs {
        let Some(object) = objects.get_mut(position) else {
            continue;
        };
        let patched = object.content.get("spec");
        if patched == spec.as_ref() {
            continue;
        }
        let text = to_yaml(patched.unwrap_or(&Json::Null));
        let hash = short_hash(&format!("{} {text}", object.name()));
        let Some(name) = base(object.name()).map(|base| format!("{base}-{hash}")) else {
            continue;
        };
        if let Some(Json::Object(metadata)) = object.content.get_mut("metadata") {
            metadata.insert("name".to_owned(), name.into());
        }
    }
}

/// A name without the hash at its end.
fn base(name: &str) -> Option<&str> {
    let (base, hash) = name.rsplit_once('-')?;
    (hash.len() == SHORT_HASH).then_some(base)
}
