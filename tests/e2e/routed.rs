//! A farm without Konnectivity, whose pods the network of the admin cluster has routes to.

use crate::e2e::Seen;
use crate::e2e::far_side;
use crate::e2e::release::Release;

/// The API server calls a webhook by its Service, an aggregated API, and the kubelet's, with nothing in between.
pub fn calls(release: &mut Release) -> Seen {
    open(release);
    release.add_values(&["--set", "kubernetes.networking.podsAreRouted=true"]);
    release.apply();
    let servers = release.get(&["deployment", &release.object("apiserver")]);
    let containers = &servers["spec"]["template"]["spec"]["containers"];
    let containers = containers.as_array().expect("a list");
    assert!(
        containers
            .iter()
            .all(|one| one["name"] != "konnectivity-server"),
        "{containers:?}"
    );
    far_side::start(release);
    let logs = far_side::logs(release);
    format!("{}; {logs}", far_side::calls(release))
}

/// Lets pods of the admin cluster reach nodes and what runs there.
fn open(release: &Release) {
    let delete = ["nft", "delete", "table", "inet", "nodes"];
    release.cluster.enter("admin", &delete).success();
}

/// Takes the way away again that `calls` had.
pub fn close(release: &mut Release) {
    let load = ["nft", "-f", "/etc/cluster/far-side.nft"];
    release.cluster.enter("admin", &load).success();
    release.add_values(&["--set", "kubernetes.networking.podsAreRouted=false"]);
}
