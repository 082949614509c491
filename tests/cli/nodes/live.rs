//! `kubefarm nodes list --live`, `watch` and `logs`, as far as they come without a cluster. With one: tests/e2e/way.rs.

use super::GENERIC;
use crate::cli::assert_refused;
use crate::support::kubefarm;

#[test]
fn without_a_cluster_they_say_which_one_they_looked_for() {
    for words in [
        &["list", "--live"][..],
        &["watch", "r1*", "--until-ready"],
        &["logs", "r1n01"],
    ] {
        let nobody = ["--kubeconfig", "/nowhere/kubeconfig"];
        let said = kubefarm(["nodes"].iter().chain(words).chain(&GENERIC).chain(&nobody));
        said.failed(1, &["/nowhere/kubeconfig"]);
    }
}

#[test]
fn a_farm_without_an_agent_is_told_before_any_cluster_is_asked() {
    let without = ["--set", "kubernetes.agent.enabled=false,join.mode=token"];
    for words in [&["list", "--live"][..], &["watch"]] {
        let said = kubefarm(
            ["nodes"]
                .iter()
                .chain(words)
                .chain(&GENERIC)
                .chain(&without),
        );
        assert_refused(
            &said,
            &["this farm has no agent (kubernetes.agent.enabled)"],
        );
    }
}

#[test]
fn what_nobody_can_be_called_is_refused_with_the_nearest_name() {
    let logs = |node| kubefarm(["nodes", "logs", node].iter().chain(&GENERIC));
    assert_refused(&logs("r1n0l"), &["did you mean r1n01?"]);
    let watch = ["nodes", "watch", "--pool", "9"];
    assert_refused(&kubefarm(watch.iter().chain(&GENERIC)), &["9"]);
    let since = ["nodes", "logs", "r1n01", "--since", "yesterday"];
    assert_refused(&kubefarm(since.iter().chain(&GENERIC)), &["--since"]);
}
