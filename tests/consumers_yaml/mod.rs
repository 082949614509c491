//! Every YAML document that is rendered means the same to kubectl, PyYAML, serde_yaml and `-o json`.

use crate::support::farms::{Farm, Objects, big_values, generic, matrix};
use crate::support::yaml_readers::{assert_same, by_identity, kubectl, kustomize, pyyaml, serde};
use serde_json::{Value, json};

/// Texts that some YAML reader takes for a number, a date, a boolean, nothing, or syntax.
const NASTY: [&str; 46] = [
    "no",
    "Yes",
    "on",
    "OFF",
    "y",
    "N",
    "true",
    "null",
    "~",
    "",
    "1_000",
    "1:30",
    "12:30:45",
    "0777",
    "0o17",
    "0x1F",
    "0b1",
    "=",
    "<<",
    "2001-01-01",
    "2001-12-14t21:59:43.10-05:00",
    "1e3",
    ".5",
    ".inf",
    ".NaN",
    "-0",
    "+1",
    "1.",
    "123456789012345678901234567890",
    "- a",
    "a: b",
    "a #b",
    "# a",
    "&a",
    "*a",
    "!a",
    "%a",
    "@a",
    "`a",
    "---",
    "...",
    "{{ x }}",
    "a\nb\n",
    "\ta\t",
    "\u{85}\u{2028}\u{feff}",
    "'\"\\ \u{1f600} ü",
];

/// Fails where a reader sees something else than `expected`.
#[track_caller]
fn assert_read_alike(name: &str, text: &str, expected: &[Value]) {
    assert_same(
        &format!("{name}: serde_yaml"),
        &serde(text).into(),
        &expected.into(),
    );
    if let Some(read) = kubectl(text) {
        assert_same(&format!("{name}: kubectl"), &read.into(), &expected.into());
    }
}

#[test]
fn every_document_of_every_farm_is_read_alike() {
    let farms = matrix();
    let texts: Vec<String> = farms.iter().map(Farm::yaml).collect();
    let objects: Vec<Objects> = farms.iter().map(Farm::objects).collect();
    for ((farm, text), objects) in farms.iter().zip(&texts).zip(&objects) {
        assert_read_alike(&farm.name, text, &objects.0);
        if let Some(read) = kustomize(text) {
            let reader = format!("{}: kustomize", farm.name);
            assert_same(&reader, &by_identity(&read), &by_identity(&objects.0));
        }
    }
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    for (number, read) in pyyaml(&texts).into_iter().flatten().enumerate() {
        let reader = format!("{}: PyYAML", farms[number].name);
        assert_same(&reader, &read.into(), &objects[number].0.clone().into());
    }
}

/// What is applied inside the child cluster, and what components read from files.
#[test]
fn yaml_inside_of_objects_is_read_alike() {
    for farm in matrix() {
        let objects = farm.objects();
        let files = objects.all_files();
        let is_yaml = |name: &str| name.ends_with(".yaml") || name.ends_with("admin.conf");
        let texts: Vec<(&str, &str)> = files
            .iter()
            .filter(|(name, _)| is_yaml(name))
            .map(|(name, text)| (name.as_str(), text.as_str()))
            .collect();
        let read: Vec<Vec<Value>> = texts.iter().map(|(_, text)| serde(text)).collect();
        for ((name, text), documents) in texts.iter().zip(&read) {
            assert!(!documents.is_empty(), "{}: {name}", farm.name);
            if name.contains("-addons/") {
                assert_read_alike(&format!("{}: {name}", farm.name), text, documents);
            }
        }
        let texts: Vec<&str> = texts.iter().map(|(_, text)| *text).collect();
        if let Some(pyyaml) = pyyaml(&texts) {
            let reader = format!("{}: PyYAML", farm.name);
            assert_same(&reader, &pyyaml.into(), &read.into());
        }
    }
}

