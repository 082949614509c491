//! `kubefarm agent look-after-nodes`: the farm's agent, which keeps Nodes as the values say and lets machines join.

use std::cell::RefCell;

use futures::future::OptionFuture;

use super::boots::Boots;
use super::error::AgentError;
use super::farm_agent::{Clusters, NodeAgent};
use super::faults::Faults;
use super::join::{JoinService, let_join};
use super::nodes::follow_values;
use super::shared::Shared;
use super::waiting::{JobContext, connect};
use super::watch::watch;
use crate::cluster::Target;

/// Looks after the Nodes of the child until it is interrupted, and lets machines join where that is wanted. Of several
/// agents one changes Nodes, and the others wait for its Lease; all of them let machines join, and know how far each
/// machine is.
///
/// # Errors
/// Where a cluster cannot be reached in time or refuses, where another agent took over, and where the join service
/// or the metrics cannot be served.
pub async fn look_after_nodes(
    admin: Target,
    child: Target,
    agent: &NodeAgent,
    metrics_port: u16,
    join: Option<&JoinService>,
    context: &JobContext<'_>,
) -> Result<(), AgentError> {
    let admin_client = admin.connect().await?.client;
    let api = connect(admin, context).await?;
    let clusters = Clusters {
        admin: api.for_ever(),
        admin_client,
        child: child.connect().await?.client,
    };
    let known = RefCell::default();
    let faults = Faults::new(context.observer);
    let boots = Boots::new(&known, context.observer);
    let shared = Shared {
        clusters: &clusters,
        agent,
        known: &known,
        faults: &faults,
        boots: &boots,
    };
    let joining = OptionFuture::from(join.map(|join| let_join(&shared, join, context.observer)));
    tokio::select! {
        ended = follow_values(&clusters, agent, context) => ended,
        () = watch(&shared, join.is_some()) => Ok(()),
        ended = boots.run(&clusters, metrics_port, &faults) => ended,
        Some(ended) = joining => ended,
    }
}
