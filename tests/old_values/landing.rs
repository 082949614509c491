//! Where values land: the comments that say so, and the objects that have to agree.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// What a comment says about the value of its line.
pub enum Landing {
    Object {
        line: usize,
        object: String,
        path: String,
        contains: bool,
        value: Value,
    },
    Warning {
        line: usize,
        text: String,
    },
}

impl Landing {
    pub fn line(&self) -> usize {
        match self {
            Landing::Object { line, .. } | Landing::Warning { line, .. } => *line,
        }
    }
}

/// All that a file's comments say.
pub fn landings(text: &str) -> Vec<Landing> {
    let mut found = Vec::new();
    let mut current = String::new();
    for (index, line) in text.lines().enumerate() {
        let line_number = index + 1;
        if let Some(object) = line.trim_start().strip_prefix("# in ") {
            current = object.to_owned();
        } else if let Some((_, warning)) = line.split_once("#! ") {
            found.push(Landing::Warning {
                line: line_number,
                text: warning.to_owned(),
            });
        } else if let Some((_, said)) = line.split_once("#> ") {
            found.push(landing(line_number, said, &current));
        }
    }
    found
}

fn landing(line: usize, said: &str, current: &str) -> Landing {
    let words: Vec<&str> = said.splitn(2, ": ").collect();
    let (object, said) = match words[..] {
        [object, rest] if object.contains('/') && !object.contains(' ') => (object, rest),
        _ => (current, said),
    };
    let mut parts = said.splitn(3, ' ');
    let mut part = || {
        parts
            .next()
            .unwrap_or_else(|| panic!("line {line}: PATH = JSON or PATH ~ JSON"))
    };
    let (path, operator, value) = (part(), part(), part());
    Landing::Object {
        line,
        object: object.to_owned(),
        path: path.to_owned(),
        contains: operator == "~",
        value: serde_json::from_str(value)
            .unwrap_or_else(|error| panic!("line {line}: {value}: {error}")),
    }
}

/// The objects of a farm by `Kind/name`, those inside the child cluster by `child:Kind/name`.
pub struct Objects(BTreeMap<String, Value>);

impl Objects {
    pub fn new(list: &Value) -> Objects {
        let mut objects = BTreeMap::new();
        for object in list["items"].as_array().expect("items") {
            objects.insert(key(object), object.clone());
            if key(object).ends_with("-addons") {
                for text in object["data"]
                    .as_object()
                    .expect("addons")
                    .values()
                    .filter_map(Value::as_str)
                {
                    for child in serde_yaml::Deserializer::from_str(text) {
                        let child = Value::deserialize(child).expect("YAML");
                        objects.insert(format!("child:{}", key(&child)), child);
                    }
                }
            }
        }
        Objects(objects)
    }

    /// The object of that name; null if there is none.
    pub fn get(&self, object: &str) -> &Value {
        self.0.get(object).unwrap_or(&Value::Null)
    }

    /// What is wrong with what stands in the object, if anything.
    pub fn complaint(&self, landing: &Landing) -> Option<String> {
        let Landing::Object {
            object,
            path,
            contains,
            value,
            ..
        } = landing
        else {
            return None;
        };
        let found = self
            .0
            .get(object)
            .and_then(|object| at(object, path))
            .unwrap_or(&Value::Null);
        let is_right = if *contains {
            !found.is_null() && holds(found, value)
        } else {
            found == value
        };
        (!is_right).then(|| format!("{object} {path}: expected {value}, found {found}"))
    }
}

fn key(object: &Value) -> String {
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    format!(
        "{}/{}",
        text(&object["kind"]),
        text(&object["metadata"]["name"])
    )
}

/// The value at `a.b[0].c`; `\.` is a dot in a key, `.` the object itself.
fn at<'a>(object: &'a Value, path: &str) -> Option<&'a Value> {
    let mut value = object;
    let steps = path.replace("\\.", "\u{0}").replace('[', ".[");
    for step in steps.split('.').filter(|step| !step.is_empty()) {
        value = match step
            .strip_prefix('[')
            .and_then(|step| step.strip_suffix(']'))
        {
            Some(index) => value.get(index.parse::<usize>().expect("an index"))?,
            None => value.get(step.replace('\u{0}', "."))?,
        };
    }
    Some(value)
}

/// Whether `value` is somewhere in `found`: a part of a text, an element, or a map with these entries.
fn holds(found: &Value, value: &Value) -> bool {
    let within = match (found, value) {
        (Value::String(found), Value::String(value)) => found.contains(value),
        (Value::Object(found), Value::Object(value)) => value
            .iter()
            .all(|(key, value)| found.get(key) == Some(value)),
        _ => found == value,
    };
    let mut inner: Box<dyn Iterator<Item = &Value>> = match found {
        Value::Array(items) => Box::new(items.iter()),
        Value::Object(map) => Box::new(map.values()),
        _ => Box::new(std::iter::empty()),
    };
    within || inner.any(|inner| holds(inner, value))
}
