//! Kubeconfigs as texts, and runs that read them and nothing else of this machine's.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::cluster::{Cluster, TOKEN};
use crate::support::{Finished, kubefarm_command, run};

/// A folder that is the home of every run in it.
pub struct Home(TempDir);

impl Home {
    pub fn new() -> Home {
        Home(TempDir::new().expect("a folder"))
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file, and the folders above it.
    pub fn write(&self, name: &str, content: impl ToString) -> PathBuf {
        let file = self.path().join(name);
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("made");
        std::fs::write(&file, content.to_string()).expect("written");
        file
    }

    /// `kubefarm list`: it does nothing but ask.
    pub fn list(&self) -> Command {
        let mut command = kubefarm_command();
        command.args(["list", "--timeout", "20s"]);
        command.env("HOME", self.path());
        let ours = [
            "KUBECONFIG",
            "KUBERNETES_SERVICE_HOST",
            "KUBERNETES_SERVICE_PORT",
        ];
        let proxies = ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY"];
        for name in ours.iter().chain(&proxies) {
            command.env_remove(name).env_remove(name.to_lowercase());
        }
        command
    }

    /// The same with a kubeconfig.
    pub fn list_with(&self, kubeconfig: &Path) -> Finished {
        run(self.list().arg("--kubeconfig").arg(kubeconfig))
    }
}

/// A kubeconfig with one context, `one`.
pub fn config(cluster: &Value, user: &Value) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "one",
        "clusters": [{ "name": "one", "cluster": cluster }],
        "users": [{ "name": "one", "user": user }],
        "contexts": [{ "name": "one", "context": { "cluster": "one", "user": "one" } }],
    })
}

/// The test cluster, as kubeconfigs name it.
pub fn reached(cluster: &Cluster) -> Value {
    json!({ "server": cluster.server(), "certificate-authority": authority(cluster) })
}

pub fn authority(cluster: &Cluster) -> PathBuf {
    cluster.folder().join("ca.crt")
}

/// The user who may do everything.
pub fn master() -> Value {
    json!({ "token": TOKEN })
}

/// The host and port of the API server.
pub fn authority_of_url(cluster: &Cluster) -> &str {
    cluster.server().trim_start_matches("https://")
}
