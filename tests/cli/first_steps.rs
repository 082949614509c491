//! What users of Helm and kubectl type first, and the help they get.

use std::fs;
use std::process::Command;

use crate::cli::assert_refused;
use crate::support::{kubefarm, kubefarm_command, kubefarm_with_stdin, program, project, run};

/// The tips of an error.
fn tips(stderr: &str) -> Vec<&str> {
    let lines = stderr.lines().map(str::trim);
    lines
        .filter_map(|line| line.strip_prefix("tip: "))
        .collect()
}

#[test]
fn words_of_other_tools_lead_to_ours() {
    for (word, command) in [
        ("template", "kubefarm render"),
        ("install", "kubefarm apply"),
        ("upgrade", "kubefarm apply"),
        ("uninstall", "kubefarm delete NAME"),
        ("lint", "kubefarm render"),
        ("validate", "kubefarm render"),
        ("get", "kubefarm list"),
        ("graph", "kubefarm status NAME --all"),
        ("machines", "kubectl get nodes"),
        ("explain", "kubefarm show values"),
        ("Template", "kubefarm render"),
        ("layers", "kubefarm show"),
    ] {
        for line in [
            vec![word],
            vec!["help", word],
            vec![word, "farm1", "-f", "x.yaml"],
        ] {
            let finished = kubefarm(&line);
            assert_refused(&finished, &[&format!("unrecognized subcommand '{word}'")]);
            let tips = tips(&finished.stderr);
            assert_eq!(tips.len(), 1, "{line:?}: {}", finished.stderr);
            assert!(tips[0].contains(command), "{line:?}: {tips:?}");
        }
    }
}

#[test]
fn a_slip_leads_to_the_nearest_command_but_never_to_delete() {
    for (slip, meant) in [("rendr", "render"), ("aply", "apply"), ("staus", "status")] {
        assert_refused(
            &kubefarm([slip]),
            &[&format!("a similar subcommand exists: '{meant}'")],
        );
    }
    for slip in [
        "delte", "dlete", "elete", "deleted", "deletes", "temp", "detele",
    ] {
        let finished = kubefarm([slip, "farm1"]);
        assert_refused(&finished, &[&format!("'{slip}'")]);
        assert!(!finished.stderr.contains("delete'"), "{}", finished.stderr);
        assert!(!finished.stderr.contains("\n\n\n"), "{:?}", finished.stderr);
    }
    // Below a command as well.
    assert_refused(&kubefarm(["pki", "inspct"]), &["'inspect'"]);
}

#[test]
fn the_name_stands_by_itself_or_after_its_flag() {
    let by_flag = kubefarm(["render", "--name", "farm1", "-f", "builtin:generic"]).success();
    let by_itself = kubefarm(["render", "farm1", "-f", "builtin:generic"]).success();
    assert!(by_itself.contains("name: farm1-kubernetes-etcd"));
    assert_eq!(by_itself, by_flag);
    let with_variable = run(kubefarm_command()
        .args(["render", "farm1", "-f", "builtin:generic"])
        .env("KUBEFARM_NAME", "other"));
    assert_eq!(
        with_variable.success(),
        by_flag,
        "the line wins over a variable"
    );
    for command in ["render", "apply", "diff"] {
        let both = kubefarm([command, "farm1", "--name", "farm2"]);
        assert_refused(&both, &["'[NAME]' cannot be used with '--name <NAME>'"]);
    }
    let dry = kubefarm([
        "apply",
        "farm1",
        "-f",
        "builtin:generic",
        "--dry-run=client",
    ]);
    assert_eq!(dry.code(), 0);
    assert!(
        dry.stderr.contains("farm1-kubernetes-etcd"),
        "{}",
        dry.stderr
    );
    assert_refused(
        &kubefarm(["status", "--name", "farm1"]),
        &["the release's name is an argument by itself"],
    );
}

