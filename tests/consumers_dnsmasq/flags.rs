//! The table of dnsmasq's flags is what dnsmasq says of itself.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::{kubefarm_command, program, project, run};

/// What dnsmasq says of a configuration.
fn verdict(dnsmasq: &Path, configuration: &str) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("dnsmasq.conf");
    fs::write(&file, configuration).expect("written");
    let mut command = Command::new(dnsmasq);
    let file = format!("--conf-file={}", file.display());
    let finished = run(command.arg("--test").arg(file));
    format!("{}{}", finished.stdout, finished.stderr)
}

fn is_right(verdict: &str) -> bool {
    verdict.contains("syntax check OK")
}

/// A flag's line of the table, as dnsmasq takes it alone, with a number, with a word, and twice.
fn line_of(dnsmasq: &Path, flag: &str) -> String {
    let ask = |configuration: &str| verdict(dnsmasq, configuration);
    let (alone, number) = (ask(flag), ask(&format!("{flag}=7")));
    let word = ask(&format!("{flag}=abc"));
    let mut takes = if !is_right(&alone) {
        "value"
    } else if number.contains("extraneous") {
        "none"
    } else {
        "maybe"
    }
    .to_owned();
    if takes != "none" && is_right(&number) && word.contains(" error at line") {
        takes += "-number";
    }
    let twice = ask(&format!("{flag}=7\n{flag}=8")) + &ask(&format!("{flag}\n{flag}"));
    let once = if twice.contains("illegal repeated") {
        "\tonce"
    } else {
        ""
    };
    format!("{flag}\t{takes}{once}\n")
}

#[test]
fn the_table_is_what_dnsmasq_takes() {
    let Some(dnsmasq) = program("dnsmasq", "dnsmasq-base") else {
        return;
    };
    let help = run(Command::new(&dnsmasq).arg("--help")).stdout;
    let mut flags: Vec<&str> = help
        .lines()
        .filter_map(|line| {
            let (_, name) = line.split_once("--")?;
            let end = name.find(|c: char| !c.is_ascii_alphanumeric() && c != '-');
            Some(&name[..end.unwrap_or(name.len())])
        })
        .collect();
    flags.sort_unstable();
    assert!(flags.len() > 150, "{flags:?}");
    let lines = flags.iter().map(|flag| line_of(&dnsmasq, flag));
    let expected: String = lines.collect();
    let file = project().join("src/farm/known/tables/dnsmasq.tsv");
    if std::env::var_os("KUBEFARM_BLESS").is_some() {
        fs::write(&file, &expected).expect("written");
    }
    let written = fs::read_to_string(file).expect("the table");
    assert_eq!(written, expected, "KUBEFARM_BLESS=1 writes the table anew");
}

/// Whether a farm takes these flags.
fn is_taken(flags: &Value) -> bool {
    let values = json!({
        "dhcp": {"mode": "standalone", "standalone": {"extraArgs": flags}},
        "nodePools": [{"range": "10.64.0.1,static", "nodes": []}],
    });
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("values.yaml");
    fs::write(&file, values.to_string()).expect("written");
    let finished = run(kubefarm_command().arg("render").arg("-f").arg(&file));
    let is_refused = finished
        .stderr
        .contains("error: dhcp.standalone.extraArgs.");
    assert!(
        is_refused != finished.status.success(),
        "{}",
        finished.stderr
    );
    !is_refused
}

/// Values of a wrong shape: dnsmasq does not start with any of them, nor is one rendered.
#[test]
fn what_breaks_dnsmasq_by_its_shape_is_refused() {
    let Some(dnsmasq) = program("dnsmasq", "dnsmasq-base") else {
        return;
    };
    for (flag, value, line) in [
        ("log-dhcp", json!("yes"), "log-dhcp=yes"),
        ("log-dhcp", json!(1), "log-dhcp=1"),
        ("dhcp-option", json!(true), "dhcp-option"),
        ("dhcp-lease-max", json!("many"), "dhcp-lease-max=many"),
        ("tftp-mtu", json!("1.5"), "tftp-mtu=1.5"),
        ("dhcp-ttl", json!(-1), "dhcp-ttl=-1"),
        (
            "dhcp-reply-delay",
            json!([1, 2]),
            "dhcp-reply-delay=1\ndhcp-reply-delay=2",
        ),
        ("no-such-flag", json!(true), "no-such-flag"),
        ("log_dhcp", json!(true), "log_dhcp"),
    ] {
        assert!(!is_right(&verdict(&dnsmasq, line)), "{line}");
        assert!(!is_taken(&json!({flag: value})), "{flag}: {value}");
    }
    for (flag, value, line) in [
        ("log-dhcp", json!(true), "log-dhcp"),
        ("log-async", json!(true), "log-async"),
        ("log-async", json!(5), "log-async=5"),
        (
            "dhcp-option",
            json!(["3", "6"]),
            "dhcp-option=3\ndhcp-option=6",
        ),
        ("dhcp-lease-max", json!(2000), "dhcp-lease-max=2000"),
    ] {
        assert!(is_right(&verdict(&dnsmasq, line)), "{line}");
        assert!(is_taken(&json!({flag: value})), "{flag}: {value}");
    }
}
