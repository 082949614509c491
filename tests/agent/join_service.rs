//! The join service of the farm's agent: what machines ask by curl and OpenSSL, and get; and what others do not get.

use std::process::Command;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::agent::asker::Asker;
use crate::agent::bootstrap::bootstrapped;
use crate::agent::child::{AGENT, API_SERVER, Child};
use crate::agent::process::Agent;
use crate::agent::site::Site;
use crate::support::run;

pub(super) const VALUES: &str = "-f tests/agent/joining.yaml";
const PUBLIC: &str = "kubefarm-kubernetes-ltsp-join";

/// A child that is set up, its farm, and the agent that answers.
pub(super) fn answering(name: &str, values: &str) -> Option<(Child, Site, Agent)> {
    let (child, site) = bootstrapped(name, values)?;
    child.kubectl("delete nodes --all").success();
    child.kubectl("delete csr -l kubefarm.io/join").success();
    child
        .kubectl("delete leases -n kube-node-lease --all")
        .success();
    site.kubectl("create secret generic ipa --from-literal=token=secret --from-literal=other=x")
        .success();
    site.balance(AGENT, "\"ip\":\"127.0.0.1\"");
    site.balance(
        API_SERVER,
        &format!("\"ip\":\"{}\"", child.cluster.address()),
    );
    let agent = Agent::start(&site, &child)?;
    child.cluster.wait_until("the agent answers", || {
        let mut curl = Command::new("curl");
        curl.args(["-sSfk", &format!("https://127.0.0.1:{}/readyz", agent.port)]);
        run(&mut curl).status.success()
    });
    Some((child, site, agent))
}

/// The notes of all Events with a reason.
fn events(site: &Site, reason: &str) -> Vec<String> {
    let found = site.get(&format!(
        "events.events.k8s.io --field-selector reason={reason}"
    ));
    let items = found["items"].as_array().expect("a List").iter();
    items
        .filter_map(|event| event["note"].as_str().map(str::to_owned))
        .collect()
}

#[test]
fn a_machine_of_the_farm_gets_a_certificate_and_what_is_secret() {
    let Some((child, site, agent)) = answering("join-service", VALUES) else {
        return;
    };
    child
        .cluster
        .wait_until("the boot server has something to serve", || {
            !site.get(&format!("configmap/{PUBLIC}"))["data"].is_null()
        });
    let public = site.get(&format!("configmap/{PUBLIC}"))["data"].clone();
    let address = child.cluster.address();
    let expected = format!(
        "HOSTS_KUBERNETES='{address} {API_SERVER}'\nJOIN_SERVICE='{AGENT}:8443'\nJOIN_ADDRESS='127.0.0.1'\n\
         API_SERVER='https://{API_SERVER}:6443'\n"
    );
    assert_eq!(public["kubeadm-join.conf"], expected);
    assert_eq!(public["kubefarm-ca.crt"], child.agent_files()[0].1);

    let machine = Asker::new(&agent, &child, "127.0.10.1");
    let answer = machine.ask_for("n1", "02:00:00:00:00:01");
    assert_eq!(answer.status, 200, "{}", answer.text);
    let files = machine.files();
    let names: Vec<&str> = files.keys().map(String::as_str).collect();
    assert_eq!(names, ["ltsp/ipa/token", "node.crt", "root-password"]);
    assert_eq!(files["ltsp/ipa/token"], "secret");
    assert_eq!(files["root-password"], "$6$joinservice$0123456789");
    let who = machine.kubectl("auth whoami -o json").success();
    let who: Value = serde_json::from_str(&who).expect("JSON");
    assert_eq!(who["status"]["userInfo"]["username"], "system:node:n1");
    // What kubeadm and the kubelet need, and nothing for another name.
    machine
        .kubectl("get -n kube-system configmap kubelet-config kubeadm-config")
        .success();
    machine
        .kubectl("get -n kube-system secrets")
        .failed(1, &["Forbidden"]);
    let minutes = run(Command::new("openssl")
        .args(["x509", "-in"])
        .arg(machine.path("node.crt"))
        .args(["-noout", "-checkend", "660"]));
    assert!(
        !minutes.status.success(),
        "it is good for more than ten minutes"
    );

    // Its answer was lost: the same request has the same answer. Another key is another machine.
    let again = machine.ask(&signed("name=n1&mac=02:00:00:00:00:01", 0));
    assert_eq!(again.status, 200, "{}", again.text);
    assert_eq!(machine.files(), files);
    let other = Asker::new(&agent, &child, "127.0.10.1");
    other
        .ask_for("n1", "02:00:00:00:00:01")
        .is_refused(409, "another machine was let in");
    child
        .cluster
        .wait_until("grants and refusals are Events", || {
            events(&site, "JoinGranted")
                .iter()
                .any(|note| note.starts_with("n1 may join; it asked from 127.0.10.1"))
                && events(&site, "JoinRefused")
                    .iter()
                    .any(|note| note.starts_with("n1 from 127.0.10.1 was refused: another"))
        });
}

