//! What is computed for the farm's agent.

use serde::Serialize;

use super::boot::BootServer;
use super::dhcp::Standalone;
use super::node_settings::{self, AgentSettings, MachinesPart};
use super::server_logs::{ServerLog, server_logs};
use super::spec::Values;
use super::workload::Workload;

/// The agent's Deployment, and what it reads.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Agent {
    #[serde(flatten)]
    pub workload: Workload,
    /// JSON of [`node_settings::SettingsByDigest`].
    pub settings: String,
    /// JSON of [`node_settings::AgentSettings`].
    pub behaviour: String,
    /// Where one sees which machines boot.
    #[serde(skip)]
    pub logs: Vec<ServerLog>,
    /// JSON of the same.
    pub server_logs: String,
    /// The listed machines by their settings; the first part stands beside the settings.
    pub parts: Vec<MachinesPart>,
}

impl Agent {
    /// The agent called `name`.
    pub fn new(
        values: &Values,
        name: String,
        default_tag: &str,
        boot_server: &BootServer,
        standalone: &Standalone,
    ) -> Agent {
        let logs = server_logs(values, boot_server, standalone);
        let agent = &values.kubernetes.agent;
        let is_wanted = values.kubernetes.enabled && agent.enabled;
        let (settings, listed) = if is_wanted {
            node_settings::of_pools(&values.node_pools, &values.tags)
        } else {
            Default::default()
        };
        let checksum =
            || node_settings::checksum(listed.iter().map(|(_, machine)| machine.as_str()));
        let behaviour = AgentSettings {
            remove_nodes_unlike: agent.remove_nodes.then(checksum),
        };
        Agent {
            workload: Workload::new(agent, name, default_tag),
            settings: serde_json::to_string(&settings).unwrap_or_default(),
            behaviour: serde_json::to_string(&behaviour).unwrap_or_default(),
            server_logs: serde_json::to_string(&logs).unwrap_or_default(),
            logs,
            parts: node_settings::parts(&listed),
        }
    }
}
