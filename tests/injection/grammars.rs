//! Values that are taken apart instead of carried on: what their checks let through holds nothing but their grammar.

use kubefarm::chart::Charts;
use kubefarm::farm;
use kubefarm::values::{Input, Severity, load};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::injection::{cases, consumers, places, render, strings};

/// Whether the values are accepted; where not, an error names this place.
fn is_accepted(values: &Value, path: &str) -> bool {
    let charts = Charts::embedded();
    let input = Input::Builtin {
        name: "farm".to_owned(),
        text: places::to_json(values),
    };
    let tree = load(&charts.default_values(), &[input]).unwrap();
    let checked = farm::check(&tree, None, "space", || None);
    let errors = checked
        .problems
        .iter()
        .filter(|problem| problem.severity == Severity::Error);
    let errors: Vec<String> = errors
        .map(|problem| problem.path.as_ref().unwrap().to_string())
        .collect();
    assert!(
        errors.iter().all(|error| error.starts_with(path)),
        "{errors:?}"
    );
    assert_eq!(checked.values.is_some(), errors.is_empty());
    errors.is_empty()
}

fn only(text: &str, others: &str) -> bool {
    text.chars()
        .all(|c| c.is_ascii_alphanumeric() || others.contains(c))
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn an_endpoint_is_a_host_and_a_port(text in strings::near("api.example:6443")) {
        let values = json!({"kubernetes": {"controlPlaneEndpoint": text}});
        if is_accepted(&values, "kubernetes.controlPlaneEndpoint") {
            prop_assert!(only(&text, "-.:[]"), "{text:?}");
        }
    }

    #[test]
    fn subnets_are_addresses(text in strings::near("10.96.0.0/12,fd00::/112")) {
        for key in ["serviceSubnet", "podSubnet"] {
            let values = json!({"kubernetes": {"networking": {"serviceSubnet": "172.16.0.0/16", key: text}}});
            if is_accepted(&values, "kubernetes.networking") {
                prop_assert!(only(&text.replace(char::is_whitespace, ""), ".:/,"), "{text:?}");
            }
        }
    }

    #[test]
    fn a_tag_is_a_name(text in strings::near("storage")) {
        // YAML reads no longer keys.
        let text: String = text.chars().take(150).collect();
        let values = json!({"tags": {"dhcpOptions": {text.as_str(): {"router": "10.64.0.1"}}}});
        if is_accepted(&values, "tags.dhcpOptions") {
            prop_assert!(only(&text, "-_.") && text.len() <= 63, "{text:?}");
        }
        let values = json!({"nodePools": [{"tags": [text]}]});
        if is_accepted(&values, "nodePools[0].tags[0]") {
            prop_assert!(only(&text, "-_.") && text.len() <= 63, "{text:?}");
        }
    }

    #[test]
    fn a_section_is_a_name(text in strings::near("init/02:00:00:40:09:0a")) {
        let text: String = text.chars().take(150).collect();
        let values = json!({"ltsp": {"config": {"sections": {text.as_str(): "true"}}}});
        if is_accepted(&values, "ltsp.config.sections") {
            prop_assert!(only(&text, "-*./:?@_|"), "{text:?}");
        }
    }

    #[test]
    fn closed_words_are_refused(text in strings::near("")) {
        for (path, values) in [
            ("pki.mode", json!({"pki": {"mode": text}})),
            ("pki.algorithm", json!({"pki": {"algorithm": text}})),
            ("dhcp.mode", json!({"dhcp": {"mode": text}})),
            ("kubernetes.konnectivityServer.mode", json!({"kubernetes": {"konnectivityServer": {"mode": text}}})),
        ] {
            prop_assert!(!is_accepted(&values, path), "{path}: {text:?}");
        }
        for (path, values) in [
            ("ltsp.image.pullPolicy", json!({"ltsp": {"image": {"pullPolicy": text}}})),
            ("ltsp.service.type", json!({"ltsp": {"service": {"type": text}}})),
        ] {
            // Left empty, it is not set.
            prop_assert_eq!(is_accepted(&values, path), text.is_empty(), "{}: {:?}", path, text);
        }
    }

    /// A section's text goes to a file of its own, but for its includes, which must be names.
    #[test]
    fn a_section_text_opens_no_section(text in strings::near("true\nINCLUDE=x\n")) {
        let text = text.replace('\0', "");
        let values = |text: &str| json!({"ltsp": {"config": {"sections": {"init/": text}}}});
        if !is_accepted(&values(&text), "ltsp.config.sections.init/") {
            return Ok(());
        }
        let (before, _) = section_files(&values("true"));
        let (after, script) = section_files(&values(&text));
        let added: Vec<&str> = after.lines().filter(|line| !before.lines().any(|other| other == *line)).collect();
        prop_assert!(added.iter().all(|line| line.strip_prefix("INCLUDE=").is_some_and(|name| only(name, "-./:_"))), "{added:?}");
        let is_include = |line: &&str| line.to_ascii_lowercase().trim_start().starts_with("include");
        let kept = text.split_inclusive('\n').filter(|line| !is_include(line)).collect::<String>();
        let script = script.split_inclusive('\n').filter(|line| !is_include(line)).collect::<String>();
        prop_assert!(kept == script || kept.trim().is_empty(), "{kept:?} {script:?}");
    }
}

