//! Every escape, tested with the program that reads the file: it reads the same value, or the escape refuses it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::{env, fs};

use minijinja::Value;
use proptest::prelude::*;

use super::*;

/// LTSP's own reader of `ltsp.conf`, as Debian installs it.
const LTSP_CONFIG: &str = "/usr/share/ltsp/common/ltsp/55-config.sh";

/// Texts that may have a special meaning for a shell, awk, a reader of sections, dnsmasq or YAML.
const SPECIAL: [&str; 40] = [
    "'",
    "\"",
    "\\",
    "\n",
    "\n\n",
    "\r",
    "\t",
    " ",
    "$",
    "`",
    "$(id)",
    "${IFS}",
    "%",
    "%s",
    "&",
    ";",
    "|",
    "*",
    "?",
    "~",
    "#",
    " #",
    "!",
    "(",
    ")",
    "<",
    ">",
    "=",
    "[clients]",
    "\n[clients]\n",
    "\nINCLUDE=x",
    ",",
    ":",
    "- ",
    "\\n",
    "\\c",
    "\\0101",
    "ü",
    "\u{1f600}",
    "a",
];

fn special_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => prop::sample::select(&SPECIAL[..]).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
        1 => "[a-z0-9]{1,6}",
    ];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

fn without_nul() -> impl Strategy<Value = String> {
    special_text().prop_map(|text| text.replace('\0', ""))
}

/// The program's path; `None` where it is not installed, which is an error where CI is set.
fn program(name: &str, package: &str) -> Option<PathBuf> {
    let found = env::var_os("PATH")
        .iter()
        .flat_map(env::split_paths)
        .chain([PathBuf::from("/usr/sbin")])
        .map(|folder| folder.join(name))
        .find(|path| path.is_file());
    if found.is_none() {
        skip(name, package);
    }
    found
}

fn skip(what: &str, package: &str) {
    assert!(
        env::var_os("CI").is_none(),
        "needs {what}: install the Debian package {package}"
    );
    eprintln!("SKIPPED: needs {what} (Debian package {package})");
}

fn shells() -> Vec<(PathBuf, &'static [&'static str])> {
    let all: [(&str, &str, &[&str]); 3] = [
        ("sh", "dash", &[]),
        ("bash", "bash", &[]),
        ("busybox", "busybox", &["ash"]),
    ];
    all.into_iter()
        .filter_map(|(name, package, arguments)| Some((program(name, package)?, arguments)))
        .collect()
}

/// Runs a script and returns the fields it printed, each of which ends with a NUL.
fn fields_printed(shell: &Path, arguments: &[&str], script: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("script");
    fs::write(&file, script).unwrap();
    let output = Command::new(shell)
        .args(arguments)
        .arg(&file)
        .output()
        .unwrap();
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{output:?}\n{script}"
    );
    let mut fields: Vec<String> = String::from_utf8(output.stdout)
        .unwrap()
        .split('\0')
        .map(str::to_owned)
        .collect();
    assert_eq!(fields.pop().as_deref(), Some(""));
    fields
}

#[test]
fn the_file_name_chooses_the_rule() {
    for (name, rule) in [
        ("kubernetes/templates/etcd.yaml", Some(Rule::Json)),
        ("a.json", Some(Rule::Json)),
        ("a/files/run.sh", Some(Rule::Shell)),
        ("ltsp/files/ltsp.conf", Some(Rule::Ltsp)),
        ("ltsp-extra.conf", Some(Rule::Ltsp)),
        ("dnsmasq.conf", Some(Rule::Dnsmasq)),
        ("dnsmasq-hosts.conf", Some(Rule::Dnsmasq)),
        ("x.service", Some(Rule::Unit)),
        ("grub.cfg", Some(Rule::Grub)),
        ("nginx.conf", None),
        ("config.toml", None),
        ("Dockerfile", None),
        ("yaml", None),
        ("my-ltsp.conf", None),
    ] {
        assert_eq!(Rule::of(name), rule, "{name}");
    }
}