/// A values file, written as JSON, with every nasty text as a value and, where Kubernetes has no rule, as a key.
fn nasty_values(folder: &std::path::Path) -> (std::path::PathBuf, Value, Value) {
    let numbered = NASTY.iter().enumerate();
    let values: Value = numbered
        .clone()
        .map(|(number, text)| (format!("n{number}"), json!(text)))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let keys: Value = numbered
        .filter(|(_, text)| !text.is_empty())
        .map(|(number, text)| ((*text).to_owned(), json!(format!("v{number}"))))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let layer = json!({
        "kubernetes": {
            "apiServer": {
                "podAnnotations": values,
                "extraVolumes": [{"name": "v", "csi": {"driver": "d", "volumeAttributes": keys}}],
            },
            "extraManifests": {"nasty.yaml": {
                "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "nasty"},
                "data": values, "binaryData": keys,
            }},
        },
        "ltsp": {"config": {"extraFiles": values}},
    });
    let file = folder.join("nasty.json");
    std::fs::write(&file, layer.to_string()).expect("written");
    (file, values, keys)
}

#[test]
fn texts_that_look_like_something_else_stay_texts() {
    let folder = tempfile::tempdir().expect("a folder");
    let (file, values, keys) = nasty_values(folder.path());
    let farm = generic().with_file(&file);
    let (text, objects) = (farm.yaml(), farm.objects());
    assert_read_alike("nasty", &text, &objects.0);
    if let Some(read) = pyyaml(&[&text]) {
        assert_same("PyYAML", &read[0].clone().into(), &objects.0.clone().into());
    }
    let pod = &objects.get("Deployment", "kubefarm-kubernetes-apiserver")["spec"]["template"];
    let volumes = pod["spec"]["volumes"].as_array().expect("a list");
    let volume = volumes.iter().find(|volume| volume["name"] == "v");
    assert_eq!(volume.expect("the volume")["csi"]["volumeAttributes"], keys);
    let boot_files = &objects.get("ConfigMap", "kubefarm-kubernetes-ltsp")["data"];
    for (key, value) in values.as_object().expect("a map") {
        assert_eq!(&pod["metadata"]["annotations"][key], value);
        assert_eq!(&boot_files[key], value);
    }
    let manifests = objects.get("Secret", "kubefarm-kubernetes-extra-manifests");
    let (_, manifest) = &Objects::files(manifests)[0];
    let inner = serde(manifest);
    assert_eq!(
        (&inner[0]["data"], &inner[0]["binaryData"]),
        (&values, &keys)
    );
    if let Some(read) = pyyaml(&[manifest]) {
        assert_eq!(read, [inner], "PyYAML");
    }
}

/// etcd takes 1.5 MiB, a ConfigMap holds 1 MiB, and no node may get lost on the way.
#[test]
fn big_farms_are_read_alike_and_fit() {
    let folder = tempfile::tempdir().expect("a folder");
    for (count, least_parts) in [(2_000, 1), (20_000, 4)] {
        let file = folder.path().join("nodes.yaml");
        std::fs::write(&file, big_values(count)).expect("written");
        for mode in ["controller", "standalone"] {
            let farm = Farm::new(format!("{count} nodes"), &format!("--set dhcp.mode={mode}"));
            let farm = farm.with_file(&file);
            let objects = farm.objects();
            assert_sizes(&objects);
            let parts = host_parts(&objects, mode);
            assert!(parts.len() >= least_parts, "{count} nodes, {mode}");
            assert_eq!(parts.iter().sum::<usize>(), count, "{mode}");
            if count < 10_000 {
                assert_read_alike(&farm.name, &farm.yaml(), &objects.0);
            }
        }
    }
}

fn assert_sizes(objects: &Objects) {
    for object in &objects.0 {
        let name = &object["metadata"]["name"];
        assert!(object.to_string().len() < 1536 * 1024, "{name}");
        let data: usize = Objects::files(object)
            .iter()
            .map(|(_, text)| text.len())
            .sum();
        assert!(data < 1024 * 1024, "{name}");
    }
}

/// How many hosts each object with hosts has.
fn host_parts(objects: &Objects, mode: &str) -> Vec<usize> {
    if mode == "controller" {
        let hosts = |object: &Value| object["spec"]["hosts"].as_array().expect("a list").len();
        return objects.of_kind("DhcpHosts").map(hosts).collect();
    }
    objects
        .all_files()
        .iter()
        .filter(|(name, _)| name.contains("-ltsp-clients"))
        .map(|(_, text)| text.lines().filter(|line| !line.is_empty()).count())
        .collect()
}
