//! Null, and an empty text, in place of each default: not set, or an error at its place that says what is needed.

use std::collections::BTreeSet;

use kubefarm::chart::Charts;
use kubefarm::farm;
use kubefarm::render::render;
use kubefarm::values::{Input, Loaded, Path, Problem, Severity, load_with_removed, put_at_nulls};
use serde_json::{Value, json};

/// What no farm can be without: the ends of paths.
const NEEDED: [&str; 24] = [
    // Quantities of the user's: null leaves them out, and an empty text is not one where its pods are rendered.
    "resources.requests.cpu",
    "resources.requests.memory",
    "resources.limits.memory",
    "image.repository",
    "kubernetes.version",
    "kubernetes.networking.dnsDomain",
    "kubernetes.networking.serviceSubnet",
    "kubernetes.etcd.replicaCount",
    "persistence.size",
    "persistence.backup.size",
    "persistence.accessModes",
    "persistence.backup.accessModes",
    "tokenGenerator.tokenTtl",
    ".schedule",
    ".port",
    "kubernetes.agent.metricsPort",
    "kubernetes.konnectivityServer.mode",
    "pki.mode",
    "pki.algorithm",
    "pki.size",
    "dhcp.mode",
    // Without its Service etcd's members do not find each other, and without etcd there is nothing to serve.
    "kubernetes.etcd.service.enabled",
    "kubernetes.etcd.enabled",
    // Without it, Kubernetes makes a Service that nothing outside of the admin cluster reaches.
    "kubernetes.apiServer.service.type",
];

fn is_needed(path: &str) -> bool {
    let is_a_port = path.contains("orts.") && !path.contains("nodePorts");
    // Unset, these two are what the server's own ports are.
    let follows = path.contains("konnectivityServer.service.ports.") && !path.ends_with("server");
    is_a_port && !follows || NEEDED.iter().any(|end| path.ends_with(end))
}

/// Every path of the defaults, sections included.
fn paths(at: &str, value: &Value, found: &mut Vec<String>) {
    for (key, value) in value.as_object().into_iter().flatten() {
        // A dot in a key would need an escape, and stands in maps of the user's own only.
        if !key.contains('.') {
            let path = match at {
                "" => key.clone(),
                at => format!("{at}.{key}"),
            };
            paths(&path, value, found);
            found.push(path);
        }
    }
}

fn layer(path: &str, value: &Value) -> Value {
    let keys = path.rsplit('.');
    keys.fold(value.clone(), |inner, key| json!({key: inner}))
}

fn loaded(layer: &Value) -> Loaded {
    let input = Input::Builtin {
        name: "layer".to_owned(),
        text: layer.to_string(),
    };
    // Several members need their volumes.
    let one_member = Input::Builtin {
        name: "one_member".to_owned(),
        text: json!({"kubernetes": {"etcd": {"replicaCount": 1}}}).to_string(),
    };
    let inputs = [one_member, input];
    load_with_removed(&Charts::embedded().default_values(), &inputs).expect("values")
}

fn problems(loaded: &Loaded) -> Vec<Problem> {
    let mut problems = farm::check(&loaded.tree, Some("farm"), "space", || None).problems;
    put_at_nulls(&mut problems, &loaded.removed);
    problems.retain(|problem| problem.severity == Severity::Error);
    problems
}

fn defaults() -> Value {
    let loaded = load_with_removed(&Charts::embedded().default_values(), &[]).expect("defaults");
    Value::from(&loaded.tree)
}

#[test]
fn nothing_in_place_of_a_default_is_not_set_or_reported() {
    let mut all = Vec::new();
    paths("", &defaults(), &mut all);
    assert!(all.len() > 500, "{} paths", all.len());
    let mut complaints = Vec::new();
    let mut refused = BTreeSet::new();
    for (path, nothing) in all
        .iter()
        .flat_map(|path| [(path, Value::Null), (path, Value::from(""))])
    {
        let layer = layer(path, &nothing);
        let found = problems(&loaded(&layer));
        if !found.is_empty() {
            refused.insert(path.as_str());
        }
        for problem in found {
            let place = problem.origin.as_ref().map(ToString::to_string);
            let is_here = place
                .as_deref()
                .is_some_and(|place| place.starts_with("builtin:layer:"));
            let about = problem.path.clone().unwrap_or_default();
            if !is_here || !about.0.starts_with(&Path::from(path.as_str()).0) || !is_needed(path) {
                complaints.push(format!("{path}: {nothing}: {problem}"));
            }
        }
    }
    assert!(
        complaints.is_empty(),
        "{}\n{}",
        complaints.len(),
        complaints.join("\n")
    );
    let expected: BTreeSet<&str> = all
        .iter()
        .map(String::as_str)
        .filter(|path| is_needed(path) && !path.contains(".resources."))
        .collect();
    let silent: Vec<&&str> = expected.difference(&refused).collect();
    assert_eq!(
        silent,
        Vec::<&&str>::new(),
        "these can be left out after all"
    );
}

#[test]
fn all_that_may_be_unset_at_once_still_renders() {
    let mut all = Vec::new();
    paths("", &defaults(), &mut all);
    for nothing in [Value::Null, Value::from("")] {
        let is_scalar = |path: &&String| {
            let pointer = format!("/{}", path.replace('.', "/"));
            defaults()
                .pointer(&pointer)
                .is_some_and(|value| !value.is_object())
        };
        let mut tree = json!({"kubernetes": {"enabled": true}});
        for path in all.iter().filter(is_scalar).filter(|path| !is_needed(path)) {
            if path != "kubernetes.enabled" {
                merge(&mut tree, layer(path, &nothing));
            }
        }
        let loaded = loaded(&tree);
        let outcome = render(Charts::embedded(), &loaded, Some("farm"), "space");
        let outcome = outcome.unwrap_or_else(|failure| panic!("{nothing}: {failure:?}"));
        assert!(!outcome.manifest.objects().is_empty());
    }
}

fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}

/// Without `replicaCount` an autoscaler owns the number; all else that counts the pods is as it was.
#[test]
fn replicas_that_are_not_set_are_left_out() {
    let replicas = |layer: Value| -> Vec<(String, Value)> {
        let loaded = loaded(&layer);
        let outcome = render(Charts::embedded(), &loaded, Some("farm"), "space");
        let objects = outcome.expect("rendered").manifest.into_objects();
        let workloads = objects
            .into_iter()
            .filter(|object| object.kind() == "Deployment");
        workloads
            .map(|object| {
                let spec = &Value::Object(object.content.clone())["spec"];
                let update = &spec["strategy"]["rollingUpdate"]["maxUnavailable"];
                (object.name().to_owned(), json!([spec["replicas"], update]))
            })
            .collect()
    };
    let keys = [
        "apiServer",
        "controllerManager",
        "scheduler",
        "admin",
        "agent",
    ];
    let nobody: serde_json::Map<String, Value> = keys
        .map(|key| (key.to_owned(), json!({"replicaCount": null})))
        .into_iter()
        .collect();
    let found = replicas(json!({"kubernetes": nobody, "ltsp": {"replicaCount": ""}}));
    assert_eq!(found.len(), 6, "{found:?}");
    for (name, found) in found {
        assert_eq!(found, json!([null, "50%"]), "{name}");
    }
    for (name, found) in replicas(json!({"ltsp": {"replicaCount": 1}})) {
        assert!(found[0].is_u64() && found[1].is_u64(), "{name}: {found}");
    }
}