/// A query of a machine whose configuration was signed so many days ago.
fn signed(query: &str, days: i64) -> String {
    let time = Timestamp::now().as_second() - days * 24 * 3600;
    format!("{query}&signed={time}")
}

#[test]
fn others_get_nothing() {
    let Some((child, site, agent)) = answering("join-refused", VALUES) else {
        return;
    };
    let asker = |source| Asker::new(&agent, &child, source);
    let mac = "02:00:00:00:00:01";
    asker("127.0.10.2")
        .ask_for("n1", mac)
        .is_refused(403, "127.0.10.2 is not an address of n1");
    asker("127.0.10.1")
        .ask_for("n1", "02:00:00:00:00:02")
        .is_refused(403, "none of the MACs");
    asker("127.0.10.1")
        .ask_for("n3", mac)
        .is_refused(403, "do not list n3");
    asker("127.0.20.21")
        .ask_for("found", mac)
        .is_refused(403, "not in a range");
    let replayed = asker("127.0.10.1");
    replayed.make_for("n1");
    replayed
        .ask(&signed(&format!("name=n1&mac={mac}"), 7))
        .is_refused(412, "more than a day before now");
    let found = asker("127.0.20.20").ask_for("found", mac);
    assert_eq!(found.status, 200, "{}", found.text);
    for (subject, further, reason) in [
        (
            "/O=system:masters/CN=system:node:n2",
            "",
            "the subject is not exactly",
        ),
        (
            "/O=system:nodes/O=system:masters/CN=system:node:n2",
            "",
            "the subject is not exactly",
        ),
        (
            "/O=system:nodes/CN=system:node:n1",
            "",
            "the subject is not exactly",
        ),
        (
            "/O=system:nodes/CN=system:node:n2",
            "|-addext|subjectAltName=DNS:n2",
            "has attributes",
        ),
    ] {
        let machine = asker("127.0.10.2");
        machine.make(subject, further);
        // Five requests in ten seconds are allowed.
        machine
            .ask("name=n2&mac=02:00:00:00:00:02")
            .is_refused(400, reason);
    }
    let counted = asker("127.0.10.2");
    counted.make_for("n2");
    counted
        .ask("name=n2&mac=02:00:00:00:00:02")
        .is_refused(429, "too many requests");
    // Without a name of the farm, whoever is there is asked for nothing.
    let stranger = asker("127.0.30.1");
    std::fs::write(stranger.path("request"), "x").expect("written");
    stranger.ask("").is_refused(400, "the query has no name");
    let requests = child.get("csr -l kubefarm.io/join");
    assert_eq!(
        requests["items"].as_array().map(Vec::len),
        Some(1),
        "{requests}"
    );
    child.cluster.wait_until("each refusal is an Event", || {
        let refused = events(&site, "JoinRefused");
        [
            "not an address of n1",
            "none of the MACs",
            "do not list n3",
            "not in a range",
            "its configuration was signed at ",
            "not exactly",
            "has attributes",
            "no name",
        ]
        .iter()
        .all(|reason| refused.iter().any(|note| note.contains(reason)))
    });
}

