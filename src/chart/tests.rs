use std::fs;

use super::*;

/// Charts of which each file is given by its name and text.
fn charts(files: &[(&str, &str)]) -> Charts {
    Charts::from_files(files.iter().map(|(name, text)| {
        let source = format!("charts/{name}");
        (
            (*name).to_owned().into(),
            source.into(),
            (*text).to_owned().into(),
        )
    }))
}

fn model() -> Value {
    context(&serde_json::json!({
        "release": {"name": "farm", "namespace": "x"},
        "etcd": {"replicas": 3, "name": "a\nb: \"c\"", "none": null},
        "args": {"z": 1, "b": true, "a": ["x", "y"]},
    }))
}

fn rendered(files: &[(&str, &str)]) -> Result<String, String> {
    charts(files)
        .render("kubernetes", &model())
        .map(|rendered| {
            let texts = rendered.iter();
            texts
                .map(|rendered| held::write_out(&rendered.text, &rendered.held))
                .collect()
        })
        .map_err(|error| error.to_string())
}

/// One template of the kubernetes chart.
fn template(text: &str) -> Result<String, String> {
    rendered(&[("kubernetes/templates/x.yaml", text)])
}

#[test]
fn values_never_leave_their_place() {
    assert_eq!(
        template(
            "name: {{ etcd.name }}\nreplicas: {{ etcd.replicas }}\nnone: {{ etcd.none }}\nall: {{ etcd }}\n"
        ),
        Ok("name: \"a\\nb: \\\"c\\\"\"\nreplicas: 3\nnone: null\n\
            all: {\"replicas\":3,\"name\":\"a\\nb: \\\"c\\\"\",\"none\":null}\n"
            .to_owned())
    );
    assert_eq!(
        template("a: {{ 'x: y'|raw }}\n"),
        Ok("a: x: y\n".to_owned())
    );
    assert_eq!(
        template("{% for x in [1] %}\n  - {{ x }}\n{% endfor %}\n"),
        Ok("  - 1\n".to_owned())
    );
}

