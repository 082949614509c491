//! `show`, `init`, `completions` and `man`.

use std::fs;

use crate::cli::{assert_failed, assert_refused};
use crate::support::{kubefarm, kubefarm_command, program, run, run_with_stdin};

/// Every embedded thing of a kind: the list, and each text by its name.
fn shown(kind: &str) -> Vec<(String, String)> {
    let list = kubefarm(["show", kind]).success();
    let name = |line: &str| line.split_whitespace().next().expect("a name").to_owned();
    let names = list.lines().map(name);
    names
        .map(|name| (name.clone(), kubefarm(["show", kind, &name]).success()))
        .collect()
}

#[test]
fn everything_embedded_can_be_shown_as_it_is_in_the_project() {
    for (name, text) in shown("layers") {
        assert_eq!(
            text,
            fs::read_to_string(format!("values/{name}.yaml")).expect("a layer")
        );
    }
    for (name, text) in shown("examples") {
        assert_eq!(
            text,
            fs::read_to_string(format!("examples/{name}/values.yaml")).expect("an example")
        );
    }
    let templates = shown("templates");
    assert!(
        templates
            .iter()
            .any(|(name, _)| name == "ltsp/files/ltsp.conf")
    );
    for (name, text) in templates {
        assert_eq!(
            text,
            fs::read_to_string(format!("charts/{name}")).expect("a chart's file")
        );
    }
}

#[test]
fn nothing_of_the_project_is_left_out() {
    let files = |folder: &str| fs::read_dir(folder).expect("a folder").count();
    assert_eq!(shown("layers").len(), files("values"));
    assert_eq!(shown("examples").len(), files("examples"));
    let list = kubefarm(["show", "layers"]).success();
    assert!(
        list.lines().all(|line| line.split_whitespace().count() > 3),
        "each has a summary:\n{list}"
    );
}

#[test]
fn default_values_are_shown_with_their_comments() {
    let of_one = kubefarm(["show", "values", "ltsp"]).success();
    assert_eq!(
        of_one,
        fs::read_to_string("charts/ltsp/values.yaml").expect("the chart")
    );
    let all = kubefarm(["show", "values"]).success();
    assert!(all.contains(&of_one) && all.contains("pki:\n"));
    assert_eq!(
        crate::support::kubefarm_with_stdin(["render", "-f", "-"], all).success(),
        kubefarm(["render"]).success(),
        "the defaults are values like any other"
    );
}

#[test]
fn unknown_names_get_a_suggestion() {
    assert_refused(
        &kubefarm(["show", "layers", "minmal"]),
        &["no layer", "did you mean minimal?"],
    );
    assert_refused(
        &kubefarm(["show", "examples", "generics"]),
        &["no example", "did you mean generic?"],
    );
    assert_refused(
        &kubefarm(["show", "values", "zzz"]),
        &["no chart", "kubernetes, addons, ltsp, dnsmasq"],
    );
    let template = kubefarm(["show", "templates", "kubernetes/templates/etc.yaml"]);
    assert_refused(&template, &["did you mean kubernetes/templates/etcd.yaml?"]);
}

#[test]
fn init_writes_a_farm_that_renders() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path().join("farms/farm1");
    let path = dir.to_str().expect("text");
    let finished = kubefarm([
        "init",
        path,
        "--example",
        "generic",
        "--example",
        "advanced_network",
    ]);
    assert_eq!((finished.code(), finished.stdout.as_str()), (0, ""));
    let mut names: Vec<_> = fs::read_dir(&dir)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    names.sort();
    assert_eq!(
        names,
        [
            "README.md",
            "advanced_network.md",
            "advanced_network.yaml",
            "values.yaml"
        ]
    );
    let command = finished
        .stderr
        .lines()
        .last()
        .expect("the next command")
        .trim();
    let args: Vec<&str> = command.split(' ').skip(1).collect();
    let embedded = kubefarm([
        "render",
        "-f",
        "builtin:generic",
        "-f",
        "builtin:advanced_network",
        "-f",
        "builtin:standalone-dhcp",
    ]);
    assert_eq!(kubefarm(args).success(), embedded.success());
}

