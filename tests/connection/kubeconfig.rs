//! Where the configuration comes from.

use serde_json::{Value, json};

use super::setup::{Home, config, master, reached};
use super::{assert_connects, assert_fails};
use crate::support::cluster::Cluster;
use crate::support::run;

#[test]
fn without_any_configuration_all_places_are_named() {
    let home = Home::new();
    let places = ["--kubeconfig", "KUBECONFIG", "~/.kube/config", "not a pod"];
    assert_fails(&run(&mut home.list()), &places);
}

#[test]
fn a_file_that_is_missing_is_named() {
    let home = Home::new();
    let missing = home.path().join("missing.yaml");
    let name = missing.to_str().expect("UTF-8");
    assert_fails(&home.list_with(&missing), &[name, "No such file"]);
    let finished = run(home.list().env("KUBECONFIG", &missing));
    assert_fails(&finished, &[name]);
}

#[test]
fn a_file_that_is_no_kubeconfig_is_named() {
    let home = Home::new();
    let texts = [
        ("broken.yaml", "a: [b"),
        ("list.yaml", "[1, 2]"),
        ("typed.yaml", "clusters: 7"),
        ("current.yaml", "current-context: {}"),
    ];
    for (name, text) in texts {
        let file = home.write(name, text);
        let path = file.to_str().expect("UTF-8");
        assert_fails(&home.list_with(&file), &[path]);
        assert_fails(&run(home.list().env("KUBECONFIG", &file)), &[path]);
    }
    let file = home.write(".kube/config", "a: [b");
    let path = file.to_str().expect("UTF-8");
    assert_fails(&run(&mut home.list()), &[path]);
}

/// Wherever it breaks, no line of it is shown: any may have a token.
#[test]
fn a_kubeconfig_that_is_broken_is_not_quoted() {
    let home = Home::new();
    let start = "apiVersion: v1\nkind: Config\nusers:\n- name: u\n  user:\n";
    for broken in [
        "    token: \"hidden-token\n",
        "    token: hidden-token\n   x: y\n",
        "    token: [hidden-token]\n",
        "    token: *hidden-token\n",
        "    client-key-data: hidden-token: x\n",
    ] {
        let file = home.write("config", format!("{start}{broken}"));
        let finished = home.list_with(&file);
        assert_fails(&finished, &[file.to_str().expect("UTF-8")]);
        assert!(!finished.stderr.contains("hidden"), "{}", finished.stderr);
    }
}

#[test]
fn files_that_are_missing_are_passed_over_where_others_are_there() {
    let home = Home::new();
    let cluster = json!({ "server": "https://127.0.0.1:1" });
    let mut content = config(&cluster, &json!({}));
    content["current-context"] = "elsewhere".into();
    let there = home.write("config", &content);
    let missing = home.path().join("missing");
    for files in [[&missing, &there], [&there, &missing]] {
        let files = std::env::join_paths(files).expect("a list");
        let finished = run(home.list().env("KUBECONFIG", files));
        assert_fails(&finished, &["\"elsewhere\""]);
    }
}

#[test]
fn a_context_that_is_not_there_has_a_near_one_named() {
    let home = Home::new();
    let cluster = json!({ "server": "https://127.0.0.1:1" });
    let mut content = config(&cluster, &json!({}));
    content["contexts"][0]["name"] = "production".into();
    content["current-context"] = "producton".into();
    let file = home.write("config", &content);
    let near = ["no context", "\"producton\"", "did you mean production?"];
    assert_fails(&home.list_with(&file), &near);

    let mut command = home.list();
    command.arg("--kubeconfig").arg(&file);
    let finished = run(command.args(["--context", "zzz"]));
    assert_fails(&finished, &["no context", "\"zzz\"", "production"]);

    content["current-context"] = Value::Null;
    let file = home.write("config", &content);
    let help = ["no current context", "--context", "production"];
    assert_fails(&home.list_with(&file), &help);
}

