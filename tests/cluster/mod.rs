//! The test cluster itself: that it is Kubernetes, that it lets in who it should, and that it leaves nothing behind.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::cluster::{API_SERVER, Cluster, Options, TOKEN};
use serde_json::{Value, json};

const VERSION: &str = "v1.37.2";

#[track_caller]
fn parsed(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

fn deployment() -> Value {
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": { "name": "web" },
        "spec": {
            "replicas": 2,
            "selector": { "matchLabels": { "app": "web" } },
            "template": {
                "metadata": { "labels": { "app": "web" } },
                "spec": { "containers": [{ "name": "web", "image": "example.org/web:1" }] },
            },
        },
    })
}

#[test]
fn client_and_server_are_the_pinned_version() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let versions = parsed(&cluster.kubectl(&["version", "--output=json"]).success());
    assert_eq!(versions["clientVersion"]["gitVersion"], VERSION);
    assert_eq!(versions["serverVersion"]["gitVersion"], VERSION);
    assert_eq!(versions["serverVersion"]["minor"], "37");
}

#[test]
fn controllers_work_and_a_namespace_goes_away_wholly() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let namespace = cluster.namespace("controllers");
    let of = format!("--namespace={namespace}");
    let apply = ["apply", "--filename=-", &of];
    cluster
        .kubectl_with_stdin(&apply, &deployment().to_string())
        .success();
    cluster.wait_until("the Deployment has its pods", || {
        let list = ["get", "replicasets,pods", &of, "--output=name"];
        let names = cluster.kubectl(&list).success();
        names.matches("replicaset.apps/web-").count() == 1 && names.matches("pod/web-").count() == 2
    });
    cluster
        .kubectl(&["delete", "namespace", &namespace, "--timeout=60s"])
        .success();
    let gone = cluster.kubectl(&["get", "namespace", &namespace]);
    assert!(gone.stderr.contains("NotFound"), "{}", gone.stderr);
}

#[test]
fn a_user_may_do_what_its_groups_may() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let list = ["get", "secrets", "--all-namespaces"];
    let visitor = cluster.user_kubeconfig("visitor", &["people"]);
    let refused = cluster.kubectl_as(&visitor, &list);
    assert!(refused.stderr.contains("Forbidden"), "{}", refused.stderr);
    let who = ["auth", "whoami", "--output=json"];
    let me = parsed(&cluster.kubectl_as(&visitor, &who).success());
    assert_eq!(me["status"]["userInfo"]["username"], "visitor");
    assert_eq!(me["status"]["userInfo"]["groups"][0], "people");
    let master = cluster.user_kubeconfig("master", &["people", "system:masters"]);
    cluster.kubectl_as(&master, &list).success();
    let token = cluster.token_kubeconfig(TOKEN);
    cluster.kubectl_as(&token, &list).success();
}

#[test]
fn who_is_unknown_does_not_come_in() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    for kubeconfig in [
        cluster.expired_kubeconfig(),
        cluster.token_kubeconfig("wrong"),
    ] {
        let refused = cluster.kubectl_as(&kubeconfig, &["get", "namespaces"]);
        let error = &refused.stderr;
        assert!(!refused.status.success(), "{}", kubeconfig.display());
        assert!(error.contains("must be logged in"), "{error}");
    }
}

#[test]
fn the_audit_log_has_each_request_once() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let namespace = cluster.namespace("audit");
    let of = format!("--namespace={namespace}");
    cluster
        .kubectl(&["create", "configmap", "written", &of])
        .success();
    let requests = cluster.audit();
    let mut found = requests
        .iter()
        .filter(|request| request.name == "written" && request.namespace == namespace);
    let create = found.next().expect("the request");
    assert_eq!(create.verb, "create");
    assert_eq!(create.resource, "configmaps");
    assert_eq!(create.code, 201);
    assert_eq!(create.user, "admin");
    let agent = format!("kubectl/{VERSION} ");
    assert!(create.user_agent.starts_with(&agent), "{create:?}");
    assert!(found.next().is_none(), "{requests:?}");
}

#[test]
fn cert_manager_issues_a_certificate() {
    let Some(cluster) = Cluster::with_cert_manager() else {
        return;
    };
    let namespace = cluster.namespace("issued");
    let of = format!("--namespace={namespace}");
    let objects = json!({ "apiVersion": "v1", "kind": "List", "items": [
        {
            "apiVersion": "cert-manager.io/v1", "kind": "Issuer",
            "metadata": { "name": "self" }, "spec": { "selfSigned": {} },
        },
        {
            "apiVersion": "cert-manager.io/v1", "kind": "Certificate",
            "metadata": { "name": "ca" },
            "spec": {
                "secretName": "ca", "commonName": "ca", "isCA": true, "issuerRef": { "name": "self" },
            },
        },
        {
            "apiVersion": "cert-manager.io/v1", "kind": "Issuer",
            "metadata": { "name": "ca" }, "spec": { "ca": { "secretName": "ca" } },
        },
        {
            "apiVersion": "cert-manager.io/v1", "kind": "Certificate",
            "metadata": { "name": "leaf" },
            "spec": {
                "secretName": "leaf", "dnsNames": ["leaf.example.org"], "issuerRef": { "name": "ca" },
            },
        },
    ]});
    let apply = ["apply", "--filename=-", &of];
    cluster
        .kubectl_with_stdin(&apply, &objects.to_string())
        .success();
    let wait = ["wait", "--for=condition=Ready", "certificate/leaf", &of];
    cluster
        .kubectl(&[&wait[..], &["--timeout=60s"]].concat())
        .success();
    let get = ["get", "secret", "leaf", &of, "--output=json"];
    let secret = parsed(&cluster.kubectl(&get).success());
    assert_eq!(secret["type"], "kubernetes.io/tls");
}

