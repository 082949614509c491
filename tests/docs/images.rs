//! The image build files name the versions that the rest of the project names, and what they copy is there.

use std::fs;
use std::process::Command;

use crate::support::{kubefarm, project, run};

const DOCKERFILE: &str = "images/tools/Dockerfile";
const BOOT_DOCKERFILE: &str = "images/boot/Dockerfile";
const SCRIPT: &str = "images/tools/build.sh";

fn text(file: &str) -> String {
    let path = project().join(file);
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// The instructions of a Dockerfile, each on one line, without comments.
fn instructions(file: &str) -> Vec<String> {
    let text = text(file);
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let joined = lines.collect::<Vec<_>>().join("\n").replace("\\\n", " ");
    let instructions = joined.lines().filter(|line| !line.is_empty());
    instructions.map(str::to_owned).collect()
}

/// The default of a build argument.
#[track_caller]
fn argument(file: &str, name: &str) -> String {
    let start = format!("ARG {name}=");
    let found = instructions(file)
        .into_iter()
        .find_map(|line| Some(line.strip_prefix(&start)?.to_owned()));
    found.unwrap_or_else(|| panic!("no {start}"))
}

#[test]
fn the_image_has_the_versions_of_the_charts_and_of_the_crate() {
    let defaults = kubefarm(["show", "values", "kubernetes"]).success();
    let values: serde_json::Value = serde_yaml::from_str(&defaults).expect("YAML");
    assert_eq!(
        argument(DOCKERFILE, "KUBERNETES_VERSION"),
        values["kubernetes"]["version"]
    );
    let crate_file: toml::Value = toml::from_str(&text("Cargo.toml")).expect("TOML");
    let package = &crate_file["package"];
    assert_eq!(
        Some(argument(DOCKERFILE, "RUST_VERSION").as_str()),
        package["rust-version"].as_str()
    );
    let image = values["kubernetes"]["admin"]["image"]["repository"].as_str();
    let tag = format!(
        "{}:v{}",
        image.expect("a name"),
        package["version"].as_str().expect("a version")
    );
    let dockerfile = text(DOCKERFILE);
    assert!(dockerfile.contains(&tag), "it is not called {tag}");
    let program = format!("\"kubefarm {} ", package["version"].as_str().expect("one"));
    assert!(dockerfile.contains(&program), "no {program}");
    assert_eq!(script_default("name"), tag);
}

/// Both images are built for the same Kubernetes, with the same Rust, on the same Debian.
#[test]
fn the_boot_image_has_the_versions_of_the_tools_image() {
    for name in ["KUBERNETES_VERSION", "RUST_VERSION", "DEBIAN_RELEASE"] {
        assert_eq!(argument(BOOT_DOCKERFILE, name), argument(DOCKERFILE, name));
    }
    let defaults = kubefarm(["show", "values", "ltsp"]).success();
    let values: serde_json::Value = serde_yaml::from_str(&defaults).expect("YAML");
    let image = values["ltsp"]["image"]["repository"].as_str();
    let tag = format!("{}:v{}", image.expect("a name"), env!("CARGO_PKG_VERSION"));
    assert_eq!(text(BOOT_DOCKERFILE).matches(&tag).count(), 2, "{tag}");
}

/// What the stages of the boot image copy out of the folder `images` is there.
#[test]
fn what_the_boot_image_copies_is_there() {
    let copied = copied(BOOT_DOCKERFILE);
    assert!(copied.len() > 2, "{copied:?}");
    for name in copied {
        assert!(project().join("images").join(&name).exists(), "{name}");
    }
}

/// The default of an option of the script.
#[track_caller]
fn script_default(name: &str) -> String {
    let text = text(SCRIPT);
    let words = text.lines().filter(|line| !line.starts_with([' ', '#']));
    let mut words = words.flat_map(str::split_whitespace);
    let start = format!("{name}=");
    let found = words.find_map(|word| word.strip_prefix(&start));
    found.unwrap_or_else(|| panic!("no {start}")).to_owned()
}

/// With an engine and without, the same is built; and what the script says of its defaults is so.
#[test]
fn the_script_has_the_versions_of_the_dockerfile() {
    for (option, argument_name) in [
        ("kubernetes", "KUBERNETES_VERSION"),
        ("suite", "DEBIAN_RELEASE"),
    ] {
        assert_eq!(script_default(option), argument(DOCKERFILE, argument_name));
    }
    let script = text(SCRIPT);
    for option in ["output", "name", "kubernetes", "suite", "max_age", "level"] {
        let said = format!("(default: {}", script_default(option));
        let flag = format!("#   --{} ", option.replace('_', "-"));
        let line = script.lines().find(|line| line.starts_with(&flag));
        let line = line.unwrap_or_else(|| panic!("no {flag}"));
        assert!(line.contains(&said), "{line}: not {said}");
    }
}

/// What is copied out of the build's folder, in the order of the instructions.
fn copied(file: &str) -> Vec<String> {
    let mut copied = Vec::new();
    for line in instructions(file) {
        let Some(words) = line.strip_prefix("COPY ") else {
            continue;
        };
        let mut words: Vec<&str> = words.split_whitespace().collect();
        words.pop();
        if !words.iter().any(|word| word.starts_with("--from=")) {
            copied.extend(words.into_iter().map(str::to_owned));
        }
    }
    copied
}

#[test]
fn what_the_image_copies_is_there_and_let_in() {
    let ignored = text("images/tools/Dockerfile.dockerignore");
    let let_in: Vec<&str> = ignored
        .lines()
        .filter_map(|line| line.strip_prefix('!'))
        .collect();
    let copied = copied(DOCKERFILE);
    for name in &copied {
        assert!(project().join(name).exists(), "{name} is not there");
    }
    assert_eq!(
        copied.iter().map(String::as_str).collect::<Vec<_>>(),
        let_in
    );
    // build.rs embeds what is there, and is content with less.
    for folder in ["charts", "examples", "images", "values", "src"] {
        assert!(let_in.contains(&folder), "{folder} is not copied");
    }
}

/// Cargo refuses a crate without a file that Cargo.toml names.
#[test]
fn what_the_image_copies_is_a_crate() {
    let folder = tempfile::tempdir().expect("a folder");
    for name in copied(DOCKERFILE) {
        let place = folder.path().join(&name);
        fs::create_dir_all(place.parent().expect("a folder")).expect("made");
        let mut copy = Command::new("cp");
        copy.arg("-r").arg(project().join(&name)).arg(&place);
        run(&mut copy).success();
    }
    // Of the commands that build nothing, this one reads the whole manifest. It may lack crates of other systems.
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["fetch", "--offline", "--locked"]);
    let said = run(cargo.current_dir(folder.path())).stderr;
    assert!(!said.contains("failed to parse manifest"), "{said}");
}

#[test]
fn the_image_is_nobodys() {
    let instructions = instructions(DOCKERFILE);
    let last_stage = instructions
        .iter()
        .rposition(|line| line.starts_with("FROM "));
    let last_stage = &instructions[last_stage.expect("a stage")..];
    // The user that the pods ask for.
    assert!(
        last_stage.contains(&"USER 65532:65532".to_owned()),
        "{last_stage:#?}"
    );
}

#[test]
fn show_prints_the_build_files() {
    let list = kubefarm(["show", "images"]).success();
    let line = list
        .lines()
        .find(|line| line.starts_with("tools/Dockerfile "));
    let line = line.expect("it is listed");
    assert!(line.contains("kubefarm, kubectl, kubeadm"), "{line}");
    let shown = kubefarm(["show", "images", "tools/Dockerfile"]).success();
    assert_eq!(shown, text(DOCKERFILE));
}
