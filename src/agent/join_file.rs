//! The file that says how to join, in the nodes' `/etc/ltsp`: shell assignments, which systemd reads as well
//! (systemd.exec(5), EnvironmentFile=).

use crate::farm::syntax::split_endpoint;

/// Its name, in the object that the boot server serves and on nodes.
pub(super) const FILE: &str = "kubeadm-join.conf";

/// Whether the API server's endpoint is the name of its Service, which only the admin cluster knows: nodes need its
/// address as well.
pub(super) fn is_service(endpoint: &str, service: &str) -> bool {
    split_endpoint(endpoint).is_some_and(|(host, _)| host == service)
}

/// The assignment with a line for `/etc/hosts`: `address name`.
pub(super) fn hosts(line: &str) -> String {
    format!("HOSTS_KUBERNETES='{line}'\n")
}
