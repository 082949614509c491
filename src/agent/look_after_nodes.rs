//! `kubefarm agent look-after-nodes`: the farm's agent, which keeps Nodes as the values say and lets machines join.

use std::cell::RefCell;
use std::time::Duration;

use futures::future::OptionFuture;
use tokio::time::Instant;

use super::error::AgentError;
use super::farm_agent::{Clusters, NodeAgent};
use super::faults::Faults;
use super::join::{JoinService, let_join};
use super::nodes::follow_values;
use super::shared::Shared;
use super::waiting::{JobContext, connect};
use super::watch::watch;
use crate::cluster::Target;

/// No deadline of a request is later: thirty years, as tokio's own.
const FAR: Duration = Duration::from_secs(86_400 * 365 * 30);

/// Looks after the Nodes of the child until it is interrupted, and lets machines join where that is wanted. Of several
/// agents one changes Nodes, and the others wait for its Lease; all of them let machines join.
///
/// # Errors
/// Where a cluster cannot be reached in time or refuses, where another agent took over, and where the join service
/// cannot start.
pub async fn look_after_nodes(
    admin: Target,
    child: Target,
    agent: &NodeAgent,
    join: Option<&JoinService>,
    context: &JobContext<'_>,
) -> Result<(), AgentError> {
    let admin_client = admin.connect().await?.client;
    let api = connect(admin, context).await?;
    let clusters = Clusters {
        admin: api.until(Instant::now() + FAR, context.interrupt.clone()),
        admin_client,
        child: child.connect().await?.client,
    };
    let known = RefCell::default();
    let faults = Faults::new(context.observer);
    let shared = Shared {
        clusters: &clusters,
        agent,
        known: &known,
        faults: &faults,
    };
    let joining = OptionFuture::from(join.map(|join| let_join(&shared, join, context.observer)));
    tokio::select! {
        ended = follow_values(&clusters, agent, context) => ended,
        () = watch(&shared, join.is_some()) => Ok(()),
        Some(ended) = joining => ended,
    }
}
