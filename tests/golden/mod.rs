//! Golden files: the whole output for the examples, as their READMEs layer them, and for every layer on `generic`.
//!
//! Two of them are whole: `generic`, and everything that can be switched on. The others are what differs from `generic`
//! ([`delta`]), so that a change of what all have in common is read once.
//!
//! `KUBEFARM_BLESS=1 cargo test --test it golden::` writes them anew; look at `git diff tests/golden` then.

mod delta;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use similar::TextDiff;

use crate::support::{kubefarm_command, names_in, project, run};

/// How many characters of a difference are shown.
const LONGEST_DIFFERENCE: usize = 5_000;

fn golden_folder() -> PathBuf {
    project().join("tests/golden")
}

fn rendered(args: &[&str]) -> String {
    run(kubefarm_command().arg("render").args(args)).success()
}

/// Compares with the golden file `name`, or writes it where that was asked for.
#[track_caller]
fn assert_golden(name: &str, output: &str) {
    let path = golden_folder().join(name);
    if std::env::var_os("KUBEFARM_BLESS").is_some() {
        fs::write(&path, output).expect("written");
        return;
    }
    let golden = fs::read_to_string(&path).unwrap_or_default();
    assert!(golden == output, "{}", difference(&path, &golden, output));
}

/// The same with what differs from the output for `generic`.
#[track_caller]
fn assert_delta(name: &str, args: &[&str]) {
    static BASE: LazyLock<String> = LazyLock::new(|| rendered(&["-f", GENERIC]));
    assert_golden(&format!("{name}.diff"), &delta::of(&BASE, &rendered(args)));
}

fn difference(path: &Path, golden: &str, output: &str) -> String {
    let diff = TextDiff::from_lines(golden, output);
    let unified = diff
        .unified_diff()
        .context_radius(4)
        .header("golden", "now")
        .to_string();
    let (shown, more) = match unified.char_indices().nth(LONGEST_DIFFERENCE) {
        Some((end, _)) => (&unified[..end], "\n…"),
        None => (unified.as_str(), ""),
    };
    format!(
        "{} is out of date; `KUBEFARM_BLESS=1 cargo test --test it golden::` writes it anew\n{shown}{more}",
        path.display()
    )
}

const GENERIC: &str = "examples/generic/values.yaml";

#[test]
fn examples() {
    assert_golden("generic.yaml", &rendered(&["-f", GENERIC]));
    assert_delta("defaults", &[]);
    assert_delta(
        "catchall",
        &["-f", "examples/catchall/values.yaml", "--name", "catchall"],
    );
    for layer in ["advanced_network", "dualstack_network"] {
        let file = format!("examples/{layer}/values.yaml");
        assert_delta(&format!("generic+{layer}"), &["-f", GENERIC, "-f", &file]);
    }
}

#[test]
fn layers_on_the_generic_example() {
    let agents_find = "kubernetes.konnectivityServer.service.loadBalancerIP=10.64.0.12";
    for layer in layers() {
        let file = format!("values/{layer}.yaml");
        let args = ["-f", GENERIC, "-f", &file, "--set", agents_find];
        let args = if layer == "konnectivity-http" {
            &args[..]
        } else {
            &args[..4]
        };
        assert_delta(&format!("generic+{layer}"), args);
    }
}

#[test]
fn everything_that_can_be_switched_on() {
    let args = [
        "-f",
        GENERIC,
        "-f",
        "tests/golden/no_pools.values.yaml",
        "-f",
        "tests/golden/everything.values.yaml",
        "-n",
        "farms",
        "--name",
        "farm1",
    ];
    assert_golden("everything.yaml", &rendered(&args));
}

fn layers() -> Vec<String> {
    let files = names_in(&project().join("values")).into_iter();
    let name = |file: String| file.strip_suffix(".yaml").expect("YAML").to_owned();
    files.map(name).collect()
}

#[test]
fn no_golden_file_is_left_over() {
    let mut expected: Vec<String> = layers()
        .iter()
        .map(|layer| format!("generic+{layer}.diff"))
        .collect();
    expected.extend(
        ["advanced_network", "dualstack_network"].map(|layer| format!("generic+{layer}.diff")),
    );
    let others = [
        "defaults.diff",
        "mod.rs",
        "delta.rs",
        "generic.yaml",
        "catchall.diff",
        "everything.yaml",
        "everything.values.yaml",
        "no_pools.values.yaml",
    ];
    expected.extend(others.map(str::to_owned));
    for name in names_in(&golden_folder()) {
        assert!(expected.contains(&name), "{name} belongs to no test");
    }
}
