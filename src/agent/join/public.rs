//! What machines need to ask, and everybody may read: where the join service and the API server are, and which
//! authority to trust. The boot server serves it with the configuration of the nodes.

use std::path::Path;

use serde_json::{Map, Value as Json, json};

use crate::agent::address::first_address;
use crate::agent::authorities::Authorities;
use crate::agent::error::AgentError;
use crate::agent::join_file::{self, FILE};
use crate::cluster::state::ServiceAddress;
use crate::cluster::{Api, Resource};
use crate::farm::join::JoinSettings;
use crate::manifest::Key;

/// PEM.
const AUTHORITY: &str = "kubefarm-ca.crt";

/// Writes it where it is not as it should be.
///
/// # Errors
/// What is not known yet, or the cluster's refusal.
pub(super) async fn publish(
    admin: &Api,
    namespace: &str,
    join: &JoinSettings,
    authorities: &Path,
) -> Result<(), AgentError> {
    let authorities = Authorities::read(authorities)?.text;
    let address = match &join.address {
        Some(address) => address.clone(),
        None => address_of(admin, namespace, &join.service).await?,
    };
    let api_server = if join_file::is_service(&join.endpoint, &join.api_server) {
        Some(address_of(admin, namespace, &join.api_server).await?)
    } else {
        None
    };
    let data = json!({
        FILE: file(join, &address, api_server.as_deref()),
        AUTHORITY: authorities,
    });
    let config_maps = Resource::core("ConfigMap", "configmaps");
    let key = Key::core("ConfigMap", &join.boot_namespace, &join.public);
    let missing = || {
        AgentError::Unusable(format!(
            "{key} does not exist; it comes with the farm: apply it"
        ))
    };
    let found: Map<String, Json> = admin.get(&config_maps, &key).await?.ok_or_else(missing)?;
    if found.get("data") != Some(&data) {
        let operation = json!({ "op": "add", "path": "/data", "value": data });
        admin.patch(&config_maps, &key, &[operation]).await?;
    }
    Ok(())
}

async fn address_of(admin: &Api, namespace: &str, service: &str) -> Result<String, AgentError> {
    let key = Key::core("Service", namespace, service);
    let found = admin
        .get(&Resource::core("Service", "services"), &key)
        .await?;
    let unusable = |reason: String| AgentError::Unusable(format!("Service {service} {reason}"));
    let found = found.ok_or_else(|| unusable("does not exist".to_owned()))?;
    let address = first_address(ServiceAddress::of(&found)).map_err(unusable)?;
    Ok(address.to_string())
}

fn file(join: &JoinSettings, address: &str, api_server: Option<&str>) -> String {
    let mut text = String::new();
    if let Some(api_server) = api_server {
        let line = format!("{api_server} {}", join.api_server);
        text.push_str(&join_file::hosts(&line));
    }
    // An address of IPv6 goes in brackets (curl(1), --connect-to).
    let address = if address.contains(':') {
        format!("[{address}]")
    } else {
        address.to_owned()
    };
    text + &format!(
        "JOIN_SERVICE='{}:{}'\nJOIN_ADDRESS='{address}'\nAPI_SERVER='https://{}'\n",
        join.service, join.port, join.endpoint
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_what_a_shell_reads() {
        let join = JoinSettings {
            service: "farm-agent".to_owned(),
            port: 8443,
            endpoint: "farm-apiserver:6443".to_owned(),
            api_server: "farm-apiserver".to_owned(),
            ..JoinSettings::default()
        };
        assert_eq!(
            file(&join, "fd00::1", Some("10.64.0.10")),
            "HOSTS_KUBERNETES='10.64.0.10 farm-apiserver'\n\
             JOIN_SERVICE='farm-agent:8443'\nJOIN_ADDRESS='[fd00::1]'\nAPI_SERVER='https://farm-apiserver:6443'\n"
        );
    }
}
