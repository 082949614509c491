//! The places in a farm's values where text can stand, and farms with other text in them.

use std::collections::HashMap;
use std::net::IpAddr;

use kubefarm::values::{Origin, Path, Problem, Segment, yaml};
use serde_json::{Map, Value};

/// Keys whose values are words of a fixed list, or refer to a name that is written elsewhere.
const CLOSED: [&str; 6] = [
    "type",
    "mode",
    "kind",
    "effect",
    "tags",
    "whenUnsatisfiable",
];
/// Places for which blank text means that nothing is set.
const BLANK_IS_UNSET: [&str; 7] = [
    "range",
    "interface",
    "existingClaim",
    "containerdConfig",
    "podAntiAffinityTopologyKey",
    "name",
    "namespace",
];

/// One value, or one key, that holds text.
pub struct Place {
    /// The way there, with harmless text in all keys on it.
    pub path: Path,
    /// Harmless text, unlike any other.
    pub harmless: String,
    pub is_key: bool,
    /// Whether the harmless text follows a grammar.
    pub has_grammar: bool,
}

impl Place {
    fn segment(&self) -> &str {
        self.keys().last().unwrap_or_default()
    }

    fn keys(&self) -> impl Iterator<Item = &str> {
        self.path.0.iter().filter_map(|segment| match segment {
            Segment::Key(key) => Some(key.as_str()),
            Segment::Index(_) => None,
        })
    }

    /// Whether the text becomes fields of a line of dnsmasq's.
    fn is_dnsmasq(&self) -> bool {
        let keys: Vec<&str> = self.keys().collect();
        let of_server = keys.starts_with(&["dhcp", "standalone", "extraArgs"]);
        let mut keys = keys.iter();
        of_server
            || keys.any(|key| ["range", "extraOpts", "dhcpOptions", "mac", "ip"].contains(key))
    }

    /// Text that can stand here as one of many: keys stay apart, and blank text that would mean "unset" is none.
    pub fn frame(&self, number: usize, text: &str) -> String {
        if self.is_key {
            // A key of more than 1,024 bytes, escapes included, is not a key in a flow mapping (YAML 1.2, 7.4.2).
            let text: String = text.chars().take(150).collect();
            return match number % 2 {
                0 => format!("{text}k{number}"),
                _ => format!("k{number}{text}"),
            };
        }
        // A question mark stands for the release's tag.
        let text = if self.is_dnsmasq() {
            &text.replace('?', "")
        } else {
            text
        };
        if text.trim().is_empty() && BLANK_IS_UNSET.contains(&self.segment()) {
            return "x".to_owned() + text;
        }
        match self.segment() {
            "containerdConfig" => format!("= {text}"),
            // What is beyond 63 characters is cut off, and a hyphen at the end.
            name if name.ends_with("Override") => {
                let name: String = text.chars().take(63).collect();
                match name.trim_end_matches('-') {
                    "" => "x".to_owned(),
                    name => name.to_owned(),
                }
            }
            // Certificates have addresses in their usual spelling.
            _ => match text.parse::<IpAddr>() {
                Ok(address) => address.to_string(),
                Err(_) => text.to_owned(),
            },
        }
    }

    /// What the output holds for this text. Fields of dnsmasq's lines are trimmed.
    pub fn written(&self, text: &str) -> String {
        if self.is_dnsmasq() {
            let fields: Vec<&str> = text.split(',').map(str::trim).collect();
            return fields.join(",");
        }
        if self.keys().any(|key| key == "sshAuthorizedKeys") {
            text.trim_end().to_owned()
        } else {
            text.to_owned()
        }
    }
}

/// A farm's values with places in them.
pub struct Fixture {
    template: Value,
    pub places: Vec<Place>,
    numbers: HashMap<String, usize>,
}

impl Fixture {
    /// The farms of `values.yaml`: its first document with each of the others over it.
    pub fn all() -> Vec<Fixture> {
        let documents = yaml::parse("values.yaml", include_str!("values.yaml")).unwrap();
        let mut documents = documents.iter().map(Value::from);
        let mut base = documents.next().unwrap();
        let shared = |key: &String, _: &mut Value| !key.starts_with('.');
        base.as_object_mut().unwrap().retain(shared);
        documents
            .map(|over| {
                let mut farm = base.clone();
                lay_over(&mut farm, over);
                Fixture::new(farm)
            })
            .collect()
    }

    fn new(mut template: Value) -> Fixture {
        let mut places = Vec::new();
        mark(&mut template, &Path::default(), &mut places);
        let mut numbers = HashMap::new();
        for (number, place) in places.iter().enumerate() {
            let other = numbers.insert(place.harmless.clone(), number);
            assert!(other.is_none(), "{} is not unlike others", place.harmless);
        }
        Fixture {
            template,
            places,
            numbers,
        }
    }

