//! A namespace where a farm is applied, and what is in it.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use super::running::Running;
use crate::support::cluster::{Cluster, Request};
use crate::support::{Finished, kubefarm_command, run};

/// A farm with everything that an example has: about 60 objects.
pub const WHOLE: &str = "-f examples/generic/values.yaml -f examples/advanced_network/values.yaml";

/// The same farm with all but the boot server's files turned off: 3 objects.
pub const SMALL: &str = "--set kubernetes.enabled=false,tokenGenerator.enabled=false,ltsp.publishDHCP=false,\
                         ltsp.service.enabled=false";

/// Every kind of which the whole farm has objects, and the Lease.
pub const KINDS: [&str; 19] = [
    "certificates.cert-manager.io",
    "issuers.cert-manager.io",
    "configmaps",
    "secrets",
    "services",
    "serviceaccounts",
    "persistentvolumeclaims",
    "deployments.apps",
    "statefulsets.apps",
    "jobs.batch",
    "cronjobs.batch",
    "poddisruptionbudgets.policy",
    "networkpolicies.networking.k8s.io",
    "roles.rbac.authorization.k8s.io",
    "rolebindings.rbac.authorization.k8s.io",
    "dhcphosts.dnsmasq.kvaps.cf",
    "dhcpoptions.dnsmasq.kvaps.cf",
    "dnsmasqoptions.dnsmasq.kvaps.cf",
    "leases.coordination.k8s.io",
];

/// A namespace of a cluster, for one farm.
pub struct Place<'a> {
    pub cluster: &'a Cluster,
    pub namespace: String,
}

impl<'a> Place<'a> {
    /// A namespace that was not there before.
    pub fn new(cluster: &'a Cluster, name: &str) -> Place<'a> {
        Place {
            cluster,
            namespace: cluster.namespace(name),
        }
    }

    /// `apply` of values, as the admin.
    pub fn command(&self, values: &str) -> Command {
        self.command_as(self.cluster.kubeconfig().to_owned(), values)
    }

    /// The same with another kubeconfig.
    pub fn command_as(&self, kubeconfig: PathBuf, values: &str) -> Command {
        let mut command = self.subcommand("apply", kubeconfig, values);
        // What is switched off here is meant to go.
        command.env("KUBEFARM_ACCEPT", "etcd-removed");
        command
    }

    fn subcommand(&self, name: &str, kubeconfig: PathBuf, values: &str) -> Command {
        let mut command = kubefarm_command();
        command
            .args([name, "--namespace", &self.namespace, "--kubeconfig"])
            .arg(kubeconfig)
            .args(values.split_whitespace());
        command
    }

    /// Applies values.
    pub fn apply(&self, values: &str) -> Finished {
        run(self.command(values).args(["--timeout", "60s"]))
    }

    /// Begins to apply values, an object at a time.
    pub fn start(&self, values: &str) -> Running {
        self.start_as(self.cluster.kubeconfig().to_owned(), values)
    }

    /// The same with another kubeconfig.
    pub fn start_as(&self, kubeconfig: PathBuf, values: &str) -> Running {
        let mut command = self.command_as(kubeconfig, values);
        command.args(["-o", "json", "--concurrency", "1", "--timeout", "120s"]);
        Running::start(command)
    }

    /// Begins to delete the farm, an object at a time.
    pub fn start_delete(&self) -> Running {
        let admin = self.cluster.kubeconfig().to_owned();
        let mut command = self.subcommand("delete", admin, "kubefarm");
        command.args(["-o", "json", "--concurrency", "1", "--timeout", "120s"]);
        Running::start(command)
    }

    /// Fails where the cluster differs from what values say, in any object that is there or should be.
    #[track_caller]
    pub fn assert_is_as(&self, values: &str) {
        let admin = self.cluster.kubeconfig().to_owned();
        let diff = run(&mut self.subcommand("diff", admin, values));
        assert_eq!(diff.code(), 0, "{}\n{}", diff.stdout, diff.stderr);
    }

    pub fn kubectl(&self, arguments: &[&str]) -> Finished {
        let of = format!("--namespace={}", self.namespace);
        self.cluster.kubectl(&[arguments, &[&of]].concat())
    }

    /// What is in the namespace, but for what Kubernetes itself puts there.
    pub fn objects(&self) -> Vec<Value> {
        let list = self.kubectl(&["get", &KINDS.join(","), "--output=json"]);
        let mut list: Value = serde_json::from_str(&list.success()).expect("JSON");
        let items = list["items"].as_array_mut().expect("a list");
        let own = items.drain(..).filter(|item| {
            let name = item["metadata"]["name"].as_str().expect("a name");
            item["metadata"]["ownerReferences"].is_null()
                && !["default", "kube-root-ca.crt"].contains(&name)
                // What the StatefulSet claims has no owner.
                && !name.starts_with("etcd-data-")
        });
        own.collect()
    }

    /// The same as `Kind/name`.
    pub fn names(&self) -> BTreeSet<String> {
        let objects = self.objects();
        objects.iter().map(name).collect()
    }

    /// The requests that changed something here, in their order; not those about the Lease, nor kubectl's.
    pub fn changes(&self) -> Vec<Request> {
        let mut requests = self.cluster.audit();
        requests.retain(|request| {
            request.namespace == self.namespace
                && ["create", "update", "patch", "delete"].contains(&request.verb.as_str())
                && !request.uri.contains("dryRun=All")
                && request.resource != "leases"
                && !request.user_agent.starts_with("kubectl/")
                && (200..300).contains(&request.code)
        });
        requests
    }

    #[track_caller]
    pub fn assert_nothing_changed(&self) {
        let changes = self.changes();
        assert!(changes.is_empty(), "{changes:?}");
        let objects = self.names();
        assert!(
            !objects.iter().any(|name| name.starts_with("Lease/")),
            "{objects:?}"
        );
    }
}

/// `Kind/name`
pub fn name(object: &Value) -> String {
    let kind = object["kind"].as_str().expect("a kind");
    let name = object["metadata"]["name"].as_str().expect("a name");
    format!("{kind}/{name}")
}
