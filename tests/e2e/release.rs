//! A farm in the admin cluster, and the child cluster that it is.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::e2e::admin_cluster::AdminCluster;
use crate::support::farms::Objects;
use crate::support::{Finished, run, run_with_stdin};

/// A release of the example `generic`.
pub struct Release<'a> {
    pub cluster: &'a AdminCluster,
    pub name: String,
    pub namespace: String,
    /// Flags of `kubefarm`, as the next apply gives them.
    pub values: Vec<String>,
}

/// The flags that the first release starts with.
pub fn values() -> Vec<String> {
    let mut files = vec![
        "examples/generic/values.yaml".to_owned(),
        "builtin:builtin-pki".to_owned(),
    ];
    files.push("tests/e2e/values.yaml".to_owned());
    let further = std::env::var("KUBEFARM_E2E_VALUES").unwrap_or_default();
    files.extend(
        further
            .split(':')
            .filter(|file| !file.is_empty())
            .map(str::to_owned),
    );
    files
        .into_iter()
        .flat_map(|file| ["-f".to_owned(), file])
        .collect()
}

impl<'a> Release<'a> {
    /// The one whose name and namespace the environment may choose.
    pub fn first(cluster: &'a AdminCluster, values: Vec<String>) -> Release<'a> {
        let choice = |name, default: &str| std::env::var(name).unwrap_or(default.to_owned());
        Release {
            cluster,
            name: choice("KUBEFARM_E2E_NAME", "kubefarm"),
            namespace: choice("KUBEFARM_E2E_NAMESPACE", "farm"),
            values,
        }
    }

    /// The name of an object of the farm, such as `apiserver`.
    pub fn object(&self, part: &str) -> String {
        format!("{}-kubernetes-{part}", self.name)
    }

    /// Adds flags for this apply and those to come.
    pub fn add_values(&mut self, flags: &[&str]) {
        self.values
            .extend(flags.iter().map(|flag| (*flag).to_owned()));
    }

    /// `kubefarm apply --wait` with three minutes to be ready, the time that a farm may take.
    #[track_caller]
    pub fn apply(&self) -> Duration {
        let began = Instant::now();
        let mut command = self.cluster.kubefarm();
        command.args(["apply", "--wait", "--timeout", "180s"]);
        run(command.args(self.flags())).success();
        began.elapsed()
    }

    /// `kubefarm delete`; back when its pods are gone.
    #[track_caller]
    pub fn delete(&self) {
        let mut command = self.cluster.kubefarm();
        command.args(["delete", &self.name, "--namespace", &self.namespace]);
        run(&mut command).success();
        let all_gone = || self.pods().is_empty();
        self.cluster.wait_until("its pods are gone", all_gone);
    }

    /// Runs a CronJob now, and waits until its Job is complete.
    #[track_caller]
    pub fn run_now(&self, part: &str) {
        let cron_job = format!("cronjob/{}", self.object(part));
        let create = ["create", "job", "now", "--from", &cron_job];
        self.kubectl(&create).success();
        let complete = "--for=condition=Complete";
        let wait = ["wait", complete, "job/now", "--timeout=60s"];
        self.kubectl(&wait).success();
        self.kubectl(&["delete", "job", "now"]).success();
    }

    /// The objects that are rendered, with further flags.
    pub fn rendered(&self, further: &[&str]) -> Objects {
        let mut command = self.cluster.kubefarm();
        command
            .args(["render", "-o", "json"])
            .args(self.flags())
            .args(further);
        let list: Value = serde_json::from_str(&run(&mut command).success()).expect("JSON");
        Objects(list["items"].as_array().expect("a List").clone())
    }

    /// The flags that say which release it is and what its values are.
    pub fn flags(&self) -> Vec<String> {
        let mut flags = vec!["--name".to_owned(), self.name.clone()];
        flags.extend(["--namespace".to_owned(), self.namespace.clone()]);
        let boot = format!("ltsp.namespace={}", self.boot_namespace());
        flags.extend(["--set".to_owned(), boot]);
        flags.extend(self.values.iter().cloned());
        flags
    }

    /// The namespace of the boot server and DHCP.
    pub fn boot_namespace(&self) -> String {
        format!("{}-boot", self.namespace)
    }

    /// Makes its namespaces, each with the strictest Pod Security Standard that its pods pass.
    pub fn make_namespaces(&self) {
        self.make_namespace(&self.namespace, "restricted");
        self.make_namespace(&self.boot_namespace(), "baseline");
    }

    /// Makes a namespace that takes only pods of this Pod Security Standard, or changes which one that is.
    pub fn make_namespace(&self, name: &str, standard: &str) {
        let namespace = json!({
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {
                "name": name,
                "labels": { "pod-security.kubernetes.io/enforce": standard },
            },
        });
        let apply = ["apply", "--server-side", "-f", "-"];
        self.cluster
            .kubectl_with_stdin(&apply, &namespace.to_string())
            .success();
    }

    /// Runs kubectl in its namespace of the admin cluster.
    pub fn kubectl(&self, arguments: &[&str]) -> Finished {
        self.cluster
            .kubectl(&[&["--namespace", &self.namespace], arguments].concat())
    }

    /// An object of the namespace of the boot server, or a List of all of a kind.
    #[track_caller]
    pub fn get_boot(&self, what: &[&str]) -> Value {
        let namespace = self.boot_namespace();
        let get = ["get", "-o", "json", "--namespace", &namespace];
        let text = self.cluster.kubectl(&[&get, what].concat()).success();
        serde_json::from_str(&text).expect("JSON")
    }

    /// An object of the admin cluster, or a List of all of a kind.
    #[track_caller]
    pub fn get(&self, what: &[&str]) -> Value {
        let text = self
            .kubectl(&[&["get", "-o", "json"], what].concat())
            .success();
        serde_json::from_str(&text).expect("JSON")
    }

    /// Its pods, but for those of Jobs that are done and those that are being deleted.
    pub fn pods(&self) -> Vec<Value> {
        let list = self.get(&["pods"]);
        let pods = list["items"].as_array().expect("a List").iter();
        pods.filter(|pod| pod["status"]["phase"] != "Succeeded")
            .filter(|pod| pod["metadata"]["deletionTimestamp"].is_null())
            .cloned()
            .collect()
    }

    /// Whether all of its pods are ready.
    pub fn is_ready(&self) -> bool {
        self.pods().iter().all(is_ready)
    }

    /// A file of a Secret.
    #[track_caller]
    pub fn secret(&self, name: &str, file: &str) -> String {
        file_of(&self.get(&["secret", name]), file)
    }

    /// Runs kubectl in the admin pod, where it reaches the child cluster.
    pub fn child(&self, arguments: &[&str]) -> Finished {
        let pod = format!("deploy/{}", self.object("admin"));
        self.kubectl(&[&["exec", &pod, "--", "kubectl"], arguments].concat())
    }

    /// The same with objects on standard input.
    #[track_caller]
    pub fn apply_in_child(&self, objects: &[Value]) {
        let list = json!({ "apiVersion": "v1", "kind": "List", "items": objects });
        let kubeconfig = self.child_kubeconfig();
        let mut command = self.cluster.inside("kubectl", &kubeconfig);
        command.args(["apply", "--server-side", "--force-conflicts", "-f", "-"]);
        run_with_stdin(&mut command, list.to_string()).success();
    }

    /// An object of the child cluster.
    #[track_caller]
    pub fn child_get(&self, what: &[&str]) -> Value {
        let text = self
            .child(&[&["get", "-o", "json"], what].concat())
            .success();
        serde_json::from_str(&text).expect("JSON")
    }

    /// Where nodes reach the child's API server.
    pub fn address(&self) -> String {
        load_balancer(&self.get(&["service", &self.object("apiserver")]))
    }

    /// Where nodes reach the boot server on a port, `http` or `tftp`.
    pub fn boot_address(&self, port: &str) -> String {
        let service = format!("{}-{port}", self.object("ltsp"));
        load_balancer(&self.get_boot(&["service", &service]))
    }

    /// A kubeconfig of the child's admin, for use outside of pods.
    pub fn child_kubeconfig(&self) -> PathBuf {
        self.kubeconfig_for(&self.address())
    }

    /// The same, but for an API server at another address, which need not be the child's.
    pub fn kubeconfig_for(&self, address: &str) -> PathBuf {
        let folder = self
            .cluster
            .scratch()
            .join(format!("{}-{address}", self.name));
        std::fs::create_dir_all(&folder).expect("a folder");
        let secret = self.object("pki-admin-client");
        for file in ["ca.crt", "tls.crt", "tls.key"] {
            std::fs::write(folder.join(file), self.secret(&secret, file)).expect("written");
        }
        let config = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{ "name": "child", "cluster": {
                "server": format!("https://{address}:6443"),
                "certificate-authority": "ca.crt",
            }}],
            "users": [{ "name": "admin", "user": { "client-certificate": "tls.crt", "client-key": "tls.key" } }],
            "contexts": [{ "name": "child", "context": { "cluster": "child", "user": "admin" } }],
            "current-context": "child",
        });
        let path = folder.join("kubeconfig");
        std::fs::write(&path, config.to_string()).expect("written");
        path
    }

    /// What helps to understand a failure.
    pub fn print_state(&self) {
        let agent = format!("deployment/{}", self.object("agent"));
        let everything: [&[&str]; 3] = [
            &["get", "pods", "--all-namespaces", "-o", "wide"],
            &[
                "get",
                "events",
                "--all-namespaces",
                "--field-selector",
                "type!=Normal",
            ],
            &["logs", &agent, "--tail=100"],
        ];
        for arguments in everything {
            let finished = self.kubectl(arguments);
            eprintln!(
                "--- kubectl {}\n{}{}",
                arguments.join(" "),
                finished.stdout,
                finished.stderr
            );
        }
        let child = self.child(&["get", "nodes,pods", "--all-namespaces", "-o", "wide"]);
        eprintln!("--- in the child\n{}{}", child.stdout, child.stderr);
    }
}

