//! A farm that is taken over keeps the versions that run in it, unless the values name others.

use std::io::{self, Write};

use crate::cli::args::FarmArgs;
use crate::cli::failure::Failure;
use crate::cluster::Api;
use crate::cluster::guard::{RunningVersions, running_versions};
use crate::farm::OLDEST_MINOR;
use crate::render::Outcome;
use crate::values::Input;
use crate::version::Version;

/// The oldest etcd that is taken over as it is, that of the old charts; and the oldest Kubernetes.
const OLDEST_ETCD: (u32, u32) = (3, 5);
const OLDEST_KUBERNETES: (u32, u32) = (1, OLDEST_MINOR);

/// Renders again with the versions that run in the cluster as a layer below the user's. Versions that the templates do
/// not support are left to the guards of the apply, which print what to do.
pub async fn render_with_running_versions(
    args: &FarmArgs,
    api: &Api,
    first: Outcome,
) -> Result<Outcome, Failure> {
    let running = running_versions(api, first.manifest.objects()).await?;
    let Some(text) = layer(&running) else {
        return Ok(first);
    };
    let below = Input::Builtin {
        name: "running versions".to_owned(),
        text,
    };
    let outcome = args.render_over(vec![below])?;
    print_kept_versions(&running, &first, &outcome)?;
    Ok(outcome)
}

/// The values that keep what runs, in YAML; `None` where nothing runs that can be kept.
fn layer(running: &RunningVersions) -> Option<String> {
    let kept = |found: &Option<(String, Version)>, oldest: (u32, u32)| {
        let (tag, version) = found.as_ref()?;
        ((version.major, version.minor) >= oldest).then(|| tag.clone())
    };
    let mut kubernetes = Vec::new();
    if let Some(tag) = kept(&running.etcd, OLDEST_ETCD) {
        kubernetes.push(format!("etcd: {{image: {{tag: {tag:?}}}}}"));
    }
    if let Some(tag) = kept(&running.kubernetes, OLDEST_KUBERNETES) {
        // A tag has no `+`, so that `_` stands for it.
        kubernetes.push(format!("version: {:?}", tag.replace('_', "+")));
    }
    (!kubernetes.is_empty()).then(|| format!("kubernetes: {{{}}}\n", kubernetes.join(", ")))
}

/// Prints which versions were kept, to be set in the values from now on.
fn print_kept_versions(
    running: &RunningVersions,
    first: &Outcome,
    kept: &Outcome,
) -> io::Result<()> {
    let mut err = io::stderr().lock();
    let (before, after) = (&first.farm, &kept.farm);
    if before.etcd.computed.workload.image.image != after.etcd.computed.workload.image.image
        && let Some((tag, _)) = &running.etcd
    {
        writeln!(
            err,
            "note: etcd stays at the running version; set it in the values: kubernetes.etcd.image.tag: {tag}"
        )?;
    }
    if before.kubernetes.version != after.kubernetes.version {
        writeln!(
            err,
            "note: Kubernetes stays at the running version; set it in the values: kubernetes.version: {}",
            after.kubernetes.version
        )?;
    }
    Ok(())
}
