//! `--chart-dir`: a folder of one's own over the embedded charts.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::cli::assert_refused;
use crate::support::{Finished, kubefarm, run};

/// A chart folder with these files.
fn charts(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("made");
        fs::write(path, text).expect("written");
    }
    folder
}

fn render(folder: &Path, args: &[&str]) -> Finished {
    let folder = folder.to_str().expect("text");
    kubefarm(["render", "--chart-dir", folder].iter().chain(args))
}

const CONFIG_MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ etcd.name ~ \"-note\" }}}\ndata: {text: {{ file(\"note.sh\") }}}\n";

#[test]
fn an_empty_folder_changes_nothing() {
    let folder = charts(&[(".git/config", "x"), ("kubernetes/templates/.hidden", "x")]);
    let plain = kubefarm(["render"]).success();
    assert_eq!(render(folder.path(), &[]).success(), plain);
}

#[test]
fn a_template_is_replaced() {
    let folder = charts(&[("kubernetes/templates/etcd.yaml", "# Nothing.\n")]);
    let text = render(folder.path(), &[]).success();
    assert!(!text.contains("# Source: kubernetes/templates/etcd.yaml"));
    assert!(text.contains("# Source: kubernetes/templates/apiserver.yaml"));
}

#[test]
fn a_template_is_added_with_a_file_of_its_own() {
    let script = "echo {{ release.name }}\n";
    let folder = charts(&[
        ("kubernetes/templates/note.yaml", CONFIG_MAP),
        ("kubernetes/files/note.sh", script),
    ]);
    let text = render(
        folder.path(),
        &["--name", "farm1", "--show-only", "note.yaml"],
    )
    .success();
    assert!(
        text.contains("name: farm1-kubernetes-etcd-note\n"),
        "{text}"
    );
    assert!(text.contains("echo farm1\n"), "{text}");
}

#[test]
fn defaults_are_replaced_too() {
    let defaults = fs::read_to_string("charts/addons/values.yaml").expect("the chart");
    let defaults = defaults.replacen("replicaCount: 2", "replicaCount: 7", 1);
    let folder = charts(&[("addons/values.yaml", &defaults)]);
    let folder = folder.path().to_str().expect("text");
    let values = kubefarm(["values", "-o", "json", "--chart-dir", folder]).success();
    let values: serde_json::Value = serde_json::from_str(&values).expect("JSON");
    assert_eq!(values["kubernetes"]["coredns"]["replicaCount"], 7);
}

#[test]
fn mistakes_in_templates_have_a_place() {
    let table = [
        (
            "\n\nname: {{ etcd.replica }}\n",
            "kubernetes/templates/x.yaml:3: ",
            "replica",
        ),
        (
            "{% if %}\n",
            "kubernetes/templates/x.yaml:1: ",
            "syntax error",
        ),
        (
            "a: {{ file(\"nothing.sh\") }}\n",
            "kubernetes/templates/x.yaml:1: ",
            "nothing.sh",
        ),
        (
            "\n{{ fail(\"not today\") }}\n",
            "kubernetes/templates/x.yaml:2: ",
            "not today",
        ),
        (
            "{% for n in range(3) %}\n- a\n{% endfor %}\na: [\n",
            "rendered kubernetes/templates/x.yaml:4:",
            "not valid YAML",
        ),
        (
            "kind: ConfigMap\n",
            "rendered kubernetes/templates/x.yaml:1:1: document 1",
            "apiVersion",
        ),
        (
            "- a\n",
            "rendered kubernetes/templates/x.yaml:1:1: document 1",
            "",
        ),
    ];
    for (text, place, message) in table {
        let folder = charts(&[("kubernetes/templates/x.yaml", text)]);
        assert_refused(&render(folder.path(), &[]), &[place, message]);
    }
}

#[test]
fn the_same_object_twice_is_refused() {
    let object = "apiVersion: v1\nkind: Service\nmetadata: {name: kubefarm-kubernetes-etcd}\n";
    let folder = charts(&[("ltsp/templates/twice.yaml", object)]);
    let parts = [
        "rendered twice",
        "kubernetes/templates/etcd.yaml",
        "ltsp/templates/twice.yaml",
    ];
    assert_refused(&render(folder.path(), &[]), &parts);
}