#[test]
fn a_file_in_the_place_of_a_name_is_sent_to_its_flag() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("farm");
    fs::write(&file, "{}").expect("written");
    let file = file.to_str().expect("text");
    for name in ["values.yaml", "a/b.yml", "builtin:generic", file] {
        for command in ["render", "apply", "diff"] {
            let finished = kubefarm([command, name]);
            assert_refused(
                &finished,
                &["is a values file", &format!("kubefarm {command} -f {name}")],
            );
        }
        for line in [vec!["render", "farm1", name], vec!["values", name]] {
            assert_refused(&kubefarm(line), &[&format!("with -f: -f {name}")]);
        }
    }
}

#[test]
fn an_embedded_layer_without_its_prefix_is_known() {
    assert_refused(&kubefarm(["render", "-f", "minimal"]), &["builtin:minimal"]);
    assert_refused(
        &kubefarm(["render", "-f", "minimla"]),
        &["cannot read \"minimla\""],
    );
}

#[test]
fn errors_in_stdin_show_their_line() {
    let finished = kubefarm_with_stdin(["render", "-f", "-"], "name: farm\nltps: {}\n");
    assert_refused(&finished, &["--> -:2:1", "2 | ltps: {}", "did you mean"]);
}

#[test]
fn a_name_that_is_too_long_is_refused_once_with_the_real_limit() {
    let render = |name: &str, more: &[&str]| {
        kubefarm(["render", name, "-f", "builtin:generic"].iter().chain(more))
    };
    for length in [21, 64, 300] {
        let finished = render(&"a".repeat(length), &[]);
        assert_refused(&finished, &["at most 20:", "\n1 error"]);
    }
    render(&"a".repeat(20), &[]).success();
    // Where the boot server has a name of its own, others decide.
    let short = ["--set", "ltsp.fullnameOverride=boot"];
    render(&"a".repeat(22), &short).success();
    let finished = render(&"a".repeat(23), &short);
    assert_refused(&finished, &["at most 22:", "\n1 error"]);
    assert_refused(
        &render("Farm_1", &[]),
        &["hyphens, at most 20", "\n1 error"],
    );
}

#[test]
fn a_folder_of_certificates_that_is_missing_or_anothers_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path().join("pki");
    let dir = dir.to_str().expect("text");
    let farm = [
        "-f",
        "builtin:generic",
        "-f",
        "builtin:builtin-pki",
        "--pki-dir",
        dir,
    ];
    let missing = kubefarm([&["render"][..], &farm].concat());
    assert_refused(
        &missing,
        &[
            "there is no folder",
            &format!("kubefarm pki init --pki-dir {dir}"),
        ],
    );
    kubefarm([&["pki", "init", "--name", "farm1"][..], &farm].concat()).success();
    kubefarm([&["render", "farm1"][..], &farm].concat()).success();
    let others = kubefarm([&["render", "farm2"][..], &farm].concat());
    assert_refused(
        &others,
        &["is the folder of another farm", "farm1", "farm2"],
    );
}

#[test]
fn a_kind_alone_gets_help_to_select_all_of_it() {
    let finished = kubefarm([
        "render",
        "-f",
        "builtin:generic",
        "--show-only",
        "deployment",
    ]);
    assert_refused(&finished, &["did you mean \"Deployment/*\""]);
    kubefarm([
        "render",
        "-f",
        "builtin:generic",
        "--show-only",
        "Deployment/*",
    ])
    .success();
}

#[test]
fn long_lists_of_names_have_one_a_line() {
    let finished = kubefarm(["show", "templates", "nope"]);
    assert_refused(
        &finished,
        &["there is no chart file \"nope\"", "\n  ltsp/values.yaml"],
    );
    let near = kubefarm(["show", "templates", "etdc.yaml"]);
    assert_refused(&near, &["did you mean kubernetes/templates/etcd.yaml?"]);
}

