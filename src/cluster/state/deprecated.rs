//! Which deprecated APIs the clients of a child cluster use, as its API servers have counted since they started
//! (Kubernetes: "Deprecation policy", metric `apiserver_requested_deprecated_apis`).

use std::collections::BTreeSet;
use std::fmt;

use serde_json::{Map, Value as Json};

use super::pods::{is_running, pods, port_called};
use crate::cluster::client::{Api, ClusterError};
use crate::manifest::json::text_at;
use crate::pki::{Material, client_config};
use crate::version::Version;

const METRIC: &str = "apiserver_requested_deprecated_apis{";
/// The name of the port of an API server.
const PORT: &str = "client";
/// Every API server's certificate has this address, where a forwarded port arrives.
const HOST: &str = "127.0.0.1";

/// A deprecated API that somebody has used.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DeprecatedApi {
    /// `policy/v1beta1`; `v1` of the group without a name.
    pub version: String,
    /// `podsecuritypolicies`, `deployments/scale`
    pub resource: String,
    /// The first minor version that does not serve it, where that is decided: 1.25.0.
    pub removed_in: Option<Version>,
}

impl fmt::Display for DeprecatedApi {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.version, self.resource)?;
        match self.removed_in {
            Some(removed) => write!(
                formatter,
                " (removed in {}.{})",
                removed.major, removed.minor
            ),
            None => Ok(()),
        }
    }
}

/// Asks every running API server among the pods with the label `app`, with a certificate that may read metrics.
///
/// # Errors
/// Where one does not answer, or the certificate cannot be used. No pod at all is an error as well.
pub async fn deprecated_apis(
    api: &Api,
    namespace: &str,
    app: &str,
    client: &Material,
) -> Result<Vec<DeprecatedApi>, ClusterError> {
    let config = client_config(client).map_err(|error| ClusterError::Credentials {
        server: format!("the API servers {app}"),
        reason: error.to_string(),
    })?;
    let mut found = BTreeSet::new();
    let pods = pods(api, namespace, app).await?;
    let running: Vec<&Map<String, Json>> = pods.iter().filter(|pod| is_running(pod)).collect();
    if running.is_empty() {
        return Err(ClusterError::Unreachable {
            server: format!("the API servers {app}"),
            reason: "none of their pods is running".to_owned(),
        });
    }
    for pod in running {
        let name = text_at(pod, &["metadata", "name"]);
        let port = port_called(pod, PORT)?;
        let mut forward = api
            .forward_tls(namespace, name, port, HOST, config.clone())
            .await?;
        let metrics = forward.get("/metrics").await?;
        found.extend(read(&String::from_utf8_lossy(&metrics)));
    }
    Ok(found.into_iter().collect())
}

/// The APIs in the text of a server's metrics (Prometheus, "Exposition formats").
fn read(metrics: &str) -> impl Iterator<Item = DeprecatedApi> {
    let lines = metrics.lines().filter_map(|line| line.strip_prefix(METRIC));
    lines.filter_map(|line| {
        let (labels, value) = line.rsplit_once('}')?;
        // Names of groups, versions and resources have neither commas nor quotes.
        let label = |name: &str| {
            let mut labels = labels.split(',').filter_map(|label| label.split_once('='));
            let (_, value) = labels.find(|(key, _)| *key == name)?;
            Some(value.trim_matches('"'))
        };
        let (group, version) = (label("group")?, label("version")?);
        let (resource, part) = (label("resource")?, label("subresource").unwrap_or_default());
        (value.trim() != "0").then(|| DeprecatedApi {
            version: joined(group, version),
            resource: if part.is_empty() {
                resource.to_owned()
            } else {
                joined(resource, part)
            },
            removed_in: label("removed_release").and_then(Version::read),
        })
    })
}

/// `a/b`, or `b` where there is no `a`.
fn joined(first: &str, second: &str) -> String {
    if first.is_empty() {
        second.to_owned()
    } else {
        format!("{first}/{second}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_is_read_from_metrics() {
        let metrics = "\
# HELP apiserver_requested_deprecated_apis [STABLE] Gauge of deprecated APIs that have been requested
# TYPE apiserver_requested_deprecated_apis gauge
apiserver_requested_deprecated_apis{group=\"\",removed_release=\"\",resource=\"componentstatuses\",subresource=\"\",version=\"v1\"} 1
apiserver_requested_deprecated_apis{group=\"policy\",removed_release=\"1.25\",resource=\"podsecuritypolicies\",subresource=\"\",version=\"v1beta1\"} 1
apiserver_requested_deprecated_apis{group=\"apps\",removed_release=\"1.16\",resource=\"deployments\",subresource=\"scale\",version=\"v1beta1\"} 0
apiserver_request_total{group=\"\",version=\"v1\",resource=\"pods\"} 4
";
        let found: Vec<String> = read(metrics).map(|api| api.to_string()).collect();
        assert_eq!(
            found,
            [
                "v1 componentstatuses",
                "policy/v1beta1 podsecuritypolicies (removed in 1.25)"
            ]
        );
        let scale = metrics.replace("} 0", "} 1");
        let scale = read(&scale).last().map(|api| api.resource);
        assert_eq!(scale.as_deref(), Some("deployments/scale"));
    }
}