#[test]
fn values_that_are_not_text_are_refused() {
    let map = Value::from_pairs([("a", 1)]);
    for rule in [
        Rule::Shell,
        Rule::Ltsp,
        Rule::Dnsmasq,
        Rule::Unit,
        Rule::Grub,
    ] {
        assert!(rule.escape(&map).unwrap_err().contains("a map"), "{rule:?}");
        assert!(
            rule.escape(&Value::from(())).unwrap_err().contains("null"),
            "{rule:?}"
        );
    }
    assert_eq!(Rule::Json.escape(&Value::from(())).unwrap(), "null");
    assert!(Rule::Json.escape(&Value::from(f64::NAN)).is_err());
    assert!(Rule::Shell.escape(&Value::from("a\0b")).is_err());
}

#[test]
fn numbers_and_booleans_are_written_as_kubernetes_reads_them() {
    for (value, text) in [
        (Value::from(true), "true"),
        (Value::from(-1), "-1"),
        (Value::from(2.0), "2"),
        (Value::from(1.5), "1.5"),
        (Value::from(u64::MAX), "18446744073709551615"),
    ] {
        assert_eq!(Rule::Json.escape(&value).unwrap(), text);
        assert_eq!(Rule::Shell.escape(&value).unwrap(), text);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn yaml_readers_read_json_back(texts in prop::collection::vec(special_text(), 1..20)) {
        let list = Rule::Json.escape(&Value::from(texts.clone())).unwrap();
        prop_assert!(!list.contains('\n'));
        prop_assert_eq!(&serde_json::from_str::<Vec<String>>(&list).unwrap(), &texts);
        prop_assert_eq!(&serde_yaml::from_str::<Vec<String>>(&list).unwrap(), &texts);
        let nodes = crate::values::yaml::parse("x", &list).unwrap();
        let read: Vec<serde_json::Value> = nodes.iter().map(serde_json::Value::from).collect();
        prop_assert_eq!(read, vec![serde_json::json!(texts)]);
        for text in texts {
            let map = Rule::Json.escape(&Value::from_pairs([(text.clone(), 1)])).unwrap();
            let read: serde_json::Value = serde_yaml::from_str(&map).unwrap();
            prop_assert_eq!(read, serde_json::json!({ text: 1 }));
        }
    }

    #[test]
    fn shells_read_words_back(texts in prop::collection::vec(without_nul(), 1..20)) {
        let words = Rule::Shell.escape(&Value::from(texts.clone())).unwrap();
        for (shell, arguments) in shells() {
            let script = format!("printf '%s\\0' {words}\n");
            prop_assert_eq!(&fields_printed(&shell, arguments, &script), &texts);
        }
    }

    #[test]
    fn ltsp_reads_values_back(texts in prop::collection::vec(without_nul(), 1..20)) {
        if !Path::new(LTSP_CONFIG).is_file() {
            skip(LTSP_CONFIG, "ltsp");
            return Ok(());
        }
        let mut conf = String::from("[common]\n");
        let mut print = String::from("printf '%s\\0' \"$(section_list | tr -d '\\n ')\"");
        for (number, text) in texts.iter().enumerate() {
            let word = Rule::Ltsp.escape(&Value::from(text.as_str())).unwrap();
            prop_assert!(!word.contains('\n'));
            // As a setting, as a word of a script's line, and as such a line's first word.
            writeln!(conf, "VALUE_{number} = {word}\nset -- \"$@\" {word}\nPRE={word} true").unwrap();
            write!(print, " \"$VALUE_{number}\"").unwrap();
        }
        conf.push_str("ARGUMENTS=$#\n");
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ltsp.conf");
        fs::write(&file, conf).unwrap();
        let script = format!(
            "re() {{ \"$@\" || exit 9; }}\n. {LTSP_CONFIG}\neval \"$(ini2sh {})\"\nsection_call common\n{print} \"$ARGUMENTS\"\n",
            file.display()
        );
        for (shell, arguments) in shells() {
            let mut read = fields_printed(&shell, arguments, &script);
            prop_assert_eq!(read.remove(0), "section_common");
            // The section's own name is its first argument.
            prop_assert_eq!(read.pop(), Some((texts.len() + 1).to_string()));
            prop_assert_eq!(&read, &texts);
        }
    }

    #[test]
    fn dnsmasq_reads_fields_back(texts in prop::collection::vec(special_text(), 1..4)) {
        let Some(dnsmasq) = program("dnsmasq", "dnsmasq-base") else { return Ok(()) };
        for text in texts {
            let Ok(field) = Rule::Dnsmasq.escape(&Value::from(text.as_str())) else { continue };
            prop_assert_eq!(&field, &text);
            // It reports the name of a file that it cannot read.
            let output = check_dnsmasq(&dnsmasq, &format!("conf-file=/nonexistent/{field}/x\n"));
            let expected = format!("dnsmasq: cannot read /nonexistent/{text}/x: ");
            let message = String::from_utf8_lossy(&output.stderr).into_owned();
            prop_assert!(message.contains(&expected), "{} in {}", expected, message);
        }
    }

    #[test]
    fn units_and_grub_scripts_keep_a_value_on_its_line(text in special_text()) {
        let value = Value::from(text.as_str());
        if let Ok(unit) = Rule::Unit.escape(&value) {
            prop_assert_eq!(unit.replace("%%", "%"), &*text);
            prop_assert!(!unit.contains(['\n', '\r', '"', '\'', '\\', '$']));
        }
        if let Ok(word) = Rule::Grub.escape(&value) {
            prop_assert_eq!(&word, &format!("'{text}'"));
            prop_assert!(!text.contains(['\'', '\n', '\r']));
        }
    }
}

fn check_dnsmasq(dnsmasq: &Path, conf: &str) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("dnsmasq.conf");
    fs::write(&file, conf).unwrap();
    let flag = format!("--conf-file={}", file.display());
    Command::new(dnsmasq)
        .arg("--test")
        .arg(flag)
        .env("LC_ALL", "C.UTF-8")
        .output()
        .unwrap()
}

