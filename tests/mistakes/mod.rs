//! Wrong values: each mistake is reported at its exact place, with exit code 2 and nothing on stdout; and what is no
//! mistake is not taken for one.

mod expectation;
mod generated;

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{Finished, kubefarm_command, names_in, project, run};
use expectation::{Reported, expected, reported};

/// How many distinct mistakes the corpus has to hold at least.
const ENOUGH: usize = 100;

fn corpus() -> PathBuf {
    project().join("tests/mistakes")
}

/// The corpus files of a folder, by name.
fn files(folder: &Path) -> Vec<String> {
    let names = names_in(folder).into_iter();
    names.filter(|name| name.ends_with(".yaml")).collect()
}

/// Renders over what lies under every file of the corpus.
fn render_in(folder: &Path, args: &[&str]) -> Finished {
    let base = corpus().join("base/values.yaml");
    run(kubefarm_command()
        .current_dir(folder)
        .args(["render", "-f"])
        .arg(base)
        .args(args))
}

/// What is wrong with how `file` was refused, if anything.
fn complaint(file: &str, finished: &Finished, expected: &[Reported]) -> Option<String> {
    let reported = reported(&finished.stderr);
    let all_met = expected.len() == reported.len()
        && expected
            .iter()
            .zip(&reported)
            .all(|(expected, reported)| expected.is_met_by(reported));
    if all_met && finished.code() == 2 && finished.stdout.is_empty() {
        return None;
    }
    let list = |problems: &[Reported]| {
        let lines = problems.iter().map(|problem| format!("    {problem}\n"));
        lines.collect::<String>()
    };
    Some(format!(
        "{file}: exit code {}, {} bytes on stdout\n  expected\n{}  reported\n{}",
        finished.code(),
        finished.stdout.len(),
        list(expected),
        list(&reported)
    ))
}

#[test]
fn every_mistake_is_reported_at_its_place() {
    let folder = corpus();
    let (mut complaints, mut mistakes) = (Vec::new(), 0);
    for file in files(&folder) {
        let text = fs::read_to_string(folder.join(&file)).expect("a corpus file");
        let expected = expected(&file, &text);
        assert!(!expected.is_empty(), "{file} expects nothing");
        mistakes += expected
            .iter()
            .filter(|problem| problem.severity == "error")
            .count();
        complaints.extend(complaint(
            &file,
            &render_in(&folder, &["-f", &file]),
            &expected,
        ));
    }
    assert!(
        complaints.is_empty(),
        "{} files\n{}",
        complaints.len(),
        complaints.join("\n")
    );
    assert!(mistakes >= ENOUGH, "{mistakes} mistakes");
}

