//! Who may connect to the pods of a farm.

use schemars::JsonSchema;
use serde::Deserialize;

use super::Fragment;

/// Who may connect to the pods of a farm, if the admin cluster's network plugin enforces NetworkPolicies.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NetworkPolicies {
    #[serde(default)]
    pub enabled: bool,
    #[serde(default)]
    pub monitoring: Vec<Fragment>,
    #[serde(default)]
    pub etcd_clients: Vec<Fragment>,
    pub boot_clients: Option<Vec<Fragment>>,
    pub api_server_egress: Option<bool>,
    #[serde(default)]
    pub api_server_peers: Vec<Fragment>,
}
