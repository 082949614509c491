//! `kubefarm agent join-token`, as its Job runs it, with the rights that its Role gives.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::agent::assert_failed;
use crate::agent::bootstrap::{self, another_authority, bootstrapped};
use crate::agent::child::{API_SERVER, Child};
use crate::agent::site::{Pod, Site};
use crate::support::cluster::CONTROLLER_MANAGER;
use crate::support::{Finished, program, run};

/// What makes the farm use tokens.
pub const MODE: &str = "--set join.mode=token";
pub const JOB: &str = "kubefarm-kubernetes-ltsp-join-token";
const SECRET: &str = "kubefarm-kubernetes-ltsp-join-config";
const FILE: &str = "kubeadm-join.conf";
/// Where nodes reach a child: the machine that joins gets it into its /etc/hosts.
const BALANCED: &str = "\"ip\":\"10.64.0.10\"";

/// The file that booting nodes get.
#[track_caller]
pub fn file(site: &Site) -> String {
    let secret = site.get(&format!("secret/{SECRET}"));
    let text = secret["data"][FILE].as_str().expect("a file");
    String::from_utf8(STANDARD.decode(text).expect("base64")).expect("UTF-8")
}

/// What a shell that sources the file has in a variable.
#[track_caller]
pub fn sourced(file: &str, variable: &str) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join(FILE), file).expect("written");
    let shell = program("dash", "dash").expect("a shell");
    let script = format!("set -eu; . ./{FILE}; printf %s \"${{{variable}-}}\"");
    let mut command = std::process::Command::new(shell);
    run(command.arg("-c").arg(script).current_dir(folder.path())).success()
}

/// The tokens that the child knows: their Secrets.
fn tokens(child: &Child) -> Vec<Value> {
    let what = "-n kube-system secrets --field-selector type=bootstrap.kubernetes.io/token";
    child.get(what)["items"].as_array().expect("a list").clone()
}

fn field(secret: &Value, name: &str) -> String {
    let text = secret["data"][name].as_str().unwrap_or_default();
    String::from_utf8(STANDARD.decode(text).expect("base64")).expect("UTF-8")
}

/// The Job's pod, where the cluster is there for it.
#[track_caller]
fn job(site: &Site, child: &Child) -> Pod {
    site.pod_for(JOB, child).expect("as before")
}

#[test]
fn nodes_get_a_token_a_pin_and_the_address() {
    let Some((child, site)) = bootstrapped("token", MODE) else {
        return;
    };
    site.balance(API_SERVER, BALANCED);
    let pod = job(&site, &child);
    let first = pod.run();
    assert!(first.status.success(), "{}", first.stderr);
    let text = file(&site);
    assert_eq!(
        sourced(&text, "HOSTS_KUBERNETES"),
        format!("10.64.0.10 {API_SERVER}")
    );
    let join = sourced(&text, "JOIN_COMMAND");
    let words: Vec<&str> = join.split(' ').collect();
    let [
        kubeadm,
        verb,
        endpoint,
        "--token",
        token,
        "--discovery-token-ca-cert-hash",
        pin,
    ] = words[..]
    else {
        panic!("{join}");
    };
    assert_eq!(
        [kubeadm, verb, endpoint],
        ["kubeadm", "join", &format!("{API_SERVER}:6443")]
    );
    assert!(!first.stderr.contains(token) && !first.stdout.contains(token));
    assert_eq!(pin, openssl_pin(&child));

    let known = tokens(&child);
    let [secret] = &known[..] else {
        panic!("{known:?}")
    };
    assert_eq!(
        token,
        format!(
            "{}.{}",
            field(secret, "token-id"),
            field(secret, "token-secret")
        )
    );
    // The values say 24 hours.
    let ends: jiff::Timestamp = field(secret, "expiration").parse().expect("a time");
    let left = ends.as_second() - jiff::Timestamp::now().as_second();
    assert!((86_000..=86_400).contains(&left), "{left}");

    pod.run().success();
    assert_ne!(file(&site), text);
    assert_eq!(tokens(&child).len(), 2, "the first one is still good");
    // An apply of the farm takes nothing away.
    let now = file(&site);
    site.apply();
    assert_eq!(file(&site), now);
}