#[test]
fn ordinary_dnsmasq_fields_pass_and_special_ones_are_refused() {
    let fields = Value::from(vec![
        "set:farm",
        "02:00:00:00:00:01",
        "10.0.0.5",
        "node-1",
        "infinite",
    ]);
    assert_eq!(
        Rule::Dnsmasq.escape(&fields).unwrap(),
        "set:farm,02:00:00:00:00:01,10.0.0.5,node-1,infinite"
    );
    assert_eq!(
        Rule::Dnsmasq.escape(&Value::from("a#b c")).unwrap(),
        "a#b c"
    );
    for special in [
        "a,b", "a\nb", "a\"", "a\\", " a", "a ", "a #b", "#a", "a\tb", "a\u{85}b",
    ] {
        let error = Rule::Dnsmasq.escape(&Value::from(special)).unwrap_err();
        assert!(error.contains(&format!("{special:?}")), "{error}");
    }
}

/// dnsmasq reads the rest of a line that is too long as another line, so `check_text` refuses it.
#[test]
fn dnsmasq_would_read_a_long_line_as_two() {
    let split = |length: usize| {
        let start = "txt-record=x.example,";
        format!(
            "{start}{}conf-file=/nonexistent/x\n",
            "x".repeat(length - start.len())
        )
    };
    let long = split(1024);
    assert!(
        check_text("dnsmasq.conf", &long)
            .unwrap_err()
            .contains("1048 bytes")
    );
    assert!(check_text("dnsmasq.conf", &"x".repeat(1023)).is_ok());
    assert!(check_text("ltsp.conf", &long).is_ok());
    let Some(dnsmasq) = program("dnsmasq", "dnsmasq-base") else {
        return;
    };
    let message = check_dnsmasq(&dnsmasq, &long).stderr;
    assert!(String::from_utf8_lossy(&message).contains("cannot read /nonexistent/x"));
}

#[test]
fn a_section_of_ltsp_conf_has_a_plain_name() {
    assert_eq!(ltsp::section("tag_a/02:00:*").unwrap(), "[tag_a/02:00:*]");
    for name in ["", "a b", "a]", "a\n", "a#", "ü"] {
        assert!(ltsp::section(name).is_err(), "{name:?}");
    }
}
