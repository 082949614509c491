//! What commands that talk to a cluster share.

use super::failure::Failure;
use crate::cluster::state::list as list_farms;
use crate::cluster::{Api, Interrupt};
use crate::farm::Release;
use crate::values::nearest;

/// Runs a command that talks to a cluster, until it is done or the user interrupts it.
///
/// Never inlined: what these commands wait for is large, and would be on the stack of those that wait for nothing.
#[inline(never)]
pub fn on_cluster<T, F: Future<Output = Result<T, Failure>>>(
    command: impl FnOnce(Interrupt) -> F,
) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let interrupt = Interrupt::on_signals()?;
        let outcome = command(interrupt.clone()).await;
        match interrupt.exit_code() {
            Some(code) => outcome.map_err(|failure| Failure::Interrupted(Box::new(failure), code)),
            None => outcome,
        }
    })
}

/// The failure for a farm that the cluster does not have, with the one that was probably meant.
pub async fn no_farm(api: &Api, release: &Release) -> Failure {
    let name = &release.name;
    let farms = list_farms(api, None).await.unwrap_or_default();
    let elsewhere = farms.iter().find(|farm| farm.release.name == *name);
    let names = farms.iter().map(|farm| farm.release.name.as_str());
    let hint = match (elsewhere, nearest(name, names)) {
        (Some(farm), _) => format!("; there is one in namespace {}", farm.release.namespace),
        (None, Some(near)) => format!("; did you mean {near}?"),
        (None, None) => String::new(),
    };
    Failure::Usage(format!(
        "there is no farm {name} in namespace {}{hint}",
        release.namespace
    ))
}
