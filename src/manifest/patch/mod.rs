//! `patches`: changes to rendered objects, made before these are sorted and checked.

mod checksums;
mod identity;
mod jobs;
mod lists;
mod merge;
#[cfg(test)]
mod tests;

use json_patch::{PatchErrorKind, PatchOperation, patch_unsafe};
use serde_json::{Map, Value as Json};

use super::Object;
use crate::farm::spec::{Change, Patch, Side, Target};
use crate::glob::Glob;
use crate::manifest::json::drop_nulls_in;
use crate::values::{Node, Path, Problem, Segment, nearest};

/// Where patches are in the values.
const PATCHES: &str = "patches";

/// Applies the patches for the objects of one cluster, in the order in which they are written in `tree`. The names of
/// Jobs are one of `jobs` with a hash: a Job whose spec was changed gets another hash.
///
/// Returns a problem for every patch that has no target or cannot be applied to one, at its place in the values.
pub fn apply<'a>(
    patches: impl IntoIterator<Item = (&'a String, &'a Patch)>,
    side: Side,
    jobs: &[String],
    objects: &mut [Object],
    tree: &Node,
) -> Vec<Problem> {
    let mut problems = Vec::new();
    let patches: Vec<(&String, &Patch)> = patches
        .into_iter()
        .filter(|(_, patch)| patch.target.cluster == side)
        .collect();
    let specs = jobs::specs(objects, jobs);
    let is_targeted = |object: &Object| {
        let mut targets = patches.iter().map(|(_, patch)| &patch.target);
        targets.any(|target| is_target(target, object))
    };
    let checksums = checksums::of_patched(objects, is_targeted);
    for (name, patch) in &patches {
        if let Err(fault) = apply_patch(patch, objects) {
            problems.push(fault.at(&Path::from(PATCHES).join(name.as_str()), tree));
        }
    }
    checksums::renew(objects, &checksums);
    jobs::rename(objects, specs);
    problems
}

fn apply_patch(patch: &Patch, objects: &mut [Object]) -> Result<(), Fault> {
    let mut count = 0;
    let targets = objects
        .iter_mut()
        .filter(|object| is_target(&patch.target, object));
    for object in targets {
        count += 1;
        let mut changed =
            change(object, &patch.patch).map_err(|fault| fault.inside("patch").of(object))?;
        // As in all rendered objects.
        drop_nulls_in(&mut changed);
        if let Err(fault) = identity::check(&object.content, &changed) {
            return Err(fault.inside("patch").of(object));
        }
        object.content = changed;
    }
    if count == 0 {
        return Err(no_target(&patch.target, objects));
    }
    Ok(())
}

fn is_target(target: &Target, object: &Object) -> bool {
    let namespace = object.namespace().unwrap_or_default();
    is_kind(target, object)
        && Glob::Path.matches(&target.name, object.name())
        && target
            .namespace
            .as_ref()
            .is_none_or(|wanted| Glob::Path.matches(wanted, namespace))
}

fn is_kind(target: &Target, object: &Object) -> bool {
    Glob::Path.matches(&target.kind.to_lowercase(), &object.kind().to_lowercase())
}

/// The object's content with the change.
fn change(object: &Object, change: &Change) -> Result<Map<String, Json>, Fault> {
    match change {
        Change::Merge(fields) => {
            let mut changed = object.clone();
            merge::merge(&mut changed, fields)?;
            Ok(changed.content)
        }
        Change::Operations(operations) => operate(&object.content, operations),
    }
}

fn operate(
    content: &Map<String, Json>,
    operations: &[PatchOperation],
) -> Result<Map<String, Json>, Fault> {
    let mut changed = Json::Object(content.clone());
    patch_unsafe(&mut changed, operations).map_err(|error| {
        let (field, message) = match error.kind {
            PatchErrorKind::TestFailed => ("value", "the object has another value here"),
            PatchErrorKind::InvalidFromPointer => ("from", "the object has nothing here"),
            PatchErrorKind::InvalidPointer => ("path", "the object has no such place"),
            _ => ("path", "nothing can be moved into itself"),
        };
        let operation = Segment::Index(error.operation);
        Fault::new(message).inside(field).inside(operation)
    })?;
    match changed {
        Json::Object(changed) => Ok(changed),
        _ => Err(Fault::new("these operations leave no object")),
    }
}

/// The error for a target without objects.
fn no_target(target: &Target, objects: &[Object]) -> Fault {
    let Target {
        kind,
        name,
        namespace,
        ..
    } = target;
    let place = match namespace {
        Some(namespace) => format!(" in the namespace `{namespace}`"),
        None => String::new(),
    };
    let fault =
        Fault::new(format!("no rendered object is a {kind} `{name}`{place}")).inside("target");
    let of_kind: Vec<&Object> = objects
        .iter()
        .filter(|object| is_kind(target, object))
        .collect();
    if of_kind.is_empty() {
        let kinds = objects.iter().map(Object::kind);
        return match nearest(kind, kinds) {
            Some(near) => fault.help(format!("did you mean the kind {near:?}?")),
            None => fault,
        };
    }
    let names = of_kind.iter().map(|object| object.name());
    match nearest(name, names).filter(|near| near != name) {
        Some(near) => fault.help(format!("did you mean {near:?}?")),
        None => fault,
    }
}

/// An error in a patch.
#[derive(Debug)]
struct Fault {
    /// Its path, from the patch's root.
    path: Vec<Segment>,
    message: String,
    help: Option<String>,
    /// The object that was to be changed.
    object: Option<String>,
}

impl Fault {
    fn new(message: impl Into<String>) -> Fault {
        Fault {
            path: Vec::new(),
            message: message.into(),
            help: None,
            object: None,
        }
    }

    fn help(mut self, help: impl Into<String>) -> Fault {
        self.help = Some(help.into());
        self
    }

    fn of(mut self, object: &Object) -> Fault {
        self.object = Some(object.key().to_string());
        self
    }

    /// The same, with one more segment before its path.
    fn inside(mut self, segment: impl Into<Segment>) -> Fault {
        self.path.insert(0, segment.into());
        self
    }

    /// The same, with all segments of `path` before its path.
    fn below(self, path: &[&str]) -> Fault {
        path.iter()
            .rev()
            .fold(self, |fault, key| fault.inside(*key))
    }

    /// The problem of the patch at `patch`, at the nearest place in the values.
    fn at(self, patch: &Path, tree: &Node) -> Problem {
        let mut path = patch.clone();
        for segment in self.path {
            let further = path.join(segment);
            if tree.get(&further).is_none() {
                break;
            }
            path = further;
        }
        let message = match &self.object {
            Some(object) => format!("{object}: {}", self.message),
            None => self.message,
        };
        let problem = Problem::error(message).at(tree.origin_at(&path).clone());
        match self.help {
            Some(help) => problem.help(help).about(path),
            None => problem.about(path),
        }
    }
}
