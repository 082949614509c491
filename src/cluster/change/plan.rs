//! What an apply would do, by server-side dry runs. Nothing in the cluster changes.

use std::collections::HashMap;

use futures::stream::{self, StreamExt, TryStreamExt};
use serde_json::{Map, Value as Json};

use super::certificates::are_cert_managers;
use super::namespaces;
use super::options::Allowed;
use super::planned::{Planned, Refusal, Step, masked};
use crate::cluster::client::{Answer, Api, ApplyMode, ClusterError, Resource, Status};
use crate::cluster::event::{Action, Event, Observer};
use crate::cluster::fields::helm;
use crate::cluster::record::PART_OF;
use crate::cluster::record::inventory::{self, is_shared};
use crate::farm::Release;
use crate::manifest::json::text_at;
use crate::manifest::{Key, Object};

/// One dry run for every object, in parallel. An object that is `known` and comes out as it is needs no second request.
///
/// # Errors
/// Where the cluster cannot be asked. What it refuses is part of the plan.
pub async fn plan(
    api: &Api,
    release: &Release,
    objects: Vec<Object>,
    known: &HashMap<Key, Map<String, Json>>,
    allowed: Allowed,
    concurrency: usize,
    observer: &dyn Observer,
) -> Result<Vec<Planned>, ClusterError> {
    let upcoming = Upcoming {
        kinds: defined_kinds(&objects),
        namespaces: upcoming_namespaces(&objects, release, allowed),
    };
    let plans = stream::iter(objects).map(|object| {
        let upcoming = &upcoming;
        async move {
            if api.interrupt().is_set() {
                return Err(ClusterError::Interrupted);
            }
            let planned = plan_object(api, release, object, known, allowed, upcoming).await?;
            for text in &planned.warnings {
                observer.observe(&Event::Warning {
                    key: &planned.key,
                    text,
                });
            }
            observer.observe(&Event::Object {
                key: &planned.key,
                action: Action::Checked,
            });
            Ok::<Planned, ClusterError>(planned)
        }
    });
    plans.buffered(concurrency).try_collect().await
}

/// The kinds and namespaces that this very apply creates.
struct Upcoming {
    kinds: Vec<(String, String)>,
    namespaces: Vec<String>,
}

fn upcoming_namespaces(objects: &[Object], release: &Release, allowed: Allowed) -> Vec<String> {
    let mut namespaces = namespaces::rendered(objects);
    if allowed.create_namespace {
        namespaces.extend(namespaces::of_all(release, objects));
    }
    namespaces.into_iter().map(str::to_owned).collect()
}

async fn plan_object(
    api: &Api,
    release: &Release,
    object: Object,
    known: &HashMap<Key, Map<String, Json>>,
    allowed: Allowed,
    upcoming: &Upcoming,
) -> Result<Planned, ClusterError> {
    let resource = api.resources.of(&object.content).cloned();
    let key = object.key();
    let mut content = object.content;
    let is_shared = is_shared(&content);
    if !is_shared {
        release.adopt(&mut content);
    }
    let mut planned = Planned {
        key,
        content,
        resource,
        live: None,
        step: Step::Unseen,
        warnings: Vec::new(),
    };
    let Some(resource) = planned.resource.clone() else {
        let kind = (planned.key.group.clone(), planned.key.kind.clone());
        if !upcoming.kinds.contains(&kind) {
            planned.step = Step::Refuse(Refusal::UnknownKind);
        }
        return Ok(planned);
    };
    let first = dry_run(api, &mut planned, &resource, false).await?;
    if let Ok(Answer {
        created: true,
        object,
        ..
    }) = first
    {
        planned.step = Step::Apply(object);
        return Ok(planned);
    }
    let is_known = matches!(&first, Ok(after) if known.get(&planned.key) == Some(&after.object));
    let live = if is_known {
        Ok(known.get(&planned.key).cloned())
    } else {
        api.get(&resource, &planned.key).await
    };
    planned.live = match live {
        Ok(live) => live,
        // Report it with the other refusals. A refused GET quotes no values, so there is nothing to mask.
        Err(ClusterError::Refused(status)) => {
            planned.step = Step::Refuse(Refusal::Server(*status));
            return Ok(planned);
        }
        Err(error) => return Err(error),
    };
    planned.step = match other_owner(release, planned.live.as_ref()) {
        Some(id) if !is_shared => Step::Refuse(Refusal::Foreign(id)),
        _ => decide_step(api, &mut planned, &resource, first, allowed, upcoming).await?,
    };
    Ok(planned)
}

