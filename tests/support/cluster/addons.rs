//! What tests install into a cluster: CRDs, cert-manager, charts.

use std::process::Command;

use serde_json::{Value, json};

use super::programs::{CERT_MANAGER, build};
use super::{Cluster, Finished, run};
use crate::support::farms::generic;

impl Cluster {
    /// Installs the CRDs of cert-manager, and those of dnsmasq-controller as a farm has them; back when objects of
    /// their kinds are accepted.
    pub fn install_crds(&self) {
        let own = generic().with("--set").with("dhcp.installController=true");
        let own: Vec<Value> = own.objects().of_kind(CRD).cloned().collect();
        assert!(!own.is_empty(), "the farm has no CRD");
        let own = json!({ "apiVersion": "v1", "kind": "List", "items": own });
        let apply = ["apply", "--server-side", "--filename"];
        self.kubectl_with_stdin(&[&apply[..], &["-"]].concat(), &own.to_string())
            .success();
        build(&[CERT_MANAGER]).expect("built, as the control plane is");
        // kubectl follows no link to a folder.
        let folder = self.programs.join("crds").canonicalize();
        let folder = folder.expect("built").display().to_string();
        self.kubectl(&[&apply[..], &[&folder]].concat()).success();
        let wait = ["wait", "--for=condition=Established", "crd", "--all"];
        self.kubectl(&wait).success();
    }

    /// Starts cert-manager's controllers for issuers of the types CA and SelfSigned; wants its CRDs. Secrets of
    /// ClusterIssuers are in the namespace `cert-manager`.
    pub fn start_cert_manager(&self) {
        build(&[CERT_MANAGER]).expect("built, as the control plane is");
        let kubeconfig = self.user_kubeconfig(CERT_MANAGER, &["system:masters"]);
        let flag = format!("--kubeconfig={}", kubeconfig.display());
        self.run(CERT_MANAGER, &[flag]);
    }

    /// Runs the pinned helm as the admin.
    pub fn helm(&self, arguments: &[&str]) -> Finished {
        run(self.helm_command().args(arguments))
    }

    /// The pinned helm, ready for arguments.
    pub fn helm_command(&self) -> Command {
        build(&["helm"]).expect("built, as the control plane is");
        self.command("helm", self.kubeconfig())
    }
}

const CRD: &str = "CustomResourceDefinition";
