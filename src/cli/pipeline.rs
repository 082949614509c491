//! From values to objects: the stages in a row, as every command that needs a whole farm takes them.

use std::mem::ManuallyDrop;

use indexmap::IndexMap;

use super::Failure;
use super::args::FarmArgs;
use crate::chart::{Charts, Rendered, context, extended};
use crate::farm::spec::PkiMode;
use crate::farm::{self, Farm};
use crate::manifest::{Manifest, Object, parse, parse_rendered, place};
use crate::values::write::{map_to_yaml, to_yaml};
use crate::values::{Input, Loaded, Node, Path, Problem, Value, load, put_at_nulls};

/// A farm that was rendered, and what should be told of it.
pub struct Outcome {
    pub farm: Farm,
    pub manifest: Manifest,
    pub warnings: Vec<Problem>,
}

/// Loads, checks and renders what flags ask for.
pub(super) fn render(args: &FarmArgs) -> Result<Outcome, Failure> {
    render_over(args, Vec::new())
}

/// The same with layers between the defaults and what the user gave.
pub(super) fn render_over(args: &FarmArgs, below: Vec<Input>) -> Result<Outcome, Failure> {
    // Kept to the end of the process, which comes soon: freeing all their parts one by one would only take time.
    let charts = ManuallyDrop::new(args.charts.load()?);
    let loaded = ManuallyDrop::new(args.load_over(&charts, below)?);
    let release = &args.release;
    render_loaded(
        &charts,
        &loaded,
        release.name.as_deref(),
        &release.namespace,
    )
}

/// Loads and checks what flags ask for: the farm, with what should be told of its values.
pub(super) fn farm(args: &FarmArgs) -> Result<(Farm, Vec<Problem>), Failure> {
    let charts = args.charts.load()?;
    let loaded = args.load(&charts)?;
    let release = &args.release;
    check(
        &charts,
        &loaded,
        release.name.as_deref(),
        &release.namespace,
    )
}

fn check(
    charts: &Charts,
    loaded: &Loaded,
    name: Option<&str>,
    namespace: &str,
) -> Result<(Farm, Vec<Problem>), Failure> {
    let defaults = || load(&charts.default_values(), &[]).ok();
    let mut checked = farm::check(&loaded.tree, name, namespace, defaults);
    checked.problems.extend(loaded.warnings.iter().cloned());
    put_at_nulls(&mut checked.problems, &loaded.removed);
    match checked.farm {
        Some(farm) => Ok((farm, checked.problems)),
        None => Err(Failure::Values(checked.problems)),
    }
}

/// Checks and renders merged values. `name` wins over the values' own.
///
/// # Errors
/// Every problem with the values, or the first with a template or with what it gave.
pub fn render_loaded(
    charts: &Charts,
    loaded: &Loaded,
    name: Option<&str>,
    namespace: &str,
) -> Result<Outcome, Failure> {
    let (farm, warnings) = check(charts, loaded, name, namespace)?;
    check_extra_manifests(&farm, &loaded.tree)?;
    Ok(Outcome {
        manifest: Manifest::assemble(objects(charts, &farm)?, namespace)?,
        warnings,
        farm,
    })
}

/// Every object of the farm, in the order rendered.
fn objects(charts: &Charts, farm: &Farm) -> Result<Vec<Object>, Failure> {
    let context = context(farm);
    let addons = if farm.kubernetes.enabled {
        charts.render_each(&["addons"], &context, addon)?
    } else {
        Vec::new()
    };
    let addons: IndexMap<String, String> = addons
        .into_iter()
        .filter(|(_, text)| !text.is_empty())
        .collect();
    // What is applied inside the child, which the control plane's charts carry.
    let context = extended(&context, "addons", &addons);
    let objects = charts.render_each(&["kubernetes", "ltsp", "dnsmasq"], &context, |rendered| {
        let is_control_plane = rendered.source.starts_with("kubernetes/");
        let mut objects = parse_rendered(rendered)?;
        if !is_control_plane {
            // What boots nodes may have a namespace of its own; which templates need not know.
            place(&mut objects, &farm.ltsp.namespace);
        }
        Ok::<_, Failure>(objects)
    })?;
    Ok(objects.into_iter().flatten().collect())
}

/// An addon's file name and its objects, written as all others are.
fn addon(rendered: Rendered) -> Result<(String, String), Failure> {
    let source = &rendered.source;
    let name = source.rsplit('/').next().unwrap_or(source).to_owned();
    let objects = parse_rendered(rendered)?;
    let documents: Vec<String> = objects
        .iter()
        .map(|object| map_to_yaml(&object.content))
        .collect();
    Ok((name, documents.join("---\n")))
}

/// The user's manifests travel as text; that they are manifests is said here and not by a Job in the cluster.
fn check_extra_manifests(farm: &Farm, tree: &Node) -> Result<(), Failure> {
    let mut problems = Vec::new();
    for (name, text) in farm.extra_manifests.iter().flatten() {
        if let Err(error) = parse(name, text) {
            let path = Path::from("kubernetes.extraManifests").join(name.as_str());
            let places = wrong_objects(name, &path, tree);
            let places = if places.is_empty() {
                vec![(path, error.to_string())]
            } else {
                places
            };
            problems.extend(places.into_iter().map(|(path, reason)| {
                let problem = Problem::error(format!("not a manifest: {reason}"));
                problem.at(tree.origin_at(&path).clone()).about(path)
            }));
        }
    }
    if problems.is_empty() {
        Ok(())
    } else {
        Err(Failure::Values(problems))
    }
}

/// The objects that the user wrote as values, and so not as text with lines of its own, that are not manifests.
fn wrong_objects(name: &str, path: &Path, tree: &Node) -> Vec<(Path, String)> {
    let objects: Vec<(Path, &Node)> = match tree.get(path) {
        Some(node) => match &node.value {
            Value::List(items) => {
                let items = items.iter().enumerate();
                items
                    .map(|(index, item)| (path.join(index), item))
                    .collect()
            }
            Value::Map(_) => vec![(path.clone(), node)],
            _ => Vec::new(),
        },
        None => Vec::new(),
    };
    let reasons = objects.into_iter().filter_map(|(path, node)| {
        let text = to_yaml(&serde_json::Value::from(node));
        Some((path, parse(name, &text).err()?.reason()))
    });
    reasons.collect()
}

/// Keeps from a cluster what is only to be looked at: a key or password that stands in for one, and is everybody's.
///
/// # Errors
/// Which values these are, and where; what is wrong with them was said before.
pub(super) fn may_be_sent(warnings: &[Problem]) -> Result<(), Failure> {
    let values: Vec<String> = warnings
        .iter()
        .filter(|problem| problem.only_to_look_at)
        .map(|problem| {
            let path = problem.path.clone().unwrap_or_default();
            match &problem.origin {
                Some(origin) => format!("{path} ({origin})"),
                None => path.to_string(),
            }
        })
        .collect();
    if values.is_empty() {
        Ok(())
    } else {
        Err(Failure::Other(anyhow::anyhow!(
            "no cluster is given these values, put your own there first: {}",
            values.join(", ")
        )))
    }
}

/// Whether kubefarm issues the farm's certificates.
pub(super) fn issues(farm: &Farm) -> bool {
    farm.kubernetes.enabled && farm.pki.mode == PkiMode::Builtin
}
