//! A namespace of the shared cluster, and what a test does there.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::cluster::Cluster;
use crate::support::{Finished, kubefarm_command, run};

/// The kinds that farms render into their namespace, and those that controllers do not touch later among them first.
const KINDS: &str = "configmaps,secrets,serviceaccounts,services,persistentvolumeclaims,deployments,statefulsets,\
                     cronjobs,jobs,poddisruptionbudgets,networkpolicies,roles,rolebindings,certificates,issuers,dhcphosts,\
                     dhcpoptions,dnsmasqoptions";

/// A namespace to work in.
pub struct Site {
    pub cluster: &'static Cluster,
    pub namespace: String,
}

impl Site {
    /// A new namespace, in a cluster that has every CRD. `None` where there can be no cluster.
    pub fn new(name: &str) -> Option<Site> {
        Cluster::with_crds().map(|cluster| Site::of(cluster, name))
    }

    /// A new namespace of a cluster.
    pub fn of(cluster: &'static Cluster, name: &str) -> Site {
        Site {
            cluster,
            namespace: cluster.namespace(name),
        }
    }

    /// Runs `kubefarm` in the namespace; the arguments are separated by spaces.
    pub fn run(&self, arguments: &str) -> Finished {
        self.run_as(self.cluster.kubeconfig(), arguments)
    }

    /// The same with another kubeconfig.
    pub fn run_as(&self, kubeconfig: &Path, arguments: &str) -> Finished {
        run(&mut self.command(kubeconfig, arguments))
    }

    /// The command that [`Site::run_as`] runs.
    pub fn command(&self, kubeconfig: &Path, arguments: &str) -> Command {
        let mut command = kubefarm_command();
        command
            .args(arguments.split_whitespace())
            .args(["-n", &self.namespace])
            .env("KUBECONFIG", kubeconfig)
            .env("HOME", self.cluster.folder());
        command
    }

    /// The completions that a shell gets after these words of a line.
    pub fn completions(&self, words: &[&str]) -> String {
        let mut command = kubefarm_command();
        command
            .args(["__complete", "zsh", "--", "kubefarm"])
            .args(words)
            .env("KUBECONFIG", self.cluster.kubeconfig())
            .env("HOME", self.cluster.folder());
        run(&mut command).success()
    }

    /// Runs kubectl in the namespace; the arguments are separated by spaces.
    pub fn kubectl(&self, arguments: &str) -> Finished {
        let mut words: Vec<&str> = arguments.split_whitespace().collect();
        words.extend(["-n", &self.namespace]);
        self.cluster.kubectl(&words)
    }

    /// Runs kubectl in the namespace with an object on standard input.
    pub fn kubectl_with(&self, arguments: &str, object: &Value) -> Finished {
        let mut words: Vec<&str> = arguments.split_whitespace().collect();
        words.extend(["-n", &self.namespace]);
        self.cluster.kubectl_with_stdin(&words, &object.to_string())
    }

    /// An object, such as `service/etcd`.
    #[track_caller]
    pub fn get(&self, what: &str) -> Value {
        let text = self
            .kubectl(&format!("get {what} -o json --show-managed-fields"))
            .success();
        serde_json::from_str(&text).expect("JSON")
    }

    /// Whether there is such an object.
    #[track_caller]
    pub fn has(&self, what: &str) -> bool {
        let found = self.kubectl(&format!("get {what} -o name --ignore-not-found"));
        !found.success().is_empty()
    }

    /// Everything of a farm's kinds in the namespace, by `Kind/name`, without what is in every namespace, and without
    /// the Leases that guard farms.
    #[track_caller]
    pub fn live(&self) -> BTreeMap<String, Value> {
        let list = self.get(KINDS);
        let items = list["items"].as_array().expect("a list").iter();
        let named = items.map(|object| (name_of(object), object.clone()));
        named
            .filter(|(name, _)| {
                name != "ConfigMap/kube-root-ca.crt" && name != "ServiceAccount/default"
            })
            .collect()
    }

    /// The versions of everything in the namespace, once the controllers have done what they do.
    #[track_caller]
    pub fn settled_versions(&self) -> BTreeMap<String, String> {
        // One quiet second is not much on a busy computer.
        let mut quiet = 0;
        let mut before = self.versions();
        self.cluster
            .wait_until("controllers leave the namespace alone", || {
                std::thread::sleep(Duration::from_secs(1));
                let now = self.versions();
                quiet = if now == before { quiet + 1 } else { 0 };
                before = now;
                quiet == 3
            });
        before
    }

    /// The versions of everything in the namespace.
    #[track_caller]
    pub fn versions(&self) -> BTreeMap<String, String> {
        let live = self.live().into_iter();
        let version = |object: &Value| object["metadata"]["resourceVersion"].to_string();
        live.map(|(name, object)| (name, version(&object)))
            .collect()
    }
}

/// `Kind/name`
fn name_of(object: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (kind, name) = (text(&object["kind"]), text(&object["metadata"]["name"]));
    format!("{kind}/{name}")
}

/// A folder for `--chart-dir`, with one more template for the boot server's chart.
pub struct Charts(TempDir);

impl Charts {
    /// With the template's text.
    pub fn new(template: &str) -> Charts {
        let charts = Charts(tempfile::tempdir().expect("a folder"));
        charts.write(template);
        charts
    }

    /// Writes the template anew.
    pub fn write(&self, template: &str) {
        let folder = self.0.path().join("ltsp/templates");
        fs::create_dir_all(&folder).expect("made");
        fs::write(folder.join("extra.yaml"), template).expect("written");
    }

    /// As arguments.
    pub fn flag(&self) -> String {
        format!("--chart-dir {}", self.0.path().display())
    }
}