#[test]
fn values_are_escaped_in_templates_of_ones_own() {
    let template =
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {a: {{ ltsp.labels.a }}}\n";
    let folder = charts(&[("ltsp/templates/x.yaml", template)]);
    let nasty = "ltsp.podAnnotations.a=\"\\, b: [}\n---\n";
    let template = template.replace("ltsp.labels.a", "ltsp.podAnnotations.a");
    fs::write(folder.path().join("ltsp/templates/x.yaml"), template).expect("written");
    let text = render(
        folder.path(),
        &["--set-string", nasty, "--show-only", "x.yaml"],
    )
    .success();
    let object: serde_yaml::Value = serde_yaml::from_str(&text).expect("one document");
    assert_eq!(object["data"]["a"], "\", b: [}\n---\n");
}

#[test]
fn folders_that_no_chart_would_use_are_refused() {
    let table = [
        (
            "kubernets/templates/a.yaml",
            "no chart has this name; the charts are kubernetes, addons, ltsp, dnsmasq",
        ),
        ("etcd.yaml", "no chart has this name"),
        ("kubernetes/etcd.yaml", "no chart uses this"),
        ("kubernetes/template/etcd.yaml", "no chart uses this"),
        ("kubernetes/templates/etcd.yaml~", "ends in .yaml"),
        ("kubernetes/templates/more/etcd.yaml.bak", "ends in .yaml"),
    ];
    for (file, message) in table {
        let folder = charts(&[(file, "x")]);
        assert_refused(
            &render(folder.path(), &[]),
            &[message, folder.path().to_str().expect("text")],
        );
    }
    let file = charts(&[("a", "x")]);
    assert_refused(&render(&file.path().join("a"), &[]), &["Not a directory"]);
    assert_refused(
        &render(Path::new("/does/not/exist"), &[]),
        &["/does/not/exist", "No such file"],
    );
}

#[test]
fn a_template_that_is_not_text_is_refused() {
    let folder = charts(&[]);
    fs::create_dir_all(folder.path().join("ltsp/templates")).expect("made");
    fs::write(folder.path().join("ltsp/templates/a.yaml"), b"\xff\xfe").expect("written");
    assert_refused(
        &render(folder.path(), &[]),
        &["ltsp/templates/a.yaml", "UTF-8"],
    );
}

#[test]
fn what_is_not_a_file_of_the_folder_is_refused() {
    let outside = charts(&[("secret.sh", "hunter2")]);
    let folder = charts(&[("ltsp/templates/a.yaml", "# Nothing.\n")]);
    let place = folder.path().join("ltsp/files/init.sh");
    let refused = |make: &dyn Fn(&Path), message: &str| {
        fs::create_dir_all(place.parent().expect("a parent")).expect("made");
        make(&place);
        assert_refused(
            &render(folder.path(), &[]),
            &["ltsp/files/init.sh: ", message],
        );
        if fs::symlink_metadata(&place).expect("there").is_dir() {
            fs::remove_dir_all(&place).expect("removed")
        } else {
            fs::remove_file(&place).expect("removed")
        }
    };
    let link = |target: &Path| {
        let target = target.to_owned();
        move |place: &Path| symlink(&target, place).expect("made")
    };
    refused(
        &link(&outside.path().join("secret.sh")),
        "leads out of the folder",
    );
    refused(&link(outside.path()), "leads out of the folder");
    refused(&link(folder.path()), "leads back to a folder that it is in");
    refused(&link(Path::new("gone")), "No such file");
    let pipe = |place: &Path| run(Command::new("mkfifo").arg(place)).success();
    refused(&|place| drop(pipe(place)), "it is not a file");
}

/// As the volume of a ConfigMap has them.
#[test]
fn links_inside_of_the_folder_are_followed() {
    let folder = charts(&[("..data/etcd.yaml", "# Nothing.\n")]);
    let templates = folder.path().join("kubernetes/templates");
    fs::create_dir_all(&templates).expect("made");
    symlink("../../..data/etcd.yaml", templates.join("etcd.yaml")).expect("made");
    let elsewhere = tempfile::tempdir().expect("a folder");
    let charts = elsewhere.path().join("charts");
    symlink(folder.path(), &charts).expect("made");
    for folder in [folder.path(), &charts] {
        let text = render(folder, &[]).success();
        assert!(!text.contains("# Source: kubernetes/templates/etcd.yaml"));
    }
}
