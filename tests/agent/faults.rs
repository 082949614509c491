//! What goes wrong before a bootstrap can begin.

use std::fs;
use std::time::{Duration, Instant};

use crate::agent::assert_failed;
use crate::agent::bootstrap::{JOB, bootstrapped, ready};
use crate::support::cluster::{API_SERVER, Request};

#[test]
fn wrong_files_are_told_at_once_and_nothing_is_asked() {
    let Some((child, _site, pod)) = ready("files", "") else {
        return;
    };
    let authority = "/pki/admin-client/ca.crt";
    let good = pod.machine.read(authority);
    let key = pod.machine.read("/pki/admin-client/tls.key");
    let leaf = pod.machine.read("/pki/admin-client/tls.crt");
    let addon = "/addons/coredns.yaml";
    let manifest = pod.machine.read(addon);
    let before = child.cluster.audit().len();
    for (path, text, part) in [
        (authority, "", "there is no certificate in it"),
        (authority, "not PEM", "there is no certificate in it"),
        (authority, &leaf, "is not a certificate authority"),
        (
            authority,
            &format!("{good}{key}"),
            "it holds more than certificates",
        ),
        (addon, "a: [", "/addons/coredns.yaml:1"),
        (addon, "kind: Pod", "needs the text apiVersion"),
        (addon, &format!("{manifest}\n---\n{manifest}"), "twice"),
    ] {
        let is_authority = path == authority;
        let was = if is_authority { &good } else { &manifest };
        pod.machine.write(path, text);
        assert_failed(&pod.run(), &[path, part]);
        pod.machine.write(path, was);
    }
    let folder = pod.machine.path("/addons");
    let aside = pod.machine.path("/aside");
    fs::rename(&folder, &aside).expect("moved");
    assert_failed(&pod.run(), &["/addons: No such file or directory"]);
    fs::create_dir(&folder).expect("made");
    assert_failed(&pod.run(), &["/addons: there is no manifest in it"]);
    let requests = child.cluster.audit().into_iter().skip(before);
    let is_ours =
        |request: &Request| request.user == "admin" && !request.user_agent.starts_with("kubectl/");
    // Which kinds there are is asked before any two objects can be said to be the same.
    let asked = requests.filter(|request| is_ours(request) && !request.resource.is_empty());
    let asked: Vec<String> = asked.map(|request| request.uri).collect();
    assert_eq!(asked, Vec::<String>::new());
}

#[test]
fn a_child_that_is_not_there_yet_is_waited_for() {
    let Some((child, _site, pod)) = ready("late", "") else {
        return;
    };
    child.cluster.stop_apiserver();
    let early = pod.start();
    std::thread::sleep(Duration::from_secs(3));
    child.cluster.start_apiserver();
    let end = crate::agent::Finished::from(early.wait_with_output().expect("an end"));
    assert!(end.status.success(), "{}", end.stderr);
    assert!(
        end.stderr
            .contains("cannot reach https://kubefarm-kubernetes-apiserver:6443")
    );
    assert!(child.has("-n kube-public configmap/cluster-info"));
}

#[test]
fn a_child_that_does_not_come_is_given_up() {
    let Some((child, site, pod)) = ready("never", "") else {
        return;
    };
    let began = Instant::now();
    child.cluster.stop_apiserver();
    let down = pod.with("--timeout=3s").run();
    child.cluster.start_apiserver();
    assert_failed(
        &down,
        &[
            "cannot reach https://kubefarm-kubernetes-apiserver:6443",
            "gave up waiting",
        ],
    );

    let pod = site.pod_for(JOB, &child).expect("as before");
    child.cluster.pause(API_SERVER);
    let silent = pod.with("--timeout=3s").run();
    child.cluster.resume(API_SERVER);
    assert_failed(&silent, &["gave up waiting"]);
    assert!(began.elapsed() < Duration::from_secs(60));
    assert!(!child.has("-n kube-public configmap/cluster-info"));

    let pod = site.pod_for(JOB, &child).expect("as before");
    pod.machine.write("/etc/hosts", "127.0.0.1 localhost\n");
    assert_failed(&pod.with("--timeout=2s").run(), &["gave up waiting"]);
}

#[test]
fn a_child_of_another_authority_is_not_trusted() {
    let Some((child, _site, pod)) = ready("other-authority", "") else {
        return;
    };
    let other = crate::agent::bootstrap::another_authority();
    pod.machine.write("/pki/admin-client/ca.crt", other);
    let run = pod.run();
    assert_failed(&run, &["cannot be trusted"]);
    assert!(!child.has("-n kube-public configmap/cluster-info"));
}

#[test]
fn who_may_not_is_told() {
    let Some((child, site)) = bootstrapped("nobody", "") else {
        return;
    };
    let pod = site.pod_for(JOB, &child).expect("as before");
    child.cluster.user_kubeconfig("nobody", &[]);
    for (file, path) in [("nobody-1.crt", "tls.crt"), ("nobody-1.key", "tls.key")] {
        let text = fs::read(child.cluster.folder().join(file)).expect("a file");
        pod.machine
            .write(&format!("/pki/admin-client/{path}"), text);
    }
    assert_failed(&pod.with("--timeout=5s").run(), &["forbidden", "nobody"]);
}
