use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::json;

use super::directory::MARKER;
use super::*;

fn object(version: &str, kind: &str, name: &str) -> Object {
    let json = json!({"apiVersion": version, "kind": kind, "metadata": {"name": name}});
    parse("kubernetes/templates/x.yaml", &json.to_string())
        .unwrap()
        .remove(0)
}

fn with_data(kind: &str, field: &str, text: &str) -> Object {
    let mut object = object("v1", kind, "a");
    object
        .content
        .insert(field.to_owned(), json!({"key": text}));
    object
}

fn manifest(objects: Vec<Object>) -> Manifest {
    Manifest::assemble(objects, "farm").unwrap()
}

fn secret(name: &str) -> Manifest {
    manifest(vec![
        object("v1", "Secret", name),
        object("v1", "Service", name),
    ])
}

#[test]
fn objects_come_in_install_order_and_stay_stable_inside_a_kind() {
    let kinds = [
        ("example.org/v1", "Zebra"),
        ("dnsmasq.kvaps.cf/v1beta1", "DhcpHosts"),
        ("batch/v1", "CronJob"),
        ("batch/v1", "Job"),
        ("apps/v1", "StatefulSet"),
        ("v1", "PersistentVolumeClaim"),
        ("v1", "Service"),
        ("cert-manager.io/v1", "Certificate"),
        ("cert-manager.io/v1", "Issuer"),
        ("v1", "ConfigMap"),
        ("v1", "Secret"),
        ("rbac.authorization.k8s.io/v1", "RoleBinding"),
        ("v1", "ServiceAccount"),
        ("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
        ("v1", "Namespace"),
    ];
    let objects = kinds
        .iter()
        .flat_map(|(version, kind)| ["b", "a"].map(|name| object(version, kind, name)))
        .collect();
    let found: Vec<String> = manifest(objects)
        .objects()
        .iter()
        .map(|object| format!("{} {}", object.kind(), object.name()))
        .collect();
    let expected: Vec<String> = kinds
        .iter()
        .rev()
        .flat_map(|(_, kind)| ["b", "a"].map(|name| format!("{kind} {name}")))
        .collect();
    assert_eq!(found, expected);
    // Knative's Service is not the core one.
    assert!(
        order::rank(&object("serving.knative.dev/v1", "Service", "a"))
            > order::rank(&object("batch/v1", "Job", "a"))
    );
}

#[test]
fn namespaced_objects_get_a_namespace() {
    let mut elsewhere = object("v1", "Secret", "a");
    elsewhere.set_namespace("other");
    let role = object("rbac.authorization.k8s.io/v1", "ClusterRole", "a");
    let found: Vec<Option<String>> = manifest(vec![role, elsewhere, object("v1", "Service", "a")])
        .objects()
        .iter()
        .map(|object| object.namespace().map(str::to_owned))
        .collect();
    assert_eq!(
        found,
        [None, Some("other".to_owned()), Some("farm".to_owned())]
    );
}

#[test]
fn an_object_is_rendered_once() {
    let mut second = object("apps/v1beta1", "Deployment", "a");
    second.source = "ltsp/templates/y.yaml".to_owned();
    let error = Manifest::assemble(
        vec![object("apps/v1", "Deployment", "a"), second.clone()],
        "farm",
    )
    .unwrap_err()
    .to_string();
    assert_eq!(
        error,
        "Deployment farm/a is rendered twice: by kubernetes/templates/x.yaml and by ltsp/templates/y.yaml"
    );
    second.set_namespace("other");
    assert!(Manifest::assemble(vec![object("apps/v1", "Deployment", "a"), second], "farm").is_ok());
}

#[test]
fn an_object_that_is_too_large_is_refused() {
    let text = |size: usize| "x".repeat(size);
    for kind in ["ConfigMap", "Secret"] {
        let field = if kind == "Secret" {
            "stringData"
        } else {
            "data"
        };
        assert!(
            Manifest::assemble(
                vec![with_data(kind, field, &text(limits::DATA_LIMIT))],
                "farm"
            )
            .is_ok()
        );
        let error = Manifest::assemble(
            vec![with_data(kind, field, &text(limits::DATA_LIMIT + 1))],
            "farm",
        );
        let error = error.unwrap_err().to_string();
        assert!(
            error.contains(&format!("{kind} farm/a")) && error.contains("1048577"),
            "{error}"
        );
        assert!(
            error.contains("1048576") && error.contains("x.yaml"),
            "{error}"
        );
    }
    // Base64 counts with its decoded size.
    let encoded = text(limits::DATA_LIMIT / 3 * 4);
    assert!(Manifest::assemble(vec![with_data("Secret", "data", &encoded)], "farm").is_ok());
    assert!(
        Manifest::assemble(vec![with_data("ConfigMap", "binaryData", &encoded)], "farm").is_ok()
    );
    assert!(Manifest::assemble(vec![with_data("ConfigMap", "data", &encoded)], "farm").is_err());
    let other = |size| Manifest::assemble(vec![with_data("Pod", "spec", &text(size))], "farm");
    assert!(other(limits::OBJECT_LIMIT - 200).is_ok());
    assert!(
        other(limits::OBJECT_LIMIT)
            .unwrap_err()
            .to_string()
            .contains("etcd")
    );
}

#[test]
fn both_formats_hold_the_same_objects() {
    let manifest = secret("on");
    let (mut yaml, mut json) = (Vec::new(), Vec::new());
    write_yaml(&manifest, &mut yaml).unwrap();
    write_json(&manifest, &mut json).unwrap();
    let yaml = String::from_utf8(yaml).unwrap();
    assert!(
        yaml.starts_with("---\n# Source: kubernetes/templates/x.yaml\napiVersion: v1\n"),
        "{yaml}"
    );
    assert_eq!(
        parse("kubernetes/templates/x.yaml", &yaml).unwrap(),
        manifest.objects()
    );
    let json = String::from_utf8(json).unwrap();
    assert!(
        json.ends_with("}\n") && json.contains("\n  \"items\": ["),
        "{json}"
    );
    assert_eq!(
        parse("kubernetes/templates/x.yaml", &json).unwrap(),
        manifest.objects()
    );
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_folder_is_written_and_replaced_as_a_whole() {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("new/out");
    write_directory(&secret("a"), &dir).unwrap();
    assert_eq!(names(&dir), [MARKER, "secret-a.yaml", "service-a.yaml"]);
    let mode = |file: &str| fs::metadata(dir.join(file)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("secret-a.yaml"), 0o600);
    assert_ne!(mode("service-a.yaml"), 0o600);
    let text = fs::read_to_string(dir.join("secret-a.yaml")).unwrap();
    assert!(
        text.starts_with("---\n# Source: kubernetes/templates/x.yaml\n"),
        "{text}"
    );

    write_directory(&secret("b"), &dir).unwrap();
    assert_eq!(names(&dir), [MARKER, "secret-b.yaml", "service-b.yaml"]);
    assert_eq!(names(&parent.path().join("new")), ["out"]);
    fs::create_dir(parent.path().join("empty")).unwrap();
    write_directory(&secret("a"), &parent.path().join("empty")).unwrap();
}

#[test]
fn a_folder_with_other_files_is_left_alone() {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("out");
    fs::create_dir(&dir).unwrap();
    fs::write(dir.join("mine.txt"), "x").unwrap();
    let refused = || write_directory(&secret("a"), &dir).unwrap_err().to_string();
    assert!(refused().contains("did not write"));
    fs::remove_file(dir.join("mine.txt")).unwrap();
    write_directory(&secret("a"), &dir).unwrap();
    fs::write(dir.join("mine.txt"), "x").unwrap();
    assert!(refused().contains("mine.txt"));
    assert_eq!(
        names(&dir),
        [MARKER, "mine.txt", "secret-a.yaml", "service-a.yaml"]
    );
    assert_eq!(names(parent.path()), ["out"]);
    fs::write(parent.path().join("file"), "x").unwrap();
    assert!(write_directory(&secret("a"), &parent.path().join("file")).is_err());
}

#[test]
fn after_an_interrupted_run_the_next_one_cleans_up() {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("out");
    write_directory(&secret("a"), &dir).unwrap();
    // Interrupted while it wrote.
    let staging = parent.path().join(".out.kubefarm-new");
    fs::create_dir(&staging).unwrap();
    fs::write(staging.join(MARKER), "secret-b.yaml\nservice-b.yaml\n").unwrap();
    fs::write(staging.join("secret-b.yaml"), "half").unwrap();
    write_directory(&secret("c"), &dir).unwrap();
    assert_eq!(names(&dir), [MARKER, "secret-c.yaml", "service-c.yaml"]);
    // Interrupted between the two renames of a file system that cannot exchange folders.
    fs::rename(&dir, parent.path().join(".out.kubefarm-old")).unwrap();
    fs::write(parent.path().join(".out.kubefarm-old/mine.txt"), "x").unwrap();
    let refused = write_directory(&secret("d"), &dir).unwrap_err();
    assert!(refused.to_string().contains("mine.txt"), "{refused}");
    fs::remove_file(parent.path().join(".out.kubefarm-old/mine.txt")).unwrap();
    write_directory(&secret("d"), &dir).unwrap();
    assert_eq!(names(&dir), [MARKER, "secret-d.yaml", "service-d.yaml"]);
    assert_eq!(names(parent.path()), ["out"]);
}

#[test]
fn files_in_place_of_temporary_folders_are_left_alone() {
    for name in [".out.kubefarm-new", ".out.kubefarm-old"] {
        let parent = tempfile::tempdir().unwrap();
        let dir = parent.path().join("out");
        let place = parent.path().join(name);
        let refused = || write_directory(&secret("a"), &dir).unwrap_err().to_string();
        fs::create_dir(&place).unwrap();
        fs::write(place.join("thesis.txt"), "years").unwrap();
        assert!(
            refused().contains(name) && refused().contains("did not write"),
            "{}",
            refused()
        );
        assert_eq!(names(&place), ["thesis.txt"]);
        fs::rename(&place, parent.path().join("elsewhere")).unwrap();
        for make in [
            |place: &Path| fs::write(place, "a file").unwrap(),
            |place: &Path| std::os::unix::fs::symlink("elsewhere", place).unwrap(),
        ] {
            make(&place);
            assert!(
                refused().contains(name) && refused().contains("not a folder"),
                "{}",
                refused()
            );
            fs::remove_file(&place).unwrap();
        }
        assert_eq!(names(&parent.path().join("elsewhere")), ["thesis.txt"]);
        assert!(!dir.exists());
    }
}

#[test]
fn runs_at_the_same_time_leave_one_of_their_results() {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("out");
    std::thread::scope(|scope| {
        for name in ["a", "b", "c", "d"] {
            let dir = &dir;
            scope.spawn(move || {
                for _ in 0..10 {
                    write_directory(&secret(name), dir).unwrap();
                }
            });
        }
    });
    let found = names(&dir);
    assert_eq!(found.len(), 3, "{found:?}");
    assert_eq!(found[1].replace("secret", "service"), found[2]);
}