#[test]
fn settings_that_would_break_their_reader_are_refused() {
    for (key, text) in [
        ("IFS", ","),
        ("section_clients", "1"),
        ("Include", "x"),
        ("KERNEL_PARAMETERS", "a'b"),
        ("KERNEL_PARAMETERS", "a\nb"),
    ] {
        let values = json!({"ltsp": {"config": {"options": {key: text}}}});
        assert!(
            !is_accepted(&values, "ltsp.config.options"),
            "{key}: {text:?}"
        );
        let values = json!({"tags": {"ltspOptions": {"all": {key: text}}}});
        assert!(
            !is_accepted(&values, "tags.ltspOptions.all"),
            "{key}: {text:?}"
        );
    }
}

/// dnsmasq reads 1,023 bytes of a line, and the rest as another line: configuration of its own.
#[test]
fn lines_that_dnsmasq_would_read_as_two_are_refused() {
    let long = "x".repeat(1200);
    let macs: Vec<String> = (0..60)
        .map(|number| format!("02:00:00:00:00:{number:02x}"))
        .collect();
    for (path, values) in [
        (
            "nodePools[0].nodes[0]",
            json!({"nodePools": [{"nodes": [{"clientID": long}]}]}),
        ),
        (
            "nodePools[0].nodes[0]",
            json!({"nodePools": [{"nodes": [{"mac": macs}]}]}),
        ),
        (
            "nodePools[0].extraOpts[0].dhcp-boot",
            json!({"nodePools": [{"extraOpts": [{"dhcp-boot": long}]}]}),
        ),
        (
            "nodePools[0].extraOpts[0].dhcp-boot",
            json!({"nodePools": [{"extraOpts": [{"dhcp-boot": "?".repeat(20)}]}]}),
        ),
        (
            "tags.dhcpOptions.all.224",
            json!({"tags": {"dhcpOptions": {"all": {"224": long}}}}),
        ),
        (
            "tags.dhcpOptions.all.224",
            json!({"tags": {"dhcpOptions": {"all": {"224": vec!["xxxxxxx"; 150]}}}}),
        ),
        (
            "dhcp.standalone.interface",
            json!({"dhcp": {"mode": "standalone", "standalone": {"interface": long}}}),
        ),
    ] {
        assert!(!is_accepted(&values, path), "{path}");
    }
}

/// `ltsp.conf`, and what its section `[init/]` sources of the user's.
fn section_files(values: &Value) -> (String, String) {
    let objects = render(values).unwrap();
    let is_config =
        |object: &&Value| object["kind"] == "ConfigMap" && !object["data"]["ltsp.conf"].is_null();
    let data = &objects.iter().find(is_config).unwrap()["data"];
    consumers::consume(
        json!({"kind": "ConfigMap", "metadata": {"name": "x"}, "data": {"ltsp.conf": data["ltsp.conf"]}}),
    );
    let text = |name: &str| data[name].as_str().unwrap_or_default().to_owned();
    (text("ltsp.conf"), text("section-init.sh"))
}
