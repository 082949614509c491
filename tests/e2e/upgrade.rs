//! A farm goes to the next minor versions of Kubernetes and etcd: `make upgrade-test`.

use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::e2e::Seen;
use crate::e2e::admin_cluster::AdminCluster;
use crate::e2e::release::{self, Release, is_ready, name};
use crate::e2e::runner::{self, Check};
use crate::e2e::watcher::Watcher;
use crate::e2e::writer::Writer;
use crate::support::cluster::programs::build;
use crate::support::{Finished, project, run as run_program};

/// The programs and images that it begins with: tests/cluster/{kubernetes-1.36,etcd-3.6}.
const PROGRAMS: [&str; 4] = [
    "etcd-3.6",
    "kube-apiserver-1.36",
    "kube-controller-manager-1.36",
    "kube-scheduler-1.36",
];
const IMAGES: [&str; 4] = [
    "registry.k8s.io/etcd:3.6.16-0",
    "registry.k8s.io/kube-apiserver:v1.36.3",
    "registry.k8s.io/kube-controller-manager:v1.36.3",
    "registry.k8s.io/kube-scheduler:v1.36.3",
];
const BEFORE: &str = "kubernetes.version=v1.36.3,kubernetes.etcd.image.tag=3.6.16-0";
/// There is no such image.
const BROKEN: &str = "kubernetes.version=v1.37.99,kubernetes.etcd.image.tag=3.6.16-0";

/// In the order in which they are replaced; the last two together.
const PARTS: [&str; 4] = ["etcd", "apiserver", "controller-manager", "scheduler"];

/// How long nobody may be able to write: an API server that ends closes its connections, and the Service needs a moment.
const PATIENCE: Duration = Duration::from_secs(15);

pub fn run() -> ExitCode {
    let began = Instant::now();
    let mut values = release::values();
    values.extend([
        "--set".to_owned(),
        "kubernetes.etcd.backup.enabled=true".to_owned(),
    ]);
    let built = build(&[]).and_then(|_| build(&PROGRAMS));
    let Some(cluster) = built.and_then(|_| AdminCluster::up(&values)) else {
        return ExitCode::SUCCESS;
    };
    eprintln!("the admin cluster is up after {:.0?}", began.elapsed());
    let mut release = Release::first(&cluster, values);
    let checks: [(&str, Check<Release>); 3] = [
        ("apply --wait, Kubernetes 1.36 and etcd 3.6", begin),
        ("a version that does not start, and back", broken),
        (
            "the next minor versions, under a writer and a watch",
            upgrade,
        ),
    ];
    runner::run(&mut release, &checks, Release::print_state, began)
}

fn begin(release: &mut Release) -> Seen {
    release.cluster.add_images(&IMAGES);
    release.make_namespaces();
    let newest = release.values.clone();
    release.add_values(&["--set", BEFORE]);
    let took = release.apply().as_secs_f64();
    release.values = newest;
    format!("{} ready after {took:.1} s", version(release))
}

/// API servers whose image is not there: the upgrade stops at the first of them, and the version before comes back.
fn broken(release: &mut Release) -> Seen {
    let writer = Writer::start(release, "broken");
    let mut command = release.cluster.kubefarm();
    command.args(["apply", "--timeout", "30s", "--set", BROKEN]);
    let stopped = run_program(command.args(release.flags()));
    stopped.failed(
        1,
        &[
            "kubefarm-kubernetes-apiserver: was applied, and did not get ready in time",
            "v1.37.99",
        ],
    );
    for part in ["controller-manager", "scheduler"] {
        let image = image(&release.get(&["deployment", &release.object(part)]));
        assert!(image.ends_with(":v1.36.3"), "{image}");
    }
    let mut command = release.cluster.kubefarm();
    command.args([
        "apply",
        "--wait",
        "--timeout",
        "180s",
        "--accept=kubernetes-version",
        "--set",
        BEFORE,
    ]);
    run_program(command.args(release.flags())).success();
    let written = writer.finish(release);
    let gap = written.gap_below(PATIENCE, "with a broken API server");
    format!(
        "stopped before the schedulers; {} again; {} writes, none lost, {gap:.1} s without one at most",
        version(release),
        written.count()
    )
}

