//! Who reaches the pods of a farm.

use schemars::JsonSchema;
use serde::Deserialize;

use super::Fragment;

/// Who reaches the pods of a farm, where the admin cluster's network plugin enforces NetworkPolicies.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NetworkPolicies {
    /// Let only those reach etcd, Konnectivity's server and the boot server who have to.
    #[serde(default)]
    pub enabled: bool,
    /// Who reads etcd's metrics (Kubernetes `NetworkPolicyPeer` objects).
    #[serde(default)]
    pub monitoring: Vec<Fragment>,
    /// Who else reaches etcd (`NetworkPolicyPeer` objects).
    #[serde(default)]
    pub etcd_clients: Vec<Fragment>,
    /// Who reaches the boot server (`NetworkPolicyPeer` objects). Unset: the networks of the node pools' ranges, where
    /// `ltsp.service.externalTrafficPolicy` is `Local`; else everybody.
    pub boot_clients: Option<Vec<Fragment>>,
}
