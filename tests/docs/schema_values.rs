//! The table of values on which the JSON Schema and the program agree.

use kubefarm::chart::Charts;
use kubefarm::farm;
use kubefarm::farm::spec::Values;
use kubefarm::values::{Input, decode, load, load_with_stdin};
use serde_json::Value;

use super::schema::schema;

/// A section's values, as they are written.
fn section(title: &str) -> Vec<&'static str> {
    let text = include_str!("schema_values.txt");
    let lines = text
        .lines()
        .skip_while(|line| *line != format!("[{title}]"))
        .skip(1);
    let lines: Vec<&str> = lines.take_while(|line| !line.is_empty()).collect();
    assert!(!lines.is_empty(), "no values under {title}");
    lines
}

/// What the program finds wrong.
fn refused_by_program(text: &str) -> Vec<String> {
    let charts = Charts::embedded();
    let inputs = [Input::File("-".into())];
    let problems = match load_with_stdin(&charts.default_values(), &inputs, &mut text.as_bytes()) {
        Err(problems) => problems,
        Ok(loaded) => {
            let checked = farm::check(&loaded.tree, None, "default", || None);
            match checked.values {
                Some(_) => Vec::new(),
                None => checked.problems,
            }
        }
    };
    problems.iter().map(ToString::to_string).collect()
}

struct Schema(jsonschema::Validator);

impl Schema {
    fn new() -> Schema {
        Schema(jsonschema::draft202012::new(&schema()).expect("a schema"))
    }

    /// What the schema finds wrong in a text that is read as editors read it.
    fn refuses(&self, text: &str) -> Vec<String> {
        let value: Value =
            serde_yaml::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let errors = self.0.iter_errors(&value);
        errors
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect()
    }
}

#[test]
fn the_table_is_long_enough() {
    assert!(section("both take").len() >= 100);
    assert!(section("both refuse").len() >= 150);
}

#[test]
fn what_the_program_takes_the_schema_takes() {
    let schema = Schema::new();
    let mut wrong = Vec::new();
    for text in section("both take") {
        for (who, found) in [
            ("program", refused_by_program(text)),
            ("schema", schema.refuses(text)),
        ] {
            if !found.is_empty() {
                wrong.push(format!("{text}\n  the {who}: {found:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "refused:\n{}", wrong.join("\n"));
}

#[test]
fn what_the_program_refuses_the_schema_refuses() {
    let schema = Schema::new();
    let mut wrong = Vec::new();
    for text in section("both refuse") {
        for (who, found) in [
            ("program", refused_by_program(text)),
            ("schema", schema.refuses(text)),
        ] {
            if found.is_empty() {
                wrong.push(format!("{text}\n  the {who} takes it"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_no_schema_can_see_the_program_sees() {
    let schema = Schema::new();
    for text in section("only the program refuses") {
        assert!(
            !refused_by_program(text).is_empty(),
            "the program takes {text}"
        );
        assert_eq!(schema.refuses(text), [""; 0], "{text}");
    }
}

/// Every rule about texts is about a key that there is, and gives an example that fits.
#[test]
fn patterns_fit_their_examples_and_defaults() {
    fn walk(path: &str, schema: &Value, seen: &mut usize) {
        if let Some(pattern) = schema.get("pattern") {
            let validator = jsonschema::draft202012::new(schema).expect("a schema");
            let examples = schema.get("examples").and_then(Value::as_array);
            for text in examples.into_iter().flatten().chain(schema.get("default")) {
                assert!(
                    validator.is_valid(text),
                    "{path}: {text} does not fit {pattern}"
                );
                *seen += 1;
            }
        }
        match schema {
            Value::Object(map) => map
                .iter()
                .for_each(|(key, inner)| walk(&format!("{path}.{key}"), inner, seen)),
            Value::Array(list) => list.iter().for_each(|inner| walk(path, inner, seen)),
            _ => {}
        }
    }
    let mut seen = 0;
    walk("", &schema(), &mut seen);
    assert!(seen > 50, "{seen}");
}

/// The checks go through these two lists.
#[test]
fn every_component_and_service_of_the_schema_is_checked() {
    fn having(key: &str, path: &str, schema: &Value, found: &mut Vec<String>) {
        let properties = schema.get("properties").and_then(Value::as_object);
        for (name, property) in properties.into_iter().flatten() {
            if name == key {
                found.push(path.to_owned());
            }
            let dot = if path.is_empty() { "" } else { "." };
            having(key, &format!("{path}{dot}{name}"), property, found);
        }
    }
    let tree = load(&Charts::embedded().default_values(), &[]).expect("the defaults");
    let values: Values = decode(&tree).0.expect("the defaults");
    let services: Vec<String> = values.services().map(|(path, _)| path).collect();
    let services = services.iter().map(String::as_str).collect();
    let components: Vec<&str> = values.components().iter().map(|(path, _)| *path).collect();
    for (key, known) in [
        ("loadBalancerIP", services),
        ("podAntiAffinity", components.clone()),
        (
            "podLabels",
            [components, vec!["kubernetes.etcd.backup"]].concat(),
        ),
    ] {
        let mut found = Vec::new();
        having(key, "", &schema(), &mut found);
        found.retain(|path| !known.contains(&path.as_str()));
        assert!(found.is_empty(), "{key}: no check sees {found:?}");
    }
}

#[test]
fn no_default_is_null() {
    // yaml-language-server 1.25 stops listing keys at the first one.
    let text = schema().to_string();
    assert!(!text.contains("\"default\":null"));
}
