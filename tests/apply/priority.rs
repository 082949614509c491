//! The pods of a farm come before others in the admin cluster.

use crate::apply::GENERIC;
use crate::apply::site::Site;

/// What `system-cluster-critical` stands for (k8s.io/kubernetes, pkg/apis/scheduling).
const CLUSTER_CRITICAL: i64 = 2_000_000_000;

/// The API server's admission takes the class in any namespace, and not in kube-system alone.
#[test]
fn pods_of_the_control_plane_are_critical() {
    let Some(site) = Site::new("priority") else {
        return;
    };
    let zones = "topologyKey: zone, maxSkew: 1, whenUnsatisfiable: ScheduleAnyway";
    let values = tempfile::NamedTempFile::with_suffix(".yaml").expect("a file");
    let text = format!("kubernetes: {{etcd: {{topologySpreadConstraints: [{{{zones}}}]}}}}\n");
    std::fs::write(values.path(), text).expect("written");
    site.run(&format!(
        "apply -q {GENERIC} -f {}",
        values.path().display()
    ))
    .success();
    for component in [
        "etcd",
        "apiserver",
        "controller-manager",
        "scheduler",
        "ltsp",
    ] {
        let pods = format!("pods -l app=kubefarm-kubernetes-{component}");
        let mut found = serde_json::Value::Null;
        site.cluster.wait_until("its controller made a pod", || {
            // Not `[0].take()`: of a list that is empty yet, that panics.
            found = site.get(&pods)["items"][0].clone();
            !found.is_null()
        });
        assert_eq!(found["spec"]["priority"], CLUSTER_CRITICAL, "{component}");
        if component == "etcd" {
            let spread = &found["spec"]["topologySpreadConstraints"][0];
            let counted = &spread["labelSelector"]["matchLabels"]["app"];
            assert_eq!(*counted, "kubefarm-kubernetes-etcd");
        }
    }
}
