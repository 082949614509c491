//! The output for a terminal, a log, a program, and with -q.

use crate::apply::site::{Charts, Site};
use crate::apply::{GENERIC, NEARLY_NOTHING, assert_failed, done, events};

#[test]
fn a_log_gets_a_plain_line_for_each_object() {
    let Some(site) = Site::new("lines") else {
        return;
    };
    let applied = site.run(&format!("apply {GENERIC}"));
    assert_eq!(applied.code(), 0, "{}", applied.stderr);
    assert_eq!(applied.stdout, "");
    assert!(
        !applied.stderr.contains(['\u{1b}', '\r']),
        "{}",
        applied.stderr
    );
    let lines = done(&applied);
    let created = lines.iter().filter(|(word, _)| *word == "created").count();
    // The record besides.
    let rendered = site.run(&format!("render {GENERIC}")).success();
    assert_eq!(created, rendered.matches("\nkind: ").count());
    let next = format!(
        "kubectl -n {} exec -it deploy/kubefarm-kubernetes-admin",
        site.namespace
    );
    for part in [next.as_str(), "kubeconfig", "CNI", "nodes"] {
        assert!(
            applied.stderr.contains(part),
            "no {part} in\n{}",
            applied.stderr
        );
    }

    let program = site.run(&format!("apply -o json {GENERIC}"));
    assert_eq!(program.code(), 0, "{}", program.stderr);
    assert!(events(&program).len() > created, "{}", program.stdout);
    assert_eq!(program.stderr, "");
    let nobody = site.run(&format!("apply -q {GENERIC}"));
    assert_eq!(
        (nobody.code(), nobody.stdout, nobody.stderr),
        (0, String::new(), String::new())
    );
}

#[test]
fn a_program_is_told_of_each_wave_once() {
    let Some(site) = Site::new("waves") else {
        return;
    };
    let applied = site.run(&format!(
        "apply -o json {GENERIC} -f values/builtin-pki.yaml"
    ));
    assert_eq!(applied.code(), 0, "{}", applied.stderr);
    let waves: Vec<String> = events(&applied)
        .iter()
        .filter(|event| event["stage"] == "wave")
        .filter_map(|event| Some(event["name"].as_str()?.to_owned()))
        .collect();
    let expected = [
        "RBAC",
        "certificate authorities",
        "configuration",
        "services",
        "workloads",
        "jobs",
        "others",
    ];
    assert_eq!(waves, expected);
}

#[test]
fn a_refused_secret_keeps_its_values() {
    let Some(site) = Site::new("secret") else {
        return;
    };
    let secret = |kind: &str, value: &str| {
        format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: password}}\ntype: {kind}\nimmutable: true\n\
             stringData: {{password: {value}}}\n"
        )
    };
    let charts = Charts::new(&secret("Opaque", "hunter2old"));
    let apply = format!("apply {NEARLY_NOTHING} {}", charts.flag());
    site.run(&apply).success();
    let other_kind = secret("kubernetes.io/basic-auth", "hunter2new");
    let wrong_shape =
        "apiVersion: v1\nkind: Secret\nmetadata: {name: other}\ndata: {password: hunter2!}\n";
    let wrong_type =
        "apiVersion: v1\nkind: Secret\nmetadata: {name: other}\ndata: {password: [hunter2]}\n";
    let wrong_key = "apiVersion: v1\nkind: Secret\nmetadata: {name: other}\nstringData: {hunter: hunter2}\nhunter2: 3\n";
    for text in [&other_kind, wrong_shape, wrong_type] {
        charts.write(text);
        for command in [&apply, &apply.replacen("apply", "diff", 1)] {
            let refused = site.run(command);
            assert_failed(&refused, if command == &apply { 1 } else { 2 }, &["Secret"]);
            let text = format!("{}{}", refused.stdout, refused.stderr);
            assert!(!text.contains("hunter2"), "{text}");
        }
    }
    charts.write(wrong_key);
    assert_failed(&site.run(&apply), 1, &["Secret"]);
}