#[test]
fn a_context_that_leads_nowhere_says_what_is_missing() {
    let home = Home::new();
    let mut content = config(&json!({ "server": "https://127.0.0.1:1" }), &json!({}));
    content["contexts"][0]["context"]["cluster"] = "elsewhere".into();
    let file = home.write("config", &content);
    assert_fails(&home.list_with(&file), &["kubeconfig", "elsewhere"]);
}

#[test]
fn a_certificate_file_that_is_missing_is_named() {
    let home = Home::new();
    let missing = home.path().join("missing.crt");
    let cluster = json!({ "server": "https://127.0.0.1:1", "certificate-authority": missing });
    let file = home.write("config", config(&cluster, &master()));
    let name = missing.to_str().expect("UTF-8");
    assert_fails(&home.list_with(&file), &["kubeconfig", name]);
}

#[test]
fn the_file_in_the_home_folder_is_found() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let home = Home::new();
    home.write(".kube/config", config(&reached(cluster), &master()));
    assert_connects(&run(&mut home.list()));
}

/// Two files that make a whole one together, as kubectl merges them: the first to say something wins.
#[test]
fn several_files_are_merged() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let home = Home::new();
    let whole = config(&reached(cluster), &master());
    let first = json!({
        "apiVersion": "v1", "kind": "Config",
        "current-context": "one", "contexts": whole["contexts"], "users": whole["users"],
    });
    let mut second = whole.clone();
    second["users"][0]["user"] = json!({ "token": "wrong" });
    second["current-context"] = "two".into();
    let files = [home.write("first", &first), home.write("second", &second)];
    let both = std::env::join_paths(&files).expect("no colon in it");
    assert_connects(&run(home.list().env("KUBECONFIG", &both)));
    let reversed = std::env::join_paths(files.iter().rev()).expect("no colon in it");
    let finished = run(home.list().env("KUBECONFIG", &reversed));
    assert_fails(&finished, &["no context", "\"two\""]);
    let mut command = home.list();
    command.env("KUBECONFIG", &reversed);
    let finished = run(command.args(["--context", "one"]));
    assert_fails(&finished, &[cluster.server(), "does not accept"]);
}

#[test]
fn another_context_can_be_chosen() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let home = Home::new();
    let mut content = config(&reached(cluster), &master());
    content["current-context"] = "gone".into();
    let file = home.write("config", &content);
    let mut command = home.list();
    command.arg("--kubeconfig").arg(&file);
    assert_connects(&run(command.args(["--context", "one"])));
    let mut command = home.list();
    command.env("KUBEFARM_KUBECONFIG", &file);
    assert_connects(&run(command.env("KUBEFARM_CONTEXT", "one")));
}

#[test]
fn files_named_in_a_kubeconfig_are_looked_for_beside_it() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let home = Home::new();
    let authority = std::fs::read_to_string(cluster.folder().join("ca.crt")).expect("a file");
    home.write("conf/ca.crt", authority);
    let relative = json!({ "server": cluster.server(), "certificate-authority": "ca.crt" });
    let file = home.write("conf/config", config(&relative, &master()));
    assert_connects(&home.list_with(&file));
}

#[test]
fn a_password_in_an_address_is_not_repeated() {
    let home = Home::new();
    for cluster in [
        json!({ "server": "https://anna:hunter2@127.0.0.1:1/below" }),
        json!({ "server": "https://127.0.0.1:1", "proxy-url": "http://anna:hunter2@127.0.0.1:1" }),
        json!({ "server": "https://anna:hunter2@127.0.0.1:70000" }),
        json!({ "server": "https://127.0.0.1:1", "proxy-url": "ftp://anna:hunter2@127.0.0.1:1" }),
        json!({ "server": "https://127.0.0.1:1", "proxy-url": "http://anna:hunter2@[" }),
    ] {
        let file = home.write("config", config(&cluster, &json!({ "token": "x" })));
        let finished = home.list_with(&file);
        assert_eq!(finished.code(), 1, "{}", finished.stderr);
        assert!(!finished.stderr.contains("hunter2"), "{}", finished.stderr);
    }
}