#[test]
fn init_overwrites_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("README.md"), "mine").expect("written");
    let path = folder.path().to_str().expect("text");
    assert_refused(&kubefarm(["init", path]), &["README.md exists already"]);
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
    assert_refused(
        &kubefarm(["init", path, "--example", "genric"]),
        &["no example", "did you mean generic?"],
    );
}

#[test]
fn init_writes_here_by_default() {
    let folder = tempfile::tempdir().expect("a folder");
    run(kubefarm_command().current_dir(folder.path()).arg("init")).success();
    let values = fs::read_to_string(folder.path().join("values.yaml")).expect("the values");
    let [example, dhcp] = [
        "examples/generic/values.yaml",
        "values/standalone-dhcp.yaml",
    ]
    .map(|path| fs::read_to_string(path).expect("an embedded file"));
    let rest = values.strip_prefix(example.as_str());
    let rest = rest.expect("the example, and no other change").to_owned();
    assert!(rest.ends_with(&dhcp), "{rest}");
}

#[test]
fn completions_are_scripts_that_name_every_command() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = kubefarm(["completions", shell]).success();
        // The others ask, see `completions`.
        for command in ["render", "values", "show-only", "completions"] {
            let asks = script.contains("__complete ");
            assert!(asks || script.contains(command), "{shell}: {command}");
        }
        if let Some(path) = (shell == "bash").then(|| program("bash", "bash")).flatten() {
            run_with_stdin(
                std::process::Command::new(path).args(["-n", "/dev/stdin"]),
                &script,
            )
            .success();
        }
    }
}

#[test]
fn manual_pages_exist_for_every_command() {
    let page = kubefarm(["man"]).success();
    assert!(page.contains(".TH kubefarm 1") && page.contains("kubefarm\\-render(1)"));
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().to_str().expect("text");
    kubefarm(["man", "--output-dir", path]).success();
    for command in [
        "render",
        "values",
        "schema",
        "show",
        "init",
        "completions",
        "man",
    ] {
        let page = fs::read_to_string(folder.path().join(format!("kubefarm-{command}.1")));
        assert!(page.expect("a page").contains("Examples:"), "{command}");
    }
    assert_failed(
        &kubefarm(["man", "--output-dir", "/does/not/exist"]),
        1,
        &["/does/not/exist"],
    );
}

/// A pipeline's variable for `render` is nothing to it, and what a link leads to is not written to.
#[test]
fn manual_pages_go_where_they_are_asked_for_only() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path();
    let page = run(kubefarm_command()
        .arg("man")
        .env("KUBEFARM_OUTPUT_DIR", path));
    assert!(page.success().contains(".TH kubefarm 1"));
    assert_eq!(fs::read_dir(path).expect("a folder").count(), 0);

    let victim = path.join("victim");
    fs::write(&victim, "mine").expect("written");
    fs::create_dir(path.join("man1")).expect("made");
    std::os::unix::fs::symlink(&victim, path.join("man1/kubefarm.1")).expect("made");
    let mut command = kubefarm_command();
    command
        .arg("man")
        .env("KUBEFARM_MAN_OUTPUT_DIR", path.join("man1"));
    run(&mut command).success();
    assert_eq!(fs::read_to_string(victim).expect("text"), "mine");
    let page = fs::read_to_string(path.join("man1/kubefarm.1")).expect("text");
    assert!(page.contains(".TH kubefarm 1"));
    let others = fs::read_dir(path.join("man1")).expect("a folder");
    let others = others.map(|entry| entry.expect("an entry").file_name());
    assert!(
        others
            .into_iter()
            .all(|name| name.to_string_lossy().starts_with("kubefarm"))
    );
}

#[test]
fn man_can_show_the_page() {
    let Some(man) = program("man", "man-db") else {
        return;
    };
    let page = kubefarm(["man"]).success();
    let mut command = std::process::Command::new(man);
    command.args(["--local-file", "-"]).env("MANPAGER", "cat");
    let text = run_with_stdin(&mut command, page);
    assert!(
        text.status.success() && text.stdout.contains("EXTRA")
            || text.stdout.contains("SUBCOMMANDS")
    );
}
