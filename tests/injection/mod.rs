//! No value can inject: arbitrary text in any value comes back unchanged out of whatever reads it, with nothing else
//! changed, or it is refused with the place where it was written.

mod consumers;
mod coverage;
mod grammars;
mod ltsp;
mod places;
mod program;
mod shape;
mod strings;
use ipnet::IpNet;
use kubefarm::chart::Charts;
use kubefarm::manifest::write_yaml;
use kubefarm::render::{self, RenderError};
use kubefarm::values::{Input, Problem, Severity, load_with_removed};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestError, TestRunner};
use serde_json::{Value, json};

use places::Fixture;
use shape::{Shape, difference};

/// Renders values inside this process, and reads the written text back.
fn render(values: &Value) -> Result<Vec<Value>, Vec<Problem>> {
    let charts = Charts::embedded();
    let text = places::to_json(values);
    let input = Input::Builtin {
        name: "farm".to_owned(),
        text,
    };
    let loaded = load_with_removed(&charts.default_values(), &[input])?;
    let outcome =
        render::render(charts, &loaded, None, "space").map_err(|failure| match failure {
            RenderError::Values(problems) => problems,
            other => vec![Problem::error(other.to_string())],
        })?;
    let mut text = Vec::new();
    write_yaml(&outcome.manifest, &mut text).unwrap();
    let read = consumers::read(std::str::from_utf8(&text).unwrap());
    let objects = outcome.manifest.into_objects().into_iter();
    let objects: Vec<Value> = objects
        .map(|object| Value::Object(object.content))
        .collect();
    assert_eq!(
        difference(&json!(objects), &json!(read), ""),
        None,
        "another reader sees something else"
    );
    Ok(read)
}

fn consumed(objects: Vec<Value>) -> Value {
    objects.into_iter().map(consumers::consume).collect()
}

/// Renders with these texts. Where some are refused, each with its place, harmless text replaces them.
fn accepted(fixture: &Fixture, mut texts: Vec<String>) -> (Vec<String>, Value) {
    for _ in 0..6 {
        let problems = match render(&fixture.values(&texts)) {
            Ok(objects) => return (texts, consumed(objects)),
            Err(problems) => problems,
        };
        let before = texts.clone();
        for problem in problems
            .iter()
            .filter(|problem| problem.severity == Severity::Error)
        {
            assert!(places::has_place(problem), "{problem}");
            let named = fixture.named_by(problem, &before);
            assert!(!named.is_empty(), "no place is named by: {problem}");
            for number in named {
                texts[number] = fixture.places[number].harmless.clone();
            }
        }
        assert!(before != texts, "harmless text is refused: {problems:?}");
    }
    panic!("problems come to no end");
}

fn shape(fixture: &Fixture) -> Shape {
    let problems = |problems: Vec<Problem>| -> String {
        problems
            .iter()
            .map(|problem| format!("{problem}\n"))
            .collect()
    };
    let objects = render(&fixture.values(&fixture.harmless())).map_err(problems);
    Shape::new(&consumed(objects.unwrap()), fixture)
}

fn check(fixture: &Fixture, shape: &Shape, mut texts: Vec<String>) -> Result<(), TestCaseError> {
    // Where a value is optional, the empty text is not there, and cannot come back. For an option of DHCP blank text is
    // the same.
    for (text, place) in texts.iter_mut().zip(&fixture.places) {
        let path = place.path.to_string();
        // Networks are written in a form of their own.
        if path.contains("nodeNetworks") && text.trim().parse::<IpNet>().is_ok() {
            text.clone_from(&place.harmless);
        }
        let is_option = path.contains("dhcpOptions");
        if text.is_empty() || (is_option && text.trim().is_empty()) {
            text.clone_from(&place.harmless);
        }
    }
    let (texts, mut output) = accepted(fixture, texts);
    let mut expected = shape.fill(fixture, &texts);
    consumers::settle(&mut expected);
    consumers::settle(&mut output);
    match difference(&expected, &output, "") {
        None => Ok(()),
        Some(difference) => Err(TestCaseError::fail(difference)),
    }
}

fn cases(default: u32) -> Config {
    let mut config = Config::default();
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = default;
    }
    // The first difference says all: the place, and what is there instead.
    config.max_shrink_iters = 0;
    config.failure_persistence = None;
    config
}

fn any_text_in(farm: usize) {
    let fixture = &Fixture::all()[farm];
    let shape = shape(fixture);
    let mut runner = TestRunner::new(cases(12));
    let texts = strings::texts(fixture);
    match runner.run(&texts, |texts| check(fixture, &shape, texts)) {
        Err(TestError::Fail(reason, _)) => panic!("{reason}"),
        result => result.unwrap(),
    }
}

#[test]
fn any_text_in_a_farm_with_dnsmasq_controller() {
    any_text_in(0);
}

#[test]
fn any_text_in_a_farm_with_its_own_dnsmasq() {
    any_text_in(1);
}

#[test]
fn any_text_in_a_farm_whose_address_is_published() {
    any_text_in(2);
}
