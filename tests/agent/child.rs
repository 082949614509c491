//! The child cluster: the flags that let nodes join it are those of the rendered control plane.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use serde_json::Value;

use crate::support::Finished;
use crate::support::cluster::pool::{Alone, Pool};
use crate::support::cluster::{Cluster, Options};
use crate::support::farms::{Objects, generic};

/// The Service of the child's API server, by which its certificate is known.
pub const API_SERVER: &str = "kubefarm-kubernetes-apiserver";

/// The agent: its Deployment, and the Service by which machines know it.
pub const AGENT: &str = "kubefarm-kubernetes-agent";

/// A child cluster that one test has for itself.
pub struct Child {
    pub cluster: &'static Cluster,
    _alone: Option<Alone>,
}

impl Child {
    /// One as the rendered control plane is. `None` where there can be no cluster.
    pub fn alone() -> Option<Child> {
        static CHILDREN: Pool = Pool::new(|| Cluster::start(options()));
        let alone = CHILDREN.alone()?;
        Some(Child {
            cluster: alone.cluster,
            _alone: Some(alone),
        })
    }

    /// A new one, whose API servers announce an address themselves.
    pub fn that_announces(address: &str) -> Option<Child> {
        let mut options = options();
        options.api_server_flags.extend([
            "--endpoint-reconciler-type=lease".to_owned(),
            format!("--advertise-address={address}"),
        ]);
        let cluster = Box::leak(Box::new(Cluster::start(options)?));
        Some(Child {
            cluster,
            _alone: None,
        })
    }

    /// What cert-manager, or kubefarm, puts into the Secret of the admin's certificate.
    pub fn admin_files(&self) -> Vec<(String, String)> {
        self.certificate("admin-1")
    }

    /// The same for the agent's.
    pub fn agent_files(&self) -> Vec<(String, String)> {
        self.cluster.user_kubeconfig("kubefarm:agent", &[]);
        self.certificate("kubefarm-agent-1")
    }

    /// The same for its join service.
    pub fn join_files(&self) -> Vec<(String, String)> {
        self.cluster.server_certificate(AGENT);
        self.certificate(AGENT)
    }

    fn certificate(&self, file: &str) -> Vec<(String, String)> {
        let (certificate, key) = (format!("{file}.crt"), format!("{file}.key"));
        let files = [
            ("ca.crt", "ca.crt"),
            ("tls.crt", &certificate),
            ("tls.key", &key),
        ];
        let read = |file| fs::read_to_string(self.cluster.folder().join(file)).expect("a file");
        files
            .map(|(name, file)| (name.to_owned(), read(file)))
            .into()
    }

    /// Runs kubectl; the arguments are separated by spaces.
    pub fn kubectl(&self, arguments: &str) -> Finished {
        let words: Vec<&str> = arguments.split_whitespace().collect();
        self.cluster.kubectl(&words)
    }

    /// An object, such as `-n kube-system configmap/kubeadm-config`.
    #[track_caller]
    pub fn get(&self, what: &str) -> Value {
        let text = self.kubectl(&format!("get -o json {what}")).success();
        serde_json::from_str(&text).expect("JSON")
    }

    /// Whether there is such an object.
    #[track_caller]
    pub fn has(&self, what: &str) -> bool {
        let found = self.kubectl(&format!("get -o name --ignore-not-found {what}"));
        !found.success().is_empty()
    }

    /// Removes everything that bootstraps and tests left in it.
    pub fn clear(&self) {
        let kinds = "deployments,daemonsets,services,endpoints,endpointslices,configmaps,secrets,serviceaccounts,roles,rolebindings,\
                     clusterroles,clusterrolebindings,customresourcedefinitions,leases";
        let part_of = "applyset.kubernetes.io/part-of,applyset.kubernetes.io/part-of!=none";
        for selector in [part_of, "applyset.kubernetes.io/id"] {
            self.kubectl(&format!("delete {kinds} -A -l {selector}"))
                .success();
        }
        let policies = "validatingadmissionpolicybindings,validatingadmissionpolicies";
        self.kubectl(&format!("delete {policies} --all")).success();
        self.kubectl("delete leases -n kube-system --all").success();
        self.kubectl(
            "delete secrets -n kube-system --field-selector type=bootstrap.kubernetes.io/token",
        )
        .success();
    }
}

/// The child as the rendered control plane is, in what concerns nodes that join.
fn options() -> Options {
    static OBJECTS: LazyLock<Objects> = LazyLock::new(|| generic().objects());
    static AUTHENTICATION: LazyLock<PathBuf> = LazyLock::new(|| {
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("authentication.yaml");
        let text = OBJECTS.file(
            &format!("{API_SERVER}-config"),
            "authentication-configuration.yaml",
        );
        fs::write(&file, text).expect("written");
        file
    });
    let objects = &*OBJECTS;
    let mut api_server_flags = flags(
        objects,
        API_SERVER,
        &["enable-bootstrap-token-auth", "enable-admission-plugins"],
    );
    flags(objects, API_SERVER, &["authentication-config"]);
    api_server_flags.push(format!(
        "--authentication-config={}",
        AUTHENTICATION.display()
    ));
    let manager = "kubefarm-kubernetes-controller-manager";
    Options {
        api_server_flags,
        controller_manager_flags: flags(objects, manager, &["controllers"]),
        names: vec![API_SERVER.to_owned()],
        ..Options::default()
    }
}

/// The flags of a Deployment's first container that have these names; each has to be there.
#[track_caller]
fn flags(objects: &Objects, deployment: &str, names: &[&str]) -> Vec<String> {
    let deployment = objects.get("Deployment", deployment);
    let arguments = &deployment["spec"]["template"]["spec"]["containers"][0]["args"];
    let arguments: Vec<&str> = arguments
        .as_array()
        .expect("arguments")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    let find = |name: &&str| {
        let start = format!("--{name}=");
        let found = arguments.iter().find(|flag| flag.starts_with(&start));
        found.unwrap_or_else(|| panic!("no {start}")).to_string()
    };
    names.iter().map(find).collect()
}