/// etcd, API servers, then the rest, by the commands of docs/upgrade.md; no write lost, and each seen by a client that
/// watches.
fn upgrade(release: &mut Release) -> Seen {
    let before = version(release);
    release.child(&["get", "componentstatuses"]).success();
    let runbook = commands();
    let position = runbook.iter().position(|line| line.ends_with(" --wait"));
    let (earlier, rest) = runbook.split_at(position.expect("an apply that waits"));
    let (apply, later) = rest.split_first().expect("the apply");
    let mut said = String::new();
    for line in earlier {
        let finished = documented(release, line);
        said += &finished.stderr;
        finished.success();
    }
    for words in [
        "ready: etcd (3.6.16 to 3.7.",
        "), then API servers (1.36.3 to 1.37.",
        "deprecated, and used in the child: v1 componentstatuses",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }

    let watcher = Watcher::start(release);
    let writer = Writer::start(release, "upgrade");
    let began = Instant::now();
    let first = in_order(release, apply);
    let took = began.elapsed().as_secs_f64();
    let written = writer.finish(release);
    let gap = written.gap_below(PATIENCE, "during the upgrade");
    let watches = watcher.finish(release, written.acknowledged());
    for line in later {
        documented(release, line).success();
    }
    let steps = first
        .iter()
        .map(|(part, at)| format!("{part} from {:.0} s", at.as_secs_f64()));
    format!(
        "{before} to {} in {took:.0} s: {}; {} writes, none lost, {gap:.1} s without one at most, {} retried; all seen \
         by a client with {watches} watches",
        version(release),
        steps.collect::<Vec<_>>().join(", "),
        written.count(),
        written.failures.len(),
    )
}

/// Runs an apply, and says when the first new pod of each part was there. Panics where one was before those that it needs.
fn in_order(release: &Release, apply: &str) -> Vec<(&'static str, Duration)> {
    let began = Instant::now();
    let mut command = documented_command(release, apply);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut program = command.spawn().expect("kubefarm starts");
    let mut first: Vec<(&str, Duration)> = Vec::new();
    while program.try_wait().expect("a state").is_none() {
        let pods = release.pods();
        for (position, part) in PARTS.iter().enumerate() {
            let is_seen = first.iter().any(|(seen, _)| seen == part);
            if is_seen || !of(release, &pods, part).any(is_new) {
                continue;
            }
            for earlier in &PARTS[..position.min(2)] {
                let late = of(release, &pods, earlier).find(|pod| !is_new(pod) || !is_ready(pod));
                assert!(
                    late.is_none(),
                    "{part} before {}",
                    late.map(name).unwrap_or_default()
                );
            }
            first.push((part, began.elapsed()));
        }
    }
    assert!(program.wait().expect("a state").success());
    first
}

/// The commands of docs/upgrade.md.
fn commands() -> Vec<String> {
    let text = std::fs::read_to_string(project().join("docs/upgrade.md")).expect("a page");
    let blocks = text.split("```sh\n").skip(1);
    let blocks = blocks.map(|rest| rest.split("```").next().expect("an end"));
    blocks.flat_map(str::lines).map(str::to_owned).collect()
}

/// A command of the page, with the name, the namespace and the values of this release.
fn documented_command(release: &Release, line: &str) -> Command {
    let mut words = line.split(' ');
    let mut command = match words.next().expect("a program") {
        "kubefarm" => release.cluster.kubefarm(),
        program => release
            .cluster
            .inside(program, &release.cluster.kubeconfig()),
    };
    let part = "farm-kubernetes-";
    while let Some(word) = words.next() {
        match word {
            "farm" => command.arg(&release.name),
            "clusters" => command.arg(&release.namespace),
            "-f" => {
                assert_eq!(words.next(), Some("values.yaml"));
                let boot = format!("ltsp.namespace={}", release.boot_namespace());
                command.args(&release.values).args(["--set", &boot])
            }
            word => command.arg(word.replace(part, &release.object(""))),
        };
    }
    command
}

fn documented(release: &Release, line: &str) -> Finished {
    eprintln!("       $ {line}");
    run_program(&mut documented_command(release, line))
}

/// What the API server says it is, and etcd's image.
fn version(release: &Release) -> String {
    let answer = release.child(&["get", "--raw", "/version"]).success();
    let answer: Value = serde_json::from_str(&answer).expect("JSON");
    let etcd = image(&release.get(&["statefulset", &release.object("etcd")]));
    let (_, tag) = etcd.rsplit_once(':').expect("a tag");
    format!(
        "{} with etcd {tag}",
        answer["gitVersion"].as_str().expect("a version")
    )
}

fn image(workload: &Value) -> String {
    let containers = &workload["spec"]["template"]["spec"]["containers"];
    containers[0]["image"]
        .as_str()
        .expect("an image")
        .to_owned()
}

fn of<'a>(
    release: &Release,
    pods: &'a [Value],
    part: &str,
) -> impl Iterator<Item = &'a Value> + use<'a> {
    let app = release.object(part);
    pods.iter()
        .filter(move |pod| pod["metadata"]["labels"]["app"] == app)
}

fn is_new(pod: &Value) -> bool {
    let image = pod["spec"]["containers"][0]["image"]
        .as_str()
        .expect("an image");
    !IMAGES.contains(&image)
}
