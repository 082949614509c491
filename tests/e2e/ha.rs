//! The layer `ha`: a farm on three machines, one of which is lost.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;

use crate::e2e::Seen;
use crate::e2e::boot_server;
use crate::e2e::release::{Release, assert_steady, is_ready, name, restarts};
use crate::e2e::writer::Writer;

/// The machines beside `admin`: name, address, MAC.
const MACHINES: [[&str; 3]; 2] = [
    ["admin2", "10.64.0.2", "02:00:00:40:00:02"],
    ["admin3", "10.64.0.3", "02:00:00:40:00:03"],
];

/// How many pods of each component the layer asks for, no two on one machine.
const REPLICAS: [(&str, usize); 5] = [
    ("etcd", 3),
    ("apiserver", 3),
    ("controller-manager", 2),
    ("scheduler", 2),
    ("ltsp", 2),
];

/// How long nobody may be able to write after the loss of a machine. Kubernetes takes 50 seconds to take it for lost
/// (--node-monitor-grace-period); until then new connections still go there.
const PATIENCE: Duration = Duration::from_secs(60);

/// How many writes there have to be without the machine.
const WRITES: usize = 15;

/// Takes the first farm's place: two more machines, and replicas on machines of their own.
pub fn spread(release: &mut Release) -> Seen {
    release.delete();
    for [machine, ..] in crate::e2e::nodes::ALL {
        release.cluster.remove_machine(machine);
    }
    for [machine, address, mac] in MACHINES {
        release.cluster.add_node(machine, address, mac);
    }
    *release = Release {
        cluster: release.cluster,
        name: release.name.clone(),
        namespace: format!("{}-ha", release.namespace),
        values: crate::e2e::release::values(),
    };
    release.add_values(&["-f", "builtin:ha", "-f", "builtin:konnectivity"]);
    release.make_namespaces();
    let took = release.apply().as_secs_f64();

    let mut pods = release.pods();
    assert_steady(&pods);
    pods.extend(boot_server::pods(release));
    for (part, replicas) in REPLICAS {
        let machines = machines(&pods, &release.object(part));
        assert_eq!(machines.len(), replicas, "{part}: {machines:?}");
        let different: BTreeSet<&String> = machines.values().collect();
        assert_eq!(different.len(), replicas, "{part}: {machines:?}");
    }
    release.child(&["get", "--raw", "/readyz"]).success();
    format!("{} pods ready after {took:.1} s", pods.len())
}

/// The CronJob, run now, leaves a backup: an archive as its record says, with the authorities, and with a snapshot that
/// etcd's own tool takes for one.
pub fn backup(release: &mut Release) -> Seen {
    release.run_now("etcd-backup");
    let claim = format!("etcd-backup-{}", release.object("etcd"));
    let claim = release.get(&["pvc", &claim]);
    let volume = claim["spec"]["volumeName"].as_str().expect("a volume");
    // Named after the machine that has it, as in-admin.sh does.
    let (machine, _) = volume.rsplit_once('-').expect("a machine and a number");
    let check = format!(
        "cd $(mktemp -d) && tar -xf /var/lib/volumes/{volume}/*.tar && sha256sum -c manifest.json.sha256 >&2 \
         && test -s secrets/ca/tls.key && test -s secrets/sa/tls.key && test -s secrets/etcd-ca/tls.crt \
         && grep -q $(sha256sum /var/lib/volumes/{volume}/*.tar | cut -c1-64) /var/lib/volumes/{volume}/*.json \
         && exec etcdutl snapshot status --write-out=json etcd/snapshot.db"
    );
    let text = release
        .cluster
        .enter(machine, &["sh", "-c", &check])
        .success();
    let status: Value = serde_json::from_str(&text).expect("JSON");
    let keys = status["totalKey"].as_u64().expect("a number");
    assert!(keys > 100, "{text}");
    format!("a snapshot of {keys} keys on {machine}")
}

/// A whole machine loses its power while a client writes, and comes back.
pub fn machine_lost(release: &mut Release) -> Seen {
    let [lost, address, mac] = MACHINES[0];
    let on_it: Vec<String> = release
        .pods()
        .iter()
        .filter(|pod| pod["spec"]["nodeName"] == lost)
        .map(|pod| name(pod).to_owned())
        .collect();
    let writer = Writer::start(release, "machine");
    release.cluster.cut_power(lost);
    writer.wait_for(release, WRITES);
    release.cluster.add_node(lost, address, mac);
    release
        .cluster
        .wait_until("every pod is ready, those of the lost machine anew", || {
            let pods = release.pods();
            let anew = |pod: &Value| pod["spec"]["nodeName"] != lost || restarts(pod) > 0;
            pods.iter().all(|pod| is_ready(pod) && anew(pod))
        });
    let written = writer.finish(release);
    let gap = written.gap_below(PATIENCE, lost);
    format!(
        "{lost} with {}: {} writes kept, {} refused, {gap:.1} s without one",
        on_it.join(", "),
        written.count(),
        written.failures.len(),
    )
}

/// The machine that each pod of a component is on.
fn machines(pods: &[Value], app: &str) -> BTreeMap<String, String> {
    let pods = pods
        .iter()
        .filter(|pod| pod["metadata"]["labels"]["app"] == app);
    let machine = |pod: &Value| pod["spec"]["nodeName"].as_str().map(str::to_owned);
    pods.map(|pod| (name(pod).to_owned(), machine(pod).unwrap_or_default()))
        .collect()
}