    /// The harmless text of every place.
    pub fn harmless(&self) -> Vec<String> {
        self.places
            .iter()
            .map(|place| place.harmless.clone())
            .collect()
    }

    /// The values with these texts in the places.
    pub fn values(&self, texts: &[String]) -> Value {
        self.fill(&self.template, texts)
    }

    fn fill(&self, value: &Value, texts: &[String]) -> Value {
        let text = |harmless: &String| match self.numbers.get(harmless) {
            Some(number) => texts[*number].clone(),
            None => harmless.clone(),
        };
        match value {
            Value::String(harmless) => Value::String(text(harmless)),
            Value::Array(items) => items.iter().map(|item| self.fill(item, texts)).collect(),
            Value::Object(map) => {
                let entries = map
                    .iter()
                    .map(|(key, value)| (text(key), self.fill(value, texts)));
                Value::Object(entries.collect())
            }
            other => other.clone(),
        }
    }

    /// The way to a place in the values with these texts.
    pub fn path(&self, number: usize, texts: &[String]) -> Path {
        let segments = self.places[number]
            .path
            .0
            .iter()
            .map(|segment| match segment {
                Segment::Key(key) => match self.numbers.get(key) {
                    Some(number) => Segment::Key(texts[*number].clone()),
                    None => segment.clone(),
                },
                index => index.clone(),
            });
        Path(segments.collect())
    }

    /// The places that a problem names. MAC addresses, nodes, manifests and DHCP options are judged as a whole.
    pub fn named_by(&self, problem: &Problem, texts: &[String]) -> Vec<usize> {
        let Some(path) = &problem.path else {
            return Vec::new();
        };
        let whole = match path.0.as_slice() {
            // A list that has to hold as a whole.
            [.., Segment::Key(key)] if ["mac", "nodeNetworks"].contains(&key.as_str()) => true,
            // Whatever is in it, it is a manifest or not.
            [.., Segment::Key(key), Segment::Key(_)]
                if ["extraManifests", "extraObjects"].contains(&key.as_str()) =>
            {
                true
            }
            [_, Segment::Key(key), _, Segment::Key(_)] => key == "dhcpOptions",
            [.., Segment::Key(key), Segment::Index(_)] => key == "nodes",
            _ => false,
        };
        (0..self.places.len())
            .filter(|number| {
                let place = self.path(*number, texts);
                place == *path || (whole && place.0.starts_with(&path.0))
            })
            .collect()
    }
}

/// Puts harmless text into every place, and notes the places.
fn mark(value: &mut Value, path: &Path, places: &mut Vec<Place>) {
    match value {
        Value::String(text) => {
            let harmless = note(text, path, false, places);
            *text = harmless;
        }
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                mark(item, &path.join(index), places);
            }
        }
        Value::Object(map) => {
            let mut marked = Map::new();
            for (key, mut value) in std::mem::take(map) {
                let closed = CLOSED.contains(&key.as_str()) && !value.is_object();
                let key = match key.as_str() {
                    "KEY" => note(&key, path, true, places),
                    _ => key,
                };
                if !closed {
                    mark(&mut value, &path.join(key.as_str()), places);
                }
                marked.insert(key, value);
            }
            *map = marked;
        }
        _ => {}
    }
}

fn note(text: &str, path: &Path, is_key: bool, places: &mut Vec<Place>) -> String {
    let has_grammar = !["TEXT", "KEY"].contains(&text);
    let harmless = if has_grammar {
        text.to_owned()
    } else {
        format!("mark{:04}x", places.len())
    };
    let path = if is_key {
        path.join(harmless.as_str())
    } else {
        path.clone()
    };
    places.push(Place {
        path,
        harmless: harmless.clone(),
        is_key,
        has_grammar,
    });
    harmless
}

fn lay_over(base: &mut Value, over: Value) {
    match (base, over) {
        (Value::Object(base), Value::Object(over)) => {
            for (key, value) in over {
                lay_over(base.entry(key).or_insert(Value::Null), value);
            }
        }
        (base, over) => *base = over,
    }
}

/// Where in the source a problem was written; a flag or nothing is not a place in a file.
pub fn has_place(problem: &Problem) -> bool {
    matches!(&problem.origin, Some(Origin::Place { source, .. }) if &**source == "builtin:farm")
}

/// JSON that every YAML reader reads: what YAML forbids even inside quotes is escaped.
pub fn to_json(value: &Value) -> String {
    let json = serde_json::to_string(value).unwrap();
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '\u{7f}'..='\u{9f}'
            | '\u{2028}'
            | '\u{2029}'
            | '\u{feff}'
            | '\u{fffe}'
            | '\u{ffff}' => {
                text += &format!("\\u{:04x}", u32::from(c));
            }
            c => text.push(c),
        }
    }
    text
}