#[test]
fn what_is_not_a_mistake_is_rendered() {
    let folder = corpus().join("fine");
    let mut complaints = Vec::new();
    for file in files(&folder) {
        let text = fs::read_to_string(folder.join(&file)).expect("a corpus file");
        let expected = expected(&file, &text);
        let finished = render_in(&folder, &["-f", &file]);
        let reported = reported(&finished.stderr);
        let all_met = expected.len() == reported.len()
            && expected
                .iter()
                .zip(&reported)
                .all(|(expected, reported)| expected.is_met_by(reported));
        if finished.code() != 0 || finished.stdout.is_empty() || !all_met {
            complaints.push(format!(
                "{file}: exit code {}\n{}",
                finished.code(),
                finished.stderr
            ));
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn generated_mistakes_are_refused_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut complaints = Vec::new();
    for mistake in generated::all() {
        fs::write(folder.path().join(mistake.file), &mistake.content).expect("written");
        let expected = Reported {
            severity: "error".to_owned(),
            place: format!("{}:{}", mistake.file, mistake.place),
            message: mistake.message.to_owned(),
            help: String::new(),
        };
        let finished = render_in(folder.path(), &["-f", mistake.file]);
        complaints.extend(complaint(mistake.file, &finished, &[expected]));
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn flags_are_refused_with_the_flag_named() {
    let mut complaints = Vec::new();
    for (flag, text, message) in generated::FLAGS {
        let finished = render_in(project(), &[flag, text]);
        // The value may be secret.
        let key = if text.starts_with('{') {
            "{…}"
        } else {
            text.split('=').next().unwrap_or_default()
        };
        let expected = Reported {
            severity: "error".to_owned(),
            place: format!("{flag} {key}").trim_end().to_owned(),
            message: message.to_string(),
            help: String::new(),
        };
        complaints.extend(complaint(text, &finished, &[expected]));
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn problems_of_several_files_are_all_reported() {
    let folder = corpus();
    let args = [
        "-f",
        "yaml_duplicate_key.yaml",
        "-f",
        "yaml_boolean_key.yaml",
        "-f",
        "missing.yaml",
    ];
    let places: Vec<String> = reported(&render_in(&folder, &args).stderr)
        .into_iter()
        .map(|problem| problem.place + &problem.message)
        .collect();
    assert_eq!(places.len(), 3, "{places:?}");
    assert!(
        places[0].starts_with("yaml_duplicate_key.yaml:4:3"),
        "{places:?}"
    );
    assert!(
        places[1].starts_with("yaml_boolean_key.yaml:4:5"),
        "{places:?}"
    );
    assert!(places[2].contains("missing.yaml"), "{places:?}");
}

/// Pools as a map over pools as a list, or the other way round: all nodes of the earlier layer would be gone.
#[test]
fn a_layer_of_another_kind_is_refused_with_both_places() {
    let folder = tempfile::tempdir().expect("a folder");
    let write =
        |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("written");
    write(
        "list.yaml",
        "nodePools:\n  - nodes: [{name: a, mac: \"02:00:00:00:00:01\"}]\n",
    );
    write(
        "map.yaml",
        "nodePools:\n  rack:\n    range: 10.0.0.0,static\n    nodes: [{name: b, mac: \"02:00:00:00:00:02\"}]\n",
    );
    write("none.yaml", "nodePools:\n");
    for (args, place, earlier) in [
        (
            ["-f", "list.yaml", "-f", "map.yaml"],
            "map.yaml:2:3",
            "list.yaml:2:3",
        ),
        (
            ["-f", "map.yaml", "-f", "list.yaml"],
            "list.yaml:2:3",
            "map.yaml:2:3",
        ),
        (
            ["-f", "list.yaml", "--set", "nodePools.rack.range=x"],
            "--set nodePools.rack.range",
            "list.yaml:2:3",
        ),
        (
            ["-f", "map.yaml", "--set-json", "nodePools=[]"],
            "--set-json nodePools",
            "map.yaml:2:3",
        ),
    ] {
        let finished = render_in(folder.path(), &args);
        assert_eq!(finished.code(), 2, "{args:?}");
        let reported = reported(&finished.stderr);
        assert_eq!(reported.len(), 1, "{}", finished.stderr);
        assert_eq!(reported[0].place, place);
        assert!(reported[0].message.contains(earlier), "{}", finished.stderr);
    }
    // Said in so many words, it is not refused.
    let args = ["-f", "list.yaml", "-f", "none.yaml", "-f", "map.yaml"];
    let finished = render_in(folder.path(), &args);
    assert_eq!(finished.code(), 0, "{}", finished.stderr);
    assert!(!finished.stdout.contains("02:00:00:00:00:01"));
    let message = &reported(&finished.stderr)[0].message;
    assert!(
        message.contains("null removes everything that list.yaml:2:3 sets"),
        "{message}"
    );
}

#[test]
fn the_files_of_a_mistake_are_named_as_they_were_given() {
    let file = corpus().join("mac.yaml");
    let finished = render_in(Path::new("/"), &["-f", file.to_str().expect("text")]);
    let place = format!("--> {}:5:14", file.display());
    assert!(finished.stderr.contains(&place), "{}", finished.stderr);
    assert!(finished.stderr.contains("2 errors"), "{}", finished.stderr);
}
