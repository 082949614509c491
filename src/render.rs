//! From merged values to the objects of a farm, for every command that renders one.

use indexmap::IndexMap;

use crate::chart::{ADDONS, ChartError, Charts, FARM, extended, farm_context};
use crate::farm::spec::Side;
use crate::farm::{self, CheckedValues, Farm, SECRET_SIZE, too_large};
use crate::manifest::{
    Manifest, ManifestError, Object, duplicates, from_values, parse_rendered, patch, set_namespaces,
};
use crate::values::write::push_map;
use crate::values::{Loaded, Node, Path, Problem, Value, load, put_at_nulls};

/// A farm that was rendered.
pub struct Outcome {
    pub farm: Farm,
    pub manifest: Manifest,
    pub warnings: Vec<Problem>,
}

/// Why a farm cannot be rendered.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// The values are wrong.
    #[error("the values are wrong")]
    Values(Vec<Problem>),
    /// A template is wrong, or refuses a value.
    #[error(transparent)]
    Chart(#[from] ChartError),
    /// The output of a template is not a manifest.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
}

/// Checks merged values, and returns what a farm is built of, with warnings. `name` overrides the name in the values.
///
/// # Errors
/// Every problem with the values, warnings included.
pub fn check(
    charts: &Charts,
    loaded: &Loaded,
    name: Option<&str>,
    namespace: &str,
) -> Result<(CheckedValues, Vec<Problem>), RenderError> {
    let defaults = || load(&charts.default_values(), &[]).ok();
    let mut checked = farm::check(&loaded.tree, name, namespace, defaults);
    checked.problems.extend(loaded.warnings.iter().cloned());
    put_at_nulls(&mut checked.problems, &loaded.removed);
    match checked.values {
        Some(values) => Ok((values, checked.problems)),
        None => Err(RenderError::Values(checked.problems)),
    }
}

/// Checks and renders merged values. `name` overrides the name in the values.
///
/// # Errors
/// Every problem with the values, or the first with a template or its output.
pub fn render(
    charts: &Charts,
    loaded: &Loaded,
    name: Option<&str>,
    namespace: &str,
) -> Result<Outcome, RenderError> {
    let (values, warnings) = check(charts, loaded, name, namespace)?;
    check_extra_manifests(&values, &loaded.tree)?;
    let farm = values.build();
    let objects = objects(charts, &farm, &loaded.tree)?;
    let mut manifest = Manifest::assemble(objects, namespace)?;
    manifest.complete();
    Ok(Outcome {
        farm,
        manifest,
        warnings,
    })
}

/// As [`render`], for callers that only write the objects: their long lists are built while they are written. Frees the
/// tree of values first if its places are no longer needed: with many nodes it is as large as the rest together.
///
/// # Errors
/// As [`render`].
pub fn render_to_write(
    charts: &Charts,
    loaded: Loaded,
    name: Option<&str>,
    namespace: &str,
) -> Result<Outcome, RenderError> {
    let (values, warnings) = check(charts, &loaded, name, namespace)?;
    check_extra_manifests(&values, &loaded.tree)?;
    let mut tree = loaded.tree;
    if !values.are_needed_for_places() {
        tree.value = Value::Null;
    }
    let farm = values.build();
    let objects = objects(charts, &farm, &tree)?;
    Ok(Outcome {
        manifest: Manifest::assemble(objects, namespace)?,
        farm,
        warnings,
    })
}

/// Manifests for the child are text in Secrets: errors in them are reported here, not by a Job in the cluster.
fn check_extra_manifests(values: &CheckedValues, tree: &Node) -> Result<(), RenderError> {
    const PATH: &str = "kubernetes.extraManifests";
    let files = values.extra_manifests();
    from_values(PATH, &files, tree).map_err(RenderError::Values)?;
    let problems: Vec<Problem> = too_large(&files)
        .map(|(file, size)| {
            let path = Path::from(PATH).join(file);
            let problem = Problem::error(format!(
                "an object of {size} bytes: a Secret brings it to the child, and holds {SECRET_SIZE}"
            ));
            problem.at(tree.origin_at(&path).clone()).about(path)
        })
        .collect();
    if problems.is_empty() {
        Ok(())
    } else {
        Err(RenderError::Values(problems))
    }
}

/// Every object of the farm, in the order rendered, and after them the user's own.
fn objects(charts: &Charts, farm: &Farm, tree: &Node) -> Result<Vec<Object>, RenderError> {
    let context = farm_context(farm);
    let addons = if farm.kubernetes.enabled {
        charts.render_each(&[ADDONS], &context, |rendered| {
            Ok::<_, RenderError>(parse_rendered(rendered)?)
        })?
    } else {
        Vec::new()
    };
    let mut addons: Vec<Object> = addons.into_iter().flatten().collect();
    let mut problems = patch::apply(&farm.patches, Side::Child, &[], &mut addons, tree);
    // Objects for the child cluster are text in an object of the control plane's chart.
    let context = extended(&context, ADDONS, &by_file(&addons));
    let objects = charts.render_each(&FARM, &context, |rendered| {
        // The boot server may be in another namespace, which templates do not know.
        let namespace = if rendered.is_control_plane() {
            &farm.release.namespace
        } else {
            &farm.ltsp.computed.namespace
        };
        let mut objects = parse_rendered(rendered)?;
        set_namespaces(&mut objects, namespace);
        Ok::<_, RenderError>(objects)
    })?;
    let mut objects: Vec<Object> = objects.into_iter().flatten().collect();
    add_extra_objects(farm, tree, &mut objects)?;
    if !farm.patches.is_empty() {
        objects.iter_mut().for_each(Object::complete);
    }
    let jobs = farm.hashed_jobs();
    problems.extend(patch::apply(
        &farm.patches,
        Side::Admin,
        &jobs,
        &mut objects,
        tree,
    ));
    if problems.is_empty() {
        return Ok(objects);
    }
    problems.sort_by(|left, right| left.position().cmp(&right.position()));
    Err(RenderError::Values(problems))
}

fn add_extra_objects(
    farm: &Farm,
    tree: &Node,
    objects: &mut Vec<Object>,
) -> Result<(), RenderError> {
    const PATH: &str = "extraObjects";
    let mut own = from_values(PATH, &farm.extra_objects, tree).map_err(RenderError::Values)?;
    set_namespaces(&mut own, &farm.release.namespace);
    let problems = duplicates(PATH, &own, objects, tree);
    if !problems.is_empty() {
        return Err(RenderError::Values(problems));
    }
    objects.extend(own);
    Ok(())
}

/// The addons' files by name: the objects of each as YAML, written like all others.
fn by_file(addons: &[Object]) -> IndexMap<&str, String> {
    let mut texts: IndexMap<&str, String> = IndexMap::new();
    for object in addons {
        let file = object.source.rsplit('/').next().unwrap_or_default();
        let text = texts.entry(file).or_default();
        if !text.is_empty() {
            text.push_str("---\n");
        }
        push_map(text, &object.whole());
    }
    texts
}