#[test]
fn a_living_machine_keeps_its_name_and_one_that_said_goodbye_does_not() {
    let Some((child, _site, agent)) = answering("join-life", VALUES) else {
        return;
    };
    let machine = Asker::new(&agent, &child, "127.0.10.1");
    let ask = || machine.ask_for("n1", "02:00:00:00:00:01");
    assert_eq!(ask().status, 200);
    // It joins: what its kubelet does with the certificate.
    let create = |file: &str, object: Value| {
        let file = machine.path(file);
        std::fs::write(&file, object.to_string()).expect("written");
        machine
            .kubectl(&format!("create -f {}", file.display()))
            .success();
    };
    create(
        "node.json",
        json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1"}}),
    );
    create(
        "lease.json",
        json!({
            "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
            "metadata": {"name": "n1", "namespace": "kube-node-lease"}, "spec": {"holderIdentity": "n1"},
        }),
    );
    // A second after the grant, as the API server counts.
    std::thread::sleep(std::time::Duration::from_secs(1));
    let report = |status: &str| {
        let condition = json!({
            "type": "Ready", "status": status, "reason": "x", "message": "x",
            "lastTransitionTime": now(), "lastHeartbeatTime": now(),
        });
        let status = json!({"status": {"conditions": [condition]}});
        child
            .kubectl(&format!(
                "patch node n1 --subresource=status --type=strategic -p {status}"
            ))
            .success();
    };
    report("True");
    let other = Asker::new(&agent, &child, "127.0.10.1");
    other
        .ask_for("n1", "02:00:00:00:00:01")
        .is_refused(409, "its Node is Ready");
    // The control plane does not hear of it, and its Lease was renewed just now: it may be an outage.
    report("Unknown");
    other
        .ask_for("n1", "02:00:00:00:00:01")
        .is_refused(409, "may have been heard of");
    // It says goodbye.
    machine
        .kubectl("delete lease n1 -n kube-node-lease")
        .success();
    child.cluster.wait_until("the name is free", || {
        let answer = other.ask_for("n1", "02:00:00:00:00:01");
        assert!([200, 409, 429].contains(&answer.status), "{}", answer.text);
        answer.status == 200
    });
}

/// A rack that gets its power back. Each machine has a process of its own here that makes a key, asks, and unpacks.
#[test]
fn many_machines_join_at_once() {
    const COUNT: usize = 200;
    let nodes: Vec<Value> = (1..=COUNT)
        .map(|number| json!({"name": format!("m{number}"), "ip": format!("127.0.12.{number}")}))
        .collect();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("rack.yaml");
    let values = json!({
        "kubernetes": {"networking": {"nodeNetworks": ["127.0.0.0/8"]}},
        "nodePools": [{"nodes": nodes}],
    });
    std::fs::write(&file, values.to_string()).expect("written");
    let Some((child, _site, agent)) = answering("join-rack", &format!("-f {}", file.display()))
    else {
        return;
    };
    let script = format!(
        "set -eu; cd \"$1\"; name=m$2; subject=/O=system:nodes/CN=system:node:$name; \
         openssl req -new -nodes -newkey ec -pkeyopt ec_paramgen_curve:P-256 -keyout $name.key -subj $subject \
         -out $name.request 2>/dev/null; \
         curl -sSf -m 120 --retry 20 --retry-connrefused --interface 127.0.12.$2 --cacert {} \
         --connect-to {AGENT}:8443:127.0.0.1:{} -o $name.tar --data-binary @$name.request \
         \"https://{AGENT}:8443/v1/join?name=$name\"; tar -xOf $name.tar node.crt >$name.crt",
        child.cluster.folder().join("ca.crt").display(),
        agent.port
    );
    let began = std::time::Instant::now();
    let machines: Vec<_> = (1..=COUNT)
        .map(|number| {
            let mut machine = Command::new("sh");
            machine
                .args(["-c", &script, "machine"])
                .arg(folder.path())
                .arg(number.to_string());
            machine.spawn().expect("started")
        })
        .collect();
    for mut machine in machines {
        assert!(machine.wait().expect("an end").success());
    }
    eprintln!(
        "{COUNT} machines in {:.1} s, the agent's memory: {} KiB",
        began.elapsed().as_secs_f64(),
        agent.memory()
    );
    for number in 1..=COUNT {
        let file = folder.path().join(format!("m{number}.crt"));
        let mut show = Command::new("openssl");
        show.args(["x509", "-noout", "-subject", "-nameopt", "RFC2253", "-in"]);
        let subject = run(show.arg(file)).success();
        assert!(
            subject.contains(&format!("CN=system:node:m{number},")),
            "{subject}"
        );
    }
}

/// The time of now, as conditions have it.
fn now() -> String {
    let mut date = Command::new("date");
    run(date.args(["-u", "+%FT%TZ"]))
        .success()
        .trim()
        .to_owned()
}