#[test]
fn helm_reaches_the_cluster() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    assert!(
        cluster
            .helm(&["version", "--short"])
            .success()
            .starts_with("v4.")
    );
    let namespace = format!("--namespace={}", cluster.namespace("helm"));
    let list = ["list", &namespace, "--output=json"];
    assert_eq!(parsed(&cluster.helm(&list).success()), json!([]));
}

#[test]
fn programs_stop_and_start_and_the_data_stays() {
    let Some(cluster) = Cluster::start(Options::default()) else {
        return;
    };
    let get = ["get", "configmap", "kept", "--request-timeout=2s"];
    let keeps = || cluster.kubectl(&get).success();
    cluster.kubectl(&["create", "configmap", "kept"]).success();
    cluster.stop_apiserver();
    let refused = cluster.kubectl(&get).stderr;
    assert!(refused.contains("refused"), "{refused}");
    cluster.start_apiserver();
    keeps();
    cluster.pause(API_SERVER);
    let hangs = cluster.kubectl(&get);
    assert!(!hangs.status.success());
    // It depends on how far the connection came, which limit kubectl names.
    let error = hangs.stderr.to_lowercase();
    let limits = ["timeout", "deadline exceeded"];
    assert!(limits.iter().any(|limit| error.contains(limit)), "{error}");
    cluster.resume(API_SERVER);
    keeps();
    cluster.stop_etcd();
    assert!(!cluster.kubectl(&get).status.success());
    cluster.start_etcd();
    cluster.wait_until("etcd is there again", || {
        cluster.kubectl(&get).status.success()
    });
}

#[test]
fn nothing_is_left_of_a_dropped_cluster() {
    let Some(cluster) = Cluster::start(Options::default()) else {
        return;
    };
    let folder = cluster.folder().to_owned();
    assert_eq!(processes(&folder).len(), 4, "the guard and what it runs");
    // It can end a paused program, too.
    cluster.pause(API_SERVER);
    drop(cluster);
    assert_eq!(processes(&folder), Vec::<u32>::new());
    assert!(!folder.exists());
}

/// Where it is set, [`the_one_that_is_killed`] does what its name says.
const TO_BE_KILLED: &str = "CLUSTER_TEST_TO_BE_KILLED";

#[test]
fn nothing_is_left_of_a_killed_test() {
    if Cluster::shared().is_none() {
        return;
    }
    let mut other = Command::new(std::env::current_exe().expect("this program"))
        .args([
            "--exact",
            "cluster::the_one_that_is_killed",
            "--ignored",
            "--nocapture",
        ])
        .env(TO_BE_KILLED, "1")
        .stdout(Stdio::piped())
        .spawn()
        .expect("started");
    let lines = BufReader::new(other.stdout.take().expect("a pipe")).lines();
    let folder = lines
        .map(|line| line.expect("a line"))
        .find_map(|line| Some(PathBuf::from(line.split_once("folder=")?.1)))
        .expect("a cluster");
    assert_eq!(processes(&folder).len(), 4, "the guard and what it runs");
    other.kill().expect("killed");
    other.wait().expect("gone");
    let deadline = Instant::now() + Duration::from_secs(20);
    while folder.exists() || !processes(&folder).is_empty() {
        let left = processes(&folder);
        assert!(Instant::now() < deadline, "{} {left:?}", folder.display());
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
#[ignore = "nothing_is_left_of_a_killed_test runs and kills it"]
fn the_one_that_is_killed() {
    if std::env::var_os(TO_BE_KILLED).is_none() {
        return;
    }
    let cluster = Cluster::start(Options::default()).expect("a cluster, as the other test has");
    println!("folder={}", cluster.folder().display());
    std::thread::sleep(Duration::from_secs(600));
}

/// The processes whose command line names the folder.
fn processes(folder: &Path) -> Vec<u32> {
    let folder = folder.to_str().expect("UTF-8");
    let all = std::fs::read_dir("/proc").expect("/proc");
    all.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|process: &u32| {
            let line = std::fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&line).contains(folder)
        })
        .collect()
}
