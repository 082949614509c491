//! Where the servers that machines boot from write what machines ask them for.

use serde::{Deserialize, Serialize};

use super::boot::BootServer;
use super::dhcp::{CONTROLLER, DHCP_CONTAINER, Standalone};
use super::spec::{DhcpMode, Values};

/// The log of a container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerLog {
    pub namespace: String,
    /// The label `app` of its pods.
    pub app: String,
    pub container: String,
    pub kind: ServerKind,
}

/// What a log is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServerKind {
    /// The farm's own DHCP server.
    Dhcp,
    /// One that machines of other farms ask as well.
    SharedDhcp,
    Tftp,
    Http,
}

/// The logs of the boot server, and of the farm's own DHCP server or of the controller that it installs. Of a DHCP server
/// that came by other means it is not known where it is.
pub fn server_logs(
    values: &Values,
    boot_server: &BootServer,
    standalone: &Standalone,
) -> Vec<ServerLog> {
    let log = |app: &str, container: &str, kind| ServerLog {
        namespace: boot_server.namespace.clone(),
        app: app.to_owned(),
        container: container.to_owned(),
        kind,
    };
    let mut logs = Vec::new();
    match values.dhcp.mode {
        DhcpMode::Standalone => {
            let app = &standalone.workload.name;
            logs.push(log(app, DHCP_CONTAINER, ServerKind::Dhcp));
        }
        DhcpMode::Controller if values.dhcp.install_controller => {
            logs.push(log(CONTROLLER, DHCP_CONTAINER, ServerKind::SharedDhcp));
        }
        DhcpMode::Controller => {}
    }
    if values.ltsp.enabled {
        let app = &boot_server.workload.name;
        logs.push(log(app, "tftp", ServerKind::Tftp));
        logs.push(log(app, "http", ServerKind::Http));
    }
    logs
}
