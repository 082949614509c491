//! From merged values to the objects of a farm: the whole way, as every command that needs a farm takes it.

mod extra_manifests;

use indexmap::IndexMap;

use crate::chart::{ADDONS, ChartError, Charts, FARM, Rendered, context, extended};
use crate::farm::{self, Farm};
use crate::manifest::{Manifest, ManifestError, Object, parse_rendered, place};
use crate::values::write::map_to_yaml;
use crate::values::{Loaded, Problem, load, put_at_nulls};

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

/// Checks merged values: the farm, with warnings. `name` wins over the values' own.
///
/// # Errors
/// Every problem with the values, warnings included.
pub fn check(
    charts: &Charts,
    loaded: &Loaded,
    name: Option<&str>,
    namespace: &str,
) -> Result<(Farm, Vec<Problem>), RenderError> {
    let defaults = || load(&charts.default_values(), &[]).ok();
    let mut checked = farm::check(&loaded.tree, name, namespace, defaults);
    checked.problems.extend(loaded.warnings.iter().cloned());
    put_at_nulls(&mut checked.problems, &loaded.removed);
    match checked.farm {
        Some(farm) => Ok((farm, checked.problems)),
        None => Err(RenderError::Values(checked.problems)),
    }
}

/// Checks and renders merged values. `name` wins over the values' own.
///
/// # Errors
/// Every problem with the values, or the first with a template or its output.
pub fn render(
    charts: &Charts,
    loaded: &Loaded,
    name: Option<&str>,
    namespace: &str,
) -> Result<Outcome, RenderError> {
    let (farm, warnings) = check(charts, loaded, name, namespace)?;
    let problems = extra_manifests::check(&farm, &loaded.tree);
    if !problems.is_empty() {
        return Err(RenderError::Values(problems));
    }
    Ok(Outcome {
        manifest: Manifest::assemble(objects(charts, &farm)?, namespace)?,
        warnings,
        farm,
    })
}

/// Every object of the farm, in the order rendered.
fn objects(charts: &Charts, farm: &Farm) -> Result<Vec<Object>, RenderError> {
    let context = context(farm);
    let addons = if farm.kubernetes.enabled {
        charts.render_each(&[ADDONS], &context, addon)?
    } else {
        Vec::new()
    };
    let addons: IndexMap<String, String> = addons
        .into_iter()
        .filter(|(_, text)| !text.is_empty())
        .collect();
    // What is applied inside the child cluster is text in an object of the control plane's chart.
    let context = extended(&context, ADDONS, &addons);
    let objects = charts.render_each(&FARM, &context, |rendered| {
        let is_control_plane = rendered.is_control_plane();
        let mut objects = parse_rendered(rendered)?;
        if !is_control_plane {
            // Nodes may be booted from another namespace, of which the templates need not know.
            place(&mut objects, &farm.ltsp.namespace);
        }
        Ok::<_, RenderError>(objects)
    })?;
    Ok(objects.into_iter().flatten().collect())
}

/// An addon's file name and its objects, written as all others are.
fn addon(rendered: Rendered) -> Result<(String, String), RenderError> {
    let source = &rendered.source;
    let name = source.rsplit('/').next().unwrap_or(source).to_owned();
    let objects = parse_rendered(rendered)?;
    let documents: Vec<String> = objects
        .iter()
        .map(|object| map_to_yaml(&object.content))
        .collect();
    Ok((name, documents.join("---\n")))
}