/// The pin as OpenSSL makes it (kubernetes.io/docs/reference/setup-tools/kubeadm/kubeadm-join).
fn openssl_pin(child: &Child) -> String {
    let script = "openssl x509 -pubkey -noout -in ca.crt | openssl pkey -pubin -outform der | openssl dgst -sha256 -r";
    let mut command = std::process::Command::new("sh");
    let digest = run(command
        .arg("-c")
        .arg(script)
        .current_dir(child.cluster.folder()))
    .success();
    format!("sha256:{}", digest.split(' ').next().expect("a digest"))
}

#[test]
fn a_token_ends_by_itself() {
    let Some((child, site)) =
        bootstrapped("ends", "--set join.mode=token,tokenGenerator.tokenTtl=4s")
    else {
        return;
    };
    site.balance(API_SERVER, BALANCED);
    job(&site, &child).run().success();
    assert_eq!(tokens(&child).len(), 1);
    child
        .cluster
        .wait_until("the token is gone", || tokens(&child).is_empty());
}

#[test]
fn a_failed_run_leaves_the_last_good_token() {
    let Some((child, site)) = bootstrapped("failed", MODE) else {
        return;
    };
    site.balance(API_SERVER, BALANCED);
    let pod = job(&site, &child);
    pod.run().success();
    let good = file(&site);
    let is_kept = |why: &str| {
        assert_eq!(file(&site), good, "{why}");
        assert_eq!(tokens(&child).len(), 1, "{why}");
    };

    let authority = pod.machine.read("/pki/admin-client/ca.crt");
    pod.machine.write("/pki/admin-client/ca.crt", "");
    let said = "/pki/admin-client/ca.crt: there is no certificate in it";
    assert_failed(&pod.run(), &[said]);
    pod.machine.write("/pki/admin-client/ca.crt", authority);
    is_kept("no authority");

    site.kubectl(&format!("delete rolebinding {JOB}")).success();
    assert_failed(&pod.run(), &["forbidden", JOB]);
    site.apply();
    is_kept("no rights");

    let impatient = pod.with("--timeout=3s");
    child.cluster.stop_apiserver();
    let down = impatient.run();
    child.cluster.start_apiserver();
    assert_failed(&down, &["cannot reach", "gave up waiting"]);
    is_kept("the child is down");

    child.cluster.kill(CONTROLLER_MANAGER);
    let unsigned = impatient.run();
    child.cluster.start_controllers();
    let parts = ["cluster-info", "has not signed", "gave up waiting"];
    assert_failed(&unsigned, &parts);
    is_kept("nobody signs");

    let pod = job(&site, &child);
    pod.run().success();
    assert_ne!(file(&site), good);
}

#[test]
fn what_it_writes_to_has_to_be_there() {
    let Some((child, site)) = bootstrapped("no-secret", MODE) else {
        return;
    };
    site.balance(API_SERVER, BALANCED);
    site.kubectl(&format!("delete secret {SECRET}")).success();
    let pod = job(&site, &child);
    assert_failed(&pod.run(), &[SECRET, "does not exist", "apply"]);
    assert_eq!(tokens(&child).len(), 0, "the token was not taken back");
}

#[test]
fn it_may_do_no_more_than_it_does() {
    let Some((child, site)) = bootstrapped("rights", MODE) else {
        return;
    };
    site.balance(API_SERVER, BALANCED);
    job(&site, &child).run().success();
    let account = format!("--as=system:serviceaccount:{}:{JOB}", site.namespace);
    for verb in ["get", "list", "watch", "create", "update", "delete"] {
        let question = format!("auth can-i {verb} secret/{SECRET} {account}");
        assert_eq!(site.kubectl(&question).stdout.trim(), "no", "{verb}");
    }
    assert_eq!(asked_of_admin(&site), ["get services", "patch secrets"]);
}