/// The id of another set that the object belongs to.
fn other_owner(release: &Release, live: Option<&Map<String, Json>>) -> Option<String> {
    let id = text_at(live?, &["metadata", "labels", PART_OF]);
    (!id.is_empty() && id != release.id()).then(|| id.to_owned())
}

async fn decide_step(
    api: &Api,
    planned: &mut Planned,
    resource: &Resource,
    first: Result<Answer, Status>,
    allowed: Allowed,
    upcoming: &Upcoming,
) -> Result<Step, ClusterError> {
    let adopts = allowed.adopt && planned.live.as_ref().is_some_and(helm::owns);
    let status = match first {
        // Even where no value differs, Helm's fields have to be moved, or Helm would remove them later.
        Ok(after) if adopts => return Ok(Step::Adopt(after.object)),
        Ok(after) if Some(&after.object) == planned.live.as_ref() => return Ok(Step::Nothing),
        Ok(after) => return Ok(Step::Apply(after.object)),
        Err(status) => status,
    };
    let conflicts = status.field_conflicts();
    if !conflicts.is_empty() {
        let adopts = adopts
            && conflicts
                .iter()
                .all(|conflict| helm::is_manager(&conflict.manager));
        let takes = allowed.force || are_cert_managers(&planned.content, &conflicts);
        if !adopts && !takes {
            return Ok(Step::Refuse(Refusal::Conflicts(conflicts)));
        }
        return Ok(match dry_run(api, planned, resource, true).await? {
            Ok(after) if adopts => Step::Adopt(after.object),
            Ok(after) => Step::Take(after.object, conflicts),
            Err(status) => refuse(status, planned, allowed),
        });
    }
    if status.code == 404 && planned.live.is_none() {
        return check_in_default_namespace(api, planned, resource, upcoming).await;
    }
    Ok(refuse(status, planned, allowed))
}

fn refuse(status: Status, planned: &Planned, allowed: Allowed) -> Step {
    let status = masked(status, &planned.key);
    if !status.is_immutable() || planned.live.is_none() {
        return Step::Refuse(Refusal::Server(status));
    }
    let kept = planned.resource.as_ref().zip(planned.live.as_ref());
    let kept = kept.and_then(|(resource, live)| inventory::kept(resource, live));
    let replaceable = kept.is_none();
    if replaceable && allowed.replace {
        return Step::Replace;
    }
    Step::Refuse(Refusal::Immutable {
        status,
        replaceable,
    })
}

async fn dry_run(
    api: &Api,
    planned: &mut Planned,
    resource: &Resource,
    force: bool,
) -> Result<Result<Answer, Status>, ClusterError> {
    let mode = ApplyMode {
        dry_run: true,
        force,
    };
    let content = &planned.content;
    match api.apply(resource, &planned.key, content, mode).await {
        Ok(answer) => {
            planned.warnings.clone_from(&answer.warnings);
            Ok(Ok(answer))
        }
        Err(ClusterError::Refused(status)) => Ok(Err(*status)),
        Err(error) => Err(error),
    }
}

/// An object whose namespace is not there yet: checked in the namespace `default`, as far as that can be.
async fn check_in_default_namespace(
    api: &Api,
    planned: &mut Planned,
    resource: &Resource,
    upcoming: &Upcoming,
) -> Result<Step, ClusterError> {
    if !upcoming.namespaces.contains(&planned.key.namespace) {
        return Ok(Step::Refuse(Refusal::NoNamespace));
    }
    let mut content = planned.content.clone();
    if let Some(Json::Object(metadata)) = content.get_mut("metadata") {
        metadata.insert("namespace".to_owned(), "default".into());
    }
    match api.create(resource, "default", &content, true).await {
        Ok(answer) => {
            planned.warnings = answer.warnings;
            Ok(Step::Unseen)
        }
        // These are about the namespace `default`, not about the object.
        Err(ClusterError::Refused(status)) if matches!(status.code, 403 | 404 | 409) => {
            Ok(Step::Unseen)
        }
        Err(ClusterError::Refused(status)) => {
            Ok(Step::Refuse(Refusal::Server(masked(*status, &planned.key))))
        }
        Err(error) => Err(error),
    }
}

/// The kinds that the CustomResourceDefinitions among `objects` define: group and kind.
fn defined_kinds(objects: &[Object]) -> Vec<(String, String)> {
    let definitions = objects
        .iter()
        .filter(|object| object.kind() == "CustomResourceDefinition");
    definitions
        .filter_map(|object| {
            let spec = object.content.get("spec")?;
            let group = spec.get("group")?.as_str()?;
            let kind = spec.get("names")?.get("kind")?.as_str()?;
            Some((group.to_owned(), kind.to_owned()))
        })
        .collect()
}
