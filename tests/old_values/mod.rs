//! Values files written for the charts of 0.13 keep working: each of their keys lands where it has to, or a warning
//! says what replaced it.
//!
//! The files in `tests/old_values` say so themselves, in comments behind their keys:
//! `# in KIND/NAME` names the object that is meant from here on (`child:` one that is applied inside the child
//! cluster), `#> PATH = JSON` what has to stand at a path in it, `#> PATH ~ JSON` what it has to contain,
//! `#> KIND/NAME: PATH …` the same for another object, and `#! TEXT` the beginning of a warning at this line.

mod landing;

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use crate::support::{kubefarm, names_in, project};
use landing::{Landing, Objects, landings};

/// Every file, with its text.
fn files() -> Vec<(String, String)> {
    let names = names_in(&project().join("tests/old_values")).into_iter();
    let names = names.filter(|name| name.ends_with(".yaml"));
    let file = |name: String| {
        let path = format!("tests/old_values/{name}");
        let text = fs::read_to_string(project().join(&path)).expect("a file");
        (path, text)
    };
    names.map(file).collect()
}

#[test]
fn every_old_key_lands() {
    let mut complaints = Vec::new();
    let mut count = 0;
    for (path, text) in files() {
        let finished = kubefarm(["render", "--name", "old", "-o", "json", "-f", &path]);
        assert_eq!(finished.code(), 0, "{path}: {}", finished.stderr);
        let objects = Objects::new(&serde_json::from_str(&finished.stdout).expect("JSON"));
        for landing in landings(&text) {
            count += 1;
            let complaint = match &landing {
                Landing::Object { .. } => objects.complaint(&landing),
                Landing::Warning { line, text } => {
                    let place = format!("--> {path}:{line}:");
                    let reported =
                        finished.stderr.contains(&place) && finished.stderr.contains(text);
                    (!reported).then(|| format!("no warning {text:?}"))
                }
            };
            complaints.extend(
                complaint.map(|complaint| format!("{path}:{}: {complaint}", landing.line())),
            );
        }
    }
    assert!(
        complaints.is_empty(),
        "{}\n{}",
        complaints.len(),
        complaints.join("\n")
    );
    assert!(count > 250, "{count} keys were checked");
}

/// Whether one of the files sets the key at this path.
fn sets(values: &Value, path: &str) -> bool {
    let mut value = values;
    for key in path.split('.') {
        let list = value.as_array().and_then(|items| items.first());
        match list.unwrap_or(value).get(key) {
            Some(inner) => value = inner,
            None => return false,
        }
    }
    true
}

#[test]
fn every_old_key_is_tried() {
    let keys = fs::read_to_string(project().join("tests/old_values/keys.txt")).expect("the keys");
    let files: Vec<Value> = files()
        .iter()
        .map(|(_, text)| serde_yaml::from_str(text).expect("YAML"))
        .collect();
    let keys: BTreeSet<&str> = keys.lines().filter(|line| !line.starts_with('#')).collect();
    assert!(keys.len() > 250, "{} keys", keys.len());
    let untried: Vec<&&str> = keys
        .iter()
        .filter(|key| !files.iter().any(|file| sets(file, key)))
        .collect();
    assert!(untried.is_empty(), "{untried:#?}");
}

#[test]
fn every_line_with_a_value_says_where_it_lands() {
    for (path, text) in files() {
        let mut depth_of_text = None;
        for (index, line) in text.lines().enumerate() {
            let depth = line.len() - line.trim_start().len();
            if depth_of_text.is_some_and(|limit| depth > limit) {
                continue;
            }
            depth_of_text = (line.contains(": |") || line.contains("yaml:")).then_some(depth);
            let is_comment = line.trim_start().starts_with('#');
            let says = line.contains(" #> ") || line.contains(" #! ");
            assert!(
                is_comment || says || line.ends_with(':'),
                "{path}:{}: {line}",
                index + 1
            );
        }
    }
}

/// The values of a flag of kube-apiserver or kube-controller-manager, rendered with `extraArgs` of this JSON.
fn flag_values(component: &str, deployment: &str, flag: &str, value: &Value) -> Vec<String> {
    let setting = format!("kubernetes.{component}.extraArgs.{flag}={value}");
    let finished = kubefarm([
        "render",
        "--name",
        "old",
        "-o",
        "json",
        "--set-json",
        &setting,
    ]);
    let objects = Objects::new(&serde_json::from_str(&finished.success()).expect("JSON"));
    let deployment = objects.get(&format!("Deployment/{deployment}"));
    let args = &deployment["spec"]["template"]["spec"]["containers"][0]["args"];
    let args = args.as_array().expect("arguments").iter();
    let prefix = format!("--{flag}=");
    args.filter_map(|arg| arg.as_str()?.strip_prefix(&prefix))
        .map(str::to_owned)
        .collect()
}

#[test]
fn flags_of_lists_are_added_to_ours() {
    let api = |flag, value: Value| {
        flag_values("apiServer", "old-kubernetes-apiserver", flag, &value).join(" ")
    };
    assert_eq!(
        api("enable-admission-plugins", "PodNodeSelector".into()),
        "NodeRestriction PodNodeSelector"
    );
    assert_eq!(
        api(
            "enable-admission-plugins",
            "NodeRestriction,PodNodeSelector,AlwaysAdmit".into()
        ),
        "NodeRestriction PodNodeSelector,AlwaysAdmit"
    );
    assert_eq!(api("enable-admission-plugins", Value::Null), "");
    assert_eq!(
        api("authorization-mode", "Webhook".into()),
        "Node,RBAC Webhook"
    );
    assert_eq!(api("authorization-config", "/etc/x".into()), "/etc/x");
    let manager = |value: Value| {
        let name = "old-kubernetes-controller-manager";
        flag_values("controllerManager", name, "controllers", &value).join(" ")
    };
    assert_eq!(
        manager("-nodeipam".into()),
        "*,bootstrapsigner,tokencleaner -nodeipam"
    );
    assert_eq!(
        manager("-tokencleaner".into()),
        "*,bootstrapsigner -tokencleaner"
    );
}

#[test]
fn the_users_issuer_signs_and_ours_is_accepted() {
    let issuers = |value: Value| {
        let name = "old-kubernetes-apiserver";
        flag_values("apiServer", name, "service-account-issuer", &value).join(" ")
    };
    let ours = "https://kubernetes.default.svc.cluster.local";
    let theirs = "https://id.example.org";
    assert_eq!(issuers(theirs.into()), format!("{theirs} {ours}"));
    assert_eq!(
        issuers(vec![theirs, "https://b"].into()),
        format!("{theirs} https://b {ours}")
    );
    assert_eq!(issuers(ours.into()), ours);
    assert_eq!(
        issuers(vec![ours, theirs].into()),
        format!("{ours} {theirs}")
    );
    assert_eq!(issuers(Value::Null), "");
}

#[test]
fn an_old_api_server_gets_no_new_configuration() {
    let rendered = |tag: &str| {
        let setting = format!("kubernetes.apiServer.image.tag={tag}");
        kubefarm(["render", "--set-string", &setting]).success()
    };
    for (tag, is_new) in [("v1.33.5", false), ("v1.34.0", true), ("mine", true)] {
        let reported = rendered(tag).contains("--authentication-config=");
        assert_eq!(reported, is_new, "{tag}");
    }
}