/// What the Job's account asked of the admin cluster, besides what it serves.
fn asked_of_admin(site: &Site) -> Vec<String> {
    let user = format!("system:serviceaccount:{}:{JOB}", site.namespace);
    let requests = site.admin.audit().into_iter();
    let ours = requests.filter(|request| request.user == user && !request.resource.is_empty());
    ours.map(|request| format!("{} {}", request.verb, request.resource))
        .collect()
}

#[test]
fn it_waits_for_the_address_and_for_cluster_info() {
    let Some((child, site, prepare)) = bootstrap::ready("waits", MODE) else {
        return;
    };
    let pod = job(&site, &child);
    let run = pod.start();
    std::thread::sleep(Duration::from_secs(2));
    site.balance(API_SERVER, BALANCED);
    std::thread::sleep(Duration::from_secs(2));
    assert!(site.get(&format!("secret/{SECRET}"))["data"].is_null());
    prepare.run().success();
    let end = Finished::from(run.wait_with_output().expect("an end"));
    assert!(end.status.success(), "{}", end.stderr);
    for part in [
        "its load balancer has given it no address",
        "cluster-info: it does not exist",
    ] {
        assert!(end.stderr.contains(part), "{}", end.stderr);
    }
    assert!(file(&site).contains("JOIN_COMMAND="));
}

#[test]
fn two_at_once_both_make_good_tokens() {
    let Some((child, site)) = bootstrapped("two", MODE) else {
        return;
    };
    site.balance(API_SERVER, BALANCED);
    let pods = [(); 2].map(|()| job(&site, &child));
    let runs = pods.each_ref().map(|pod| pod.start());
    for run in runs {
        Finished::from(run.wait_with_output().expect("an end")).success();
    }
    let known = tokens(&child);
    assert_eq!(known.len(), 2);
    let join = sourced(&file(&site), "JOIN_COMMAND");
    assert!(
        known
            .iter()
            .any(|token| join.contains(&field(token, "token-secret")))
    );
}

#[test]
fn an_endpoint_of_the_users_needs_no_address() {
    let arguments = "--set join.mode=token,kubernetes.controlPlaneEndpoint=k8s.example.org:7443";
    let Some((child, site)) = bootstrapped("endpoint", arguments) else {
        return;
    };
    job(&site, &child).run().success();
    let text = file(&site);
    assert_eq!(sourced(&text, "HOSTS_KUBERNETES"), "");
    assert!(
        sourced(&text, "JOIN_COMMAND").starts_with("kubeadm join k8s.example.org:7443 --token ")
    );
}

#[test]
fn an_api_server_that_nodes_cannot_reach_is_told() {
    let Some((child, mut site)) = bootstrapped("unreachable", MODE) else {
        return;
    };
    let pod = job(&site, &child).with("--timeout=3s");
    assert_failed(
        &pod.run(),
        &[API_SERVER, "given it no address", "gave up waiting"],
    );
    site.balance(API_SERVER, "\"hostname\":\"lb.example.org\"");
    assert_failed(
        &pod.run(),
        &["lb.example.org", "kubernetes.controlPlaneEndpoint"],
    );
    site.set("--set join.mode=token,kubernetes.apiServer.service.type=ClusterIP");
    site.apply();
    assert_failed(
        &pod.run(),
        &["is a ClusterIP", "kubernetes.controlPlaneEndpoint"],
    );
    assert_eq!(tokens(&child).len(), 0);
}

#[test]
fn while_an_authority_is_rotated_either_pin_will_do() {
    let Some((child, site)) = bootstrapped("pins", MODE) else {
        return;
    };
    site.balance(API_SERVER, BALANCED);
    let pod = job(&site, &child);
    let authority = pod.machine.read("/pki/admin-client/ca.crt");
    let both = format!("{}{authority}", another_authority());
    pod.machine.write("/pki/admin-client/ca.crt", both);
    pod.run().success();
    let join = sourced(&file(&site), "JOIN_COMMAND");
    assert_eq!(
        join.matches("--discovery-token-ca-cert-hash sha256:")
            .count(),
        2
    );
    assert!(join.ends_with(&openssl_pin(&child)), "{join}");
}