#[test]
fn colour_is_what_was_asked_for() {
    let file = ["render", "-f", "tests/mistakes/mac.yaml"];
    let wrong = ["render", "--naem"];
    for line in [&file[..], &wrong] {
        let coloured = |flags: &[&str], variables: &[(&str, &str)]| {
            let mut command = kubefarm_command();
            command.env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE");
            command
                .args(line)
                .args(flags)
                .envs(variables.iter().copied());
            run(&mut command).stderr.contains('\u{1b}')
        };
        assert!(!coloured(&[], &[]), "not at a terminal");
        assert!(coloured(&["--color", "always"], &[]));
        assert!(
            coloured(&["--color=always"], &[("NO_COLOR", "1")]),
            "the flag wins"
        );
        assert!(coloured(&[], &[("CLICOLOR_FORCE", "1")]));
        assert!(coloured(&[], &[("KUBEFARM_COLOR", "always")]));
        assert!(!coloured(
            &[],
            &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]
        ));
        assert!(!coloured(&["--color=never"], &[("CLICOLOR_FORCE", "1")]));
    }
    assert_refused(
        &kubefarm(["list", "--color", "blue"]),
        &["'blue'", "auto, always, never"],
    );
}

#[test]
fn help_that_cannot_be_written_is_a_failure() {
    for line in [&["--help"][..], &["--version"], &["render", "--help"]] {
        let mut command = Command::new("sh");
        command.args([
            "-c",
            "\"$0\" \"$@\" > /dev/full",
            env!("CARGO_BIN_EXE_kubefarm"),
        ]);
        let finished = run(command.args(line));
        finished.failed(1, &["No space left"]);
    }
}

#[test]
fn a_terminal_has_colour_unless_it_is_dumb() {
    let Some(script) = program("script", "bsdutils") else {
        return;
    };
    let seen = |term: &str| {
        let line = format!(
            "{} render -f tests/mistakes/mac.yaml",
            env!("CARGO_BIN_EXE_kubefarm")
        );
        let mut command = Command::new(&script);
        command
            .current_dir(project())
            .args(["-qec", &line, "/dev/null"]);
        command
            .env("TERM", term)
            // CI's logs have colours.
            .env_remove("CI")
            .env_remove("NO_COLOR")
            .env_remove("CLICOLOR");
        run(&mut command).stdout
    };
    let coloured = seen("xterm");
    assert!(
        coloured.contains("\u{1b}[") && coloured.contains("nodePools"),
        "{coloured}"
    );
    let plain = seen("dumb");
    assert!(
        !plain.contains('\u{1b}') && plain.contains("nodePools"),
        "{plain}"
    );
}

#[test]
fn what_init_writes_leads_nowhere_else() {
    for examples in [
        &["generic", "advanced_network"][..],
        &["generic", "dualstack_network"],
        &["catchall"],
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let dir = folder.path().to_str().expect("text");
        let flags = examples.iter().flat_map(|example| ["--example", example]);
        kubefarm(["init", dir].into_iter().chain(flags)).success();
        for entry in fs::read_dir(dir).expect("a folder") {
            let path = entry.expect("an entry").path();
            let text = fs::read_to_string(&path).expect("text");
            assert!(!text.contains("../"), "{}", path.display());
        }
        let layer = examples.last().expect("one");
        if examples.len() > 1 {
            let readme = fs::read_to_string(folder.path().join(format!("{layer}.md")));
            let command = format!("-f values.yaml -f {layer}.yaml");
            assert!(readme.expect("a file").contains(&command), "{layer}");
        }
    }
}

#[test]
fn a_layer_alone_is_not_a_farm() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path().join("farm");
    let dir = dir.to_str().expect("text");
    for layer in ["advanced_network", "dualstack_network"] {
        let finished = kubefarm(["init", dir, "--example", layer]);
        let command = format!("kubefarm init {dir} --example generic --example {layer}");
        assert_refused(&finished, &[&command]);
    }
    assert!(fs::metadata(dir).is_err(), "nothing was written");
}
