//! A farm in a namespace of the admin cluster, and the pods of its Jobs.

use std::fs;
use std::path::PathBuf;
use std::process::{Child as Process, Stdio};

use serde_json::Value;

use crate::agent::child::{API_SERVER, Child};
use crate::agent::machine::{Machine, kubefarm};
use crate::support::cluster::Cluster;
use crate::support::farms::{Farm, Objects, generic};
use crate::support::{Finished, kubefarm_command, run};

/// A namespace with a farm in it.
pub struct Site {
    pub admin: &'static Cluster,
    pub namespace: String,
    arguments: String,
}

impl Site {
    /// Applies the farm `generic` with further arguments, separated by spaces, in a namespace of its own. `None` where
    /// there can be no cluster.
    pub fn new(name: &str, arguments: &str) -> Option<Site> {
        let admin = Cluster::with_crds()?;
        let site = Site {
            admin,
            namespace: admin.namespace(name),
            arguments: arguments.to_owned(),
        };
        site.apply();
        Some(site)
    }

    /// Applies the farm again.
    pub fn apply(&self) {
        let mut command = kubefarm_command();
        command
            .args(["apply", "-f", "examples/generic/values.yaml"])
            .args(["-n", &self.namespace])
            .args(self.arguments.split_whitespace())
            .env("KUBECONFIG", self.admin.kubeconfig());
        run(&mut command).success();
    }

    /// Other values from here on.
    pub fn set(&mut self, arguments: &str) {
        arguments.clone_into(&mut self.arguments);
    }

    /// What is rendered.
    pub fn objects(&self) -> Objects {
        let words = self.arguments.split_whitespace();
        let farm: Farm = words.fold(generic(), Farm::with);
        farm.with("-n").with(&self.namespace).objects()
    }

    /// Runs kubectl in the namespace of the admin cluster; the arguments are separated by spaces.
    pub fn kubectl(&self, arguments: &str) -> Finished {
        let mut words: Vec<&str> = arguments.split_whitespace().collect();
        words.extend(["-n", &self.namespace]);
        self.admin.kubectl(&words)
    }

    /// An object of the namespace, such as `service/x`.
    #[track_caller]
    pub fn get(&self, what: &str) -> Value {
        let text = self.kubectl(&format!("get -o json {what}")).success();
        serde_json::from_str(&text).expect("JSON")
    }

    /// Does what a load balancer does: gives a Service an address (`"ip":"10.0.0.1"`) or a name.
    pub fn balance(&self, service: &str, ingress: &str) {
        let patch = format!("{{\"status\":{{\"loadBalancer\":{{\"ingress\":[{{{ingress}}}]}}}}}}");
        let what = format!("patch service {service} --subresource=status --type=merge -p {patch}");
        self.kubectl(&what).success();
    }

    /// The pod of a Job, `JOB-<hash>`.
    pub fn pod(&self, job: &str) -> Option<Pod> {
        Pod::new(self, |objects| job_of(objects, job), None)
    }

    /// The pod of a Job that knows the child cluster.
    pub fn pod_for(&self, job: &str, child: &Child) -> Option<Pod> {
        Pod::new(self, |objects| job_of(objects, job), Some(child))
    }

    /// A pod of a Deployment that knows the child cluster.
    pub fn pod_of(&self, deployment: &str, child: &Child) -> Option<Pod> {
        Pod::new(
            self,
            |objects| objects.get("Deployment", deployment),
            Some(child),
        )
    }
}

/// A pod of a rendered Job or Deployment: its command and environment, and the files that its volumes hold.
pub struct Pod {
    pub machine: Machine,
    words: Vec<String>,
    environment: Vec<(String, String)>,
}

impl Pod {
    fn new(site: &Site, find: impl Fn(&Objects) -> &Value, child: Option<&Child>) -> Option<Pod> {
        let objects = site.objects();
        let spec = &find(&objects)["spec"]["template"]["spec"];
        let container = &spec["containers"][0];
        let mut pod = Pod {
            machine: Machine::new()?,
            words: Vec::new(),
            environment: environment(container, site),
        };
        let words = [texts(&container["command"]), texts(&container["args"])].concat();
        pod.words = words.iter().map(|word| pod.expand(word)).collect();
        for mount in list(&container["volumeMounts"]) {
            let volumes = list(&spec["volumes"]).iter();
            let volume = volumes
                .clone()
                .find(|volume| volume["name"] == mount["name"]);
            let volume = volume.expect("a volume for every mount");
            let path = mount["mountPath"].as_str().expect("a path");
            pod.mount(path, &files(volume, &objects, child));
        }
        let mut hosts = "127.0.0.1 localhost\n".to_owned();
        if let Some(child) = child {
            hosts += &format!("{} {API_SERVER}\n", child.cluster.address());
        }
        pod.machine.write("/etc/hosts", hosts);
        if spec["automountServiceAccountToken"] == true {
            pod.mount_account(site, spec["serviceAccountName"].as_str().expect("a name"));
        }
        Some(pod)
    }