/// The address that a Service has been given.
#[track_caller]
fn load_balancer(service: &Value) -> String {
    let address = service["status"]["loadBalancer"]["ingress"][0]["ip"].as_str();
    address.expect("a load balancer's address").to_owned()
}

/// A file of a Secret.
#[track_caller]
pub fn file_of(secret: &Value, file: &str) -> String {
    let files = Objects::files(secret);
    let found = files.into_iter().find(|(name, _)| name == file);
    found
        .unwrap_or_else(|| panic!("no {file} in {}", name(secret)))
        .1
}

/// Whether a pod is ready.
pub fn is_ready(pod: &Value) -> bool {
    let conditions = pod["status"]["conditions"].as_array();
    let mut conditions = conditions.into_iter().flatten();
    conditions.any(|condition| condition["type"] == "Ready" && condition["status"] == "True")
}

/// Waits until the nodes r1n01 and r1n06 of the example `generic` have the taints of their tags, and compares their labels.
/// `node` looks at one of that name, while it is waited for.
#[track_caller]
pub fn have_those_of_their_tags(release: &Release, node: impl Fn(&str) -> Value) {
    // The taint of a node that is not ready yet goes a little later than that state.
    let taint =
        json!([{ "effect": "NoSchedule", "key": "example.org/dedicated", "value": "storage" }]);
    for (name, taints) in [("r1n01", Value::Null), ("r1n06", taint)] {
        release
            .cluster
            .wait_until(&format!("{name} has the taints {taints}"), || {
                node(name)["spec"]["taints"] == taints
            });
    }
    let plain = release.child_get(&["node", "r1n01"]);
    assert_eq!(plain["metadata"]["labels"]["example.org/rack"], Value::Null);
    let storage = release.child_get(&["node", "r1n06"]);
    let labels = &storage["metadata"]["labels"];
    assert_eq!(labels["example.org/disks"], "nvme");
    assert_eq!(labels["example.org/rack"], "r1");
}

/// Every pod is ready, and none of its containers was started again.
#[track_caller]
pub fn assert_steady(pods: &[Value]) {
    for pod in pods {
        assert!(is_ready(pod), "{} is not ready", name(pod));
        assert_eq!(restarts(pod), 0, "{} was restarted", name(pod));
    }
}

/// How often the containers of a pod were started again.
pub fn restarts(pod: &Value) -> u64 {
    let statuses = pod["status"]["containerStatuses"].as_array();
    let counts = statuses
        .into_iter()
        .flatten()
        .map(|status| status["restartCount"].as_u64());
    counts.map(Option::unwrap_or_default).sum()
}

/// The name of an object.
pub fn name(object: &Value) -> &str {
    object["metadata"]["name"].as_str().unwrap_or_default()
}