#[test]
fn templates_cannot_bypass_the_escape() {
    for text in [
        "{{ 'x'|safe }}",
        "{{ 'x'|e }}",
        "{% autoescape false %}{{ 'x' }}{% endautoescape %}",
    ] {
        assert!(template(text).is_err(), "{text}");
    }
    // A macro's text is escaped inside of it, and not again outside.
    let text = "{% macro m(x) %}{{ x }}{% endmacro %}{{ m('a\"') ~ '\"' }}";
    assert_eq!(template(text), Ok(r#""a\"""\"""#.to_owned()));
    let error = rendered(&[
        (
            "kubernetes/templates/x.yaml",
            "{% include '../x' %}{% include 'x.sh' %}",
        ),
        ("kubernetes/templates/x.sh", "x"),
    ]);
    assert!(error.is_err());
}

#[test]
fn text_of_one_rule_is_not_included_in_text_of_another() {
    let error = rendered(&[
        ("kubernetes/templates/x.yaml", "a: b\n{% include '_x.sh' %}"),
        ("kubernetes/templates/_x.sh", "x"),
    ])
    .unwrap_err();
    assert!(
        error.starts_with("kubernetes/templates/x.yaml:2: "),
        "{error}"
    );
    assert!(error.contains("different escape rules"), "{error}");
}

#[test]
fn macros_are_shared_inside_a_chart_and_between_charts() {
    let files = [
        (
            "kubernetes/templates/_m.yaml",
            "{% macro m(x) %}{{ labels(x, 'c') }}{% endmacro %}",
        ),
        (
            "ltsp/templates/_m.yaml",
            "{% macro m(x) %}ltsp: {{ x }}{% endmacro %}",
        ),
        (
            "kubernetes/templates/x.yaml",
            "{% from '_m.yaml' import m %}{{ m('a') }}\n{% import 'ltsp/templates/_m.yaml' as l %}{{ l.m(1) }}\n",
        ),
        ("ltsp/templates/x.yaml", "{{ fail('another chart') }}"),
    ];
    let text = rendered(&files).unwrap();
    assert!(
        text.contains("\"app\":\"a\"") && text.ends_with("ltsp: 1\n"),
        "{text}"
    );
}

#[test]
fn errors_name_the_template_the_line_and_the_value() {
    for (text, expected) in [
        (
            "a: 1\nb: {{ etcd.replica }}\n",
            "x.yaml:2: `etcd.replica` is undefined",
        ),
        (
            "{% if nothing %}{% endif %}",
            "x.yaml:1: `nothing` is undefined",
        ),
        ("\n\n{{ fail('no such thing') }}", "x.yaml:3: no such thing"),
        ("{{ etcd.replicas", "x.yaml:1: syntax error"),
        (
            "{% include 'none.yaml' %}",
            "non-existing template 'none.yaml'",
        ),
        ("{{ file('rum.sh') }}", "did you mean \"run.sh\"?"),
        (
            "{{ file('run.sh') }}",
            "kubernetes/files/run.sh:2: `missing` is undefined",
        ),
        (
            "{{ file('a.toml') }}",
            "kubernetes/files/a.toml:1: no escape rule",
        ),
        ("{{ section('a b') }}", "\"a b\""),
    ] {
        let error = rendered(&[
            ("kubernetes/templates/x.yaml", text),
            ("kubernetes/files/run.sh", "#!/bin/sh\necho {{ missing }}\n"),
            ("kubernetes/files/a.toml", "a = {{ release.name }}\n"),
        ])
        .unwrap_err();
        assert!(error.contains(expected), "{error}\n{text}");
        assert!(error.starts_with("kubernetes/"), "{error}");
    }
    assert!(matches!(
        charts(&[]).render("helm", &model()),
        Err(ChartError::UnknownChart(_))
    ));
}

#[test]
fn a_file_becomes_a_string_with_its_own_escapes() {
    let text = rendered(&[
        (
            "kubernetes/templates/x.yaml",
            "run: {{ file('run.sh', port=80) }}\nsum: {{ file('run.sh', port=80)|sha256 }}\n",
        ),
        (
            "kubernetes/files/run.sh",
            "echo {{ etcd.name }} {{ port }}\n",
        ),
    ])
    .unwrap();
    let value: serde_json::Value = serde_yaml::from_str(&text).unwrap();
    assert_eq!(value["run"], "echo 'a\nb: \"c\"' 80\n");
    assert_eq!(value["sum"].as_str().map(str::len), Some(64));
}

#[test]
fn a_dnsmasq_line_cannot_be_too_long() {
    let error = rendered(&[
        (
            "kubernetes/templates/x.yaml",
            "a: {{ file('dnsmasq.conf', name='x' * 1100) }}",
        ),
        ("kubernetes/files/dnsmasq.conf", "txt-record={{ name }}\n"),
    ])
    .unwrap_err();
    assert!(error.contains("1111 bytes"), "{error}");
}

#[test]
fn flags_follow_defaults_then_names() {
    let flags =
        |defaults: &str, extra: &str| template(&format!("{{{{ flags({defaults}, {extra}) }}}}"));
    let defaults = "{'z': 'last', 'b': 1, 'gone': none}";
    assert_eq!(
        flags(defaults, "none"),
        Ok(r#"["--z=last","--b=1"]"#.to_owned())
    );
    assert_eq!(
        flags(defaults, "args"),
        Ok(r#"["--z=1","--b=true","--a=x","--a=y"]"#.to_owned())
    );
    assert_eq!(
        flags(defaults, "{'n': 1.0, 'c': [], 'z': none, 'gone': 'back'}"),
        Ok(r#"["--b=1","--gone=back","--n=1"]"#.to_owned())
    );
    for wrong in [
        "{'--v': 1}",
        "{'a=b': 1}",
        "{'a': {}}",
        "[1]",
        "{'a': [none]}",
    ] {
        assert!(flags(defaults, wrong).is_err(), "{wrong}");
    }
    assert!(flags("missing", "{}").is_err());
}

#[test]
fn dnsmasq_has_flags_without_values() {
    let flags = |flags: &str| template(&format!("{{{{ dnsmasq_flags({flags}) }}}}"));
    assert_eq!(
        flags("{'a': true, 'b': false, 'c': none, 'd': [1, 'x', true], 'e': 'y'}"),
        Ok(r#"["--a","--d=1","--d=x","--d","--e=y"]"#.to_owned())
    );
    assert_eq!(flags("none"), Ok("[]".to_owned()));
    assert!(flags("{'a': {}}").is_err());
}

#[test]
fn a_hash_of_a_captured_text_covers_its_values() {
    let hash = |list: &str| {
        template(&format!(
            "{{% set text %}}a: {{{{ {list} }}}}{{% endset %}}{{{{ sha256(text) }}}}"
        ))
    };
    // Of `a: [1,2]`.
    let expected = "a01ccfd1d9989d137272531391c83b9edf76dfbdf6b43516e494158e1caa9392";
    assert_eq!(hash("[1, 2]"), Ok(format!("\"{expected}\"")));
    assert_ne!(hash("[1, 2]"), hash("[1, 3]"));
}

#[test]
fn labels_keep_the_selector() {
    let labels = |extra: &str| template(&format!("{{{{ labels('farm-etcd', 'etcd', {extra}) }}}}"));
    let own = "{\"app\":\"farm-etcd\",\"app.kubernetes.io/name\":\"etcd\",\
               \"app.kubernetes.io/instance\":\"farm\",\"app.kubernetes.io/part-of\":\"kubefarm\",\
               \"app.kubernetes.io/managed-by\":\"kubefarm\"";
    assert_eq!(labels("none"), Ok(format!("{own}}}")));
    assert_eq!(
        labels("{'team': 1, 'app': 'farm-etcd', 'x': none}"),
        Ok(format!("{own},\"team\":\"1\"}}"))
    );
    assert!(
        labels("{'app': 'other'}")
            .unwrap_err()
            .contains("selectors")
    );
}

#[test]
fn maps_merge_and_hashes_are_stable() {
    assert_eq!(
        template("{{ merged({'a': 1, 'b': 2}, {'b': 3}) }}"),
        Ok("{\"a\":1,\"b\":3}".to_owned())
    );
    assert_eq!(template("{{ merged(none, {}) }}"), Ok("null".to_owned()));
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(template("{{ sha256('') }}"), Ok(format!("\"{empty}\"")));
    // Names of Jobs end with it.
    assert_eq!(
        template("{{ 'x'|short_hash }}"),
        Ok("\"o3k26mc1al\"".to_owned())
    );
    assert_eq!(template("{{ 'x'|b64 }}"), Ok("\"eA==\"".to_owned()));
    assert_eq!(
        template("{{ to_json({'a': [1]}) }}"),
        Ok(r#""{\"a\": [1]}""#.to_owned())
    );
}

#[test]
fn a_folder_overlays_the_charts_file_by_file() {
    let folder = tempfile::tempdir().unwrap();
    let templates = folder.path().join("kubernetes/templates/more");
    fs::create_dir_all(&templates).unwrap();
    fs::create_dir(folder.path().join(".git")).unwrap();
    fs::write(templates.join("y.yaml"), "y\n").unwrap();
    fs::write(folder.path().join("kubernetes/templates/x.yaml"), "new\n").unwrap();
    fs::write(folder.path().join("kubernetes/values.yaml"), "v: 2\n").unwrap();
    let base = charts(&[
        ("kubernetes/templates/a.yaml", "old\n"),
        ("kubernetes/templates/x.yaml", "old\n"),
        ("kubernetes/values.yaml", "v: 1\n"),
        ("ltsp/values.yaml", "l: 1\n"),
    ]);
    let charts = base.overlay(folder.path()).unwrap();
    let all: Vec<Rendered> = charts.render("kubernetes", &model()).unwrap();
    let found: Vec<(&str, &str)> = all.iter().map(|r| (&*r.source, &*r.text)).collect();
    assert_eq!(
        found,
        [
            ("kubernetes/templates/a.yaml", "old\n"),
            ("kubernetes/templates/more/y.yaml", "y\n"),
            ("kubernetes/templates/x.yaml", "new\n"),
        ]
    );
    let defaults = charts.defaults();
    let overlaid = folder
        .path()
        .join("kubernetes/values.yaml")
        .display()
        .to_string();
    assert_eq!(
        defaults,
        [
            (overlaid.as_str(), "v: 2\n"),
            ("charts/ltsp/values.yaml", "l: 1\n")
        ]
    );
}

#[test]
fn a_folder_that_no_chart_would_use_is_an_error() {
    for wrong in [
        "kubernets/templates/x.yaml",
        "kubernetes/template/x.yaml",
        "kubernetes/x.yaml",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(wrong);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, "x").unwrap();
        let error = charts(&[]).overlay(folder.path()).unwrap_err().to_string();
        assert!(error.contains("chart"), "{error}");
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("values.yaml");
    assert!(
        charts(&[])
            .overlay(&file)
            .unwrap_err()
            .to_string()
            .contains("values.yaml")
    );
    fs::create_dir_all(folder.path().join("ltsp")).unwrap();
    fs::write(folder.path().join("ltsp/values.yaml"), b"\xff\xfe").unwrap();
    assert!(
        charts(&[])
            .overlay(folder.path())
            .unwrap_err()
            .to_string()
            .contains("ltsp/values.yaml")
    );
}

#[test]
fn every_embedded_chart_is_complete() {
    let charts = Charts::embedded();
    let sources: Vec<&str> = charts
        .defaults()
        .iter()
        .map(|(source, _)| *source)
        .collect();
    assert_eq!(
        sources,
        NAMES.map(|name| format!("charts/{name}/values.yaml"))
    );
    for name in NAMES {
        assert!(
            charts.file(&format!("{name}/Chart.yaml")).is_some(),
            "{name}"
        );
    }
}

#[test]
fn every_embedded_template_compiles() {
    let charts = Charts::embedded();
    let environment = charts.templates.of_chart("kubernetes", model());
    for name in charts
        .file_names()
        .filter(|name| !name.ends_with("values.yaml"))
    {
        if let Err(error) = environment.get_template(name) {
            panic!("{}", ChartError::from(error));
        }
    }
}