    /// Puts files where a volume is mounted, as the kubelet does: behind a link that can be turned.
    fn mount(&self, path: &str, files: &[(String, String)]) {
        self.machine.make_folder(&format!("{path}/..1"));
        for (name, text) in files {
            self.machine.write(&format!("{path}/..1/{name}"), text);
            let link = self.machine.path(&format!("{path}/{name}"));
            std::os::unix::fs::symlink(format!("..data/{name}"), link).expect("a link");
        }
        let data = self.machine.path(&format!("{path}/..data"));
        std::os::unix::fs::symlink("..1", data).expect("a link");
    }

    /// What a pod knows of its API server and its own account.
    fn mount_account(&mut self, site: &Site, account: &str) {
        let token = site.kubectl(&format!("create token {account}")).success();
        let folder = "/var/run/secrets/kubernetes.io/serviceaccount";
        let authority = fs::read(site.admin.folder().join("ca.crt")).expect("a file");
        self.machine.write(&format!("{folder}/token"), token);
        self.machine.write(&format!("{folder}/ca.crt"), authority);
        self.machine
            .write(&format!("{folder}/namespace"), &site.namespace);
        let address = site.admin.address().to_string();
        let mut set = |name: &str, value: &str| {
            self.environment.push((name.to_owned(), value.to_owned()));
        };
        set("KUBERNETES_SERVICE_HOST", &address);
        set("KUBERNETES_SERVICE_PORT", "6443");
    }

    /// `$(NAME)` as the kubelet puts it in.
    fn expand(&self, word: &str) -> String {
        let variables = self.environment.iter();
        variables.fold(word.to_owned(), |word, (name, value)| {
            word.replace(&format!("$({name})"), value)
        })
    }

    /// The same pod with one more argument.
    pub fn with(mut self, argument: &str) -> Pod {
        self.words.push(argument.to_owned());
        self
    }

    /// The same pod with other ports, for machines that join and for who asks how far they are: pods of tests share a
    /// network.
    pub fn at_ports(mut self, join: u16, metrics: u16) -> Pod {
        let is_port =
            |word: &str| word.starts_with("--join-port=") || word.starts_with("--metrics-port=");
        self.words.retain(|word| !is_port(word));
        self.with(&format!("--join-port={join}"))
            .with(&format!("--metrics-port={metrics}"))
    }

    /// Runs to its end.
    pub fn run(&self) -> Finished {
        run(&mut self.command())
    }

    /// Starts; its stderr can be read.
    pub fn start(&self) -> Process {
        let mut command = self.command();
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        command.spawn().expect("started")
    }

    fn command(&self) -> std::process::Command {
        let programs: [PathBuf; 1] = [kubefarm()];
        let mut command = self.machine.command(&programs, &self.words);
        command.envs(self.environment.iter().cloned());
        command
    }
}

/// The rendered Job whose name is `job` and a hash.
#[track_caller]
fn job_of<'a>(objects: &'a Objects, job: &str) -> &'a Value {
    let is_it = |object: &&Value| {
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        let hash = name
            .strip_prefix(job)
            .and_then(|rest| rest.strip_prefix('-'));
        hash.is_some_and(|hash| !hash.contains('-'))
    };
    let found = objects.of_kind("Job").find(is_it);
    found.unwrap_or_else(|| panic!("no Job {job}"))
}

fn environment(container: &Value, site: &Site) -> Vec<(String, String)> {
    let variable = |variable: &Value| {
        let name = variable["name"].as_str().expect("a name").to_owned();
        let from = &variable["valueFrom"]["fieldRef"]["fieldPath"];
        let value = match from.as_str() {
            Some("metadata.namespace") => site.namespace.clone(),
            Some(other) => panic!("who knows {other}?"),
            None => variable["value"].as_str().expect("a value").to_owned(),
        };
        (name, value)
    };
    list(&container["env"]).iter().map(variable).collect()
}

/// What a volume holds: of the rendered objects; a Secret without data is issued by the child.
#[track_caller]
fn files(volume: &Value, objects: &Objects, child: Option<&Child>) -> Vec<(String, String)> {
    if let Some(name) = volume["configMap"]["name"].as_str() {
        return Objects::files(objects.get("ConfigMap", name));
    }
    let Some(name) = volume["secret"]["secretName"].as_str() else {
        assert!(volume["emptyDir"].is_object(), "{volume}");
        return Vec::new();
    };
    let rendered = objects
        .of_kind("Secret")
        .find(|secret| secret["metadata"]["name"] == name);
    match rendered
        .map(Objects::files)
        .filter(|files| !files.is_empty())
    {
        Some(files) => files,
        None => {
            let child = child.expect("a child cluster");
            match name.rsplit_once("-pki-") {
                Some((_, "admin-client")) => child.admin_files(),
                Some((_, "agent-client")) => child.agent_files(),
                Some((_, "agent-server")) => child.join_files(),
                _ => panic!("{name} is empty"),
            }
        }
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn texts(value: &Value) -> Vec<String> {
    let texts = list(value).iter().filter_map(Value::as_str);
    texts.map(str::to_owned).collect()
}
