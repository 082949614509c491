//! A farm's output with holes where harmless text stood: what the output with other text has to be.

use serde_json::Value;

use crate::injection::places::Fixture;

/// The output of a farm with harmless text.
pub enum Shape {
    Text(Vec<Piece>),
    List(Vec<Shape>),
    Map(Vec<(Vec<Piece>, Shape)>),
    Other(Value),
}

pub enum Piece {
    Literal(String),
    Hole(usize),
}

impl Shape {
    /// Finds the harmless texts in an output.
    pub fn new(output: &Value, fixture: &Fixture) -> Shape {
        match output {
            Value::String(text) => Shape::Text(pieces(text, fixture)),
            Value::Array(items) => {
                Shape::List(items.iter().map(|item| Shape::new(item, fixture)).collect())
            }
            Value::Object(map) => {
                let entries = map.iter();
                Shape::Map(
                    entries
                        .map(|(key, value)| (pieces(key, fixture), Shape::new(value, fixture)))
                        .collect(),
                )
            }
            other => Shape::Other(other.clone()),
        }
    }

    /// The output that these texts must give.
    pub fn fill(&self, fixture: &Fixture, texts: &[String]) -> Value {
        let text = |pieces: &[Piece]| -> String {
            let pieces = pieces.iter().map(|piece| match piece {
                Piece::Literal(text) => text.clone(),
                Piece::Hole(number) => fixture.places[*number].written(&texts[*number]),
            });
            pieces.collect()
        };
        match self {
            Shape::Text(pieces) => text(pieces).into(),
            Shape::List(items) => items.iter().map(|item| item.fill(fixture, texts)).collect(),
            Shape::Map(entries) => {
                let entries = entries
                    .iter()
                    .map(|(key, value)| (text(key), value.fill(fixture, texts)));
                Value::Object(entries.collect())
            }
            Shape::Other(value) => value.clone(),
        }
    }

    /// Marks the places whose text is somewhere in the output.
    pub fn mark_holes(&self, seen: &mut [bool]) {
        let mut mark = |pieces: &[Piece]| {
            for piece in pieces {
                if let Piece::Hole(number) = piece {
                    seen[*number] = true;
                }
            }
        };
        match self {
            Shape::Text(pieces) => mark(pieces),
            Shape::List(items) => items.iter().for_each(|item| item.mark_holes(seen)),
            Shape::Map(entries) => {
                entries.iter().for_each(|(key, _)| mark(key));
                entries.iter().for_each(|(_, value)| value.mark_holes(seen));
            }
            Shape::Other(_) => {}
        }
    }
}

fn pieces(text: &str, fixture: &Fixture) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((start, number)) = first_hole(rest, fixture) {
        pieces.push(Piece::Literal(rest[..start].to_owned()));
        pieces.push(Piece::Hole(number));
        rest = &rest[start + fixture.places[number].harmless.len()..];
    }
    pieces.push(Piece::Literal(rest.to_owned()));
    pieces
}

fn first_hole(text: &str, fixture: &Fixture) -> Option<(usize, usize)> {
    let places = fixture.places.iter().enumerate();
    places
        .filter_map(|(number, place)| Some((text.find(&place.harmless)?, number)))
        .min_by_key(|(start, number)| (*start, usize::MAX - fixture.places[*number].harmless.len()))
}

/// The first difference between two outputs, with its place.
pub fn difference(expected: &Value, actual: &Value, at: &str) -> Option<String> {
    match (expected, actual) {
        (Value::Object(a), Value::Object(b)) => {
            let missing = a.keys().find(|key| !b.contains_key(*key));
            let extra = b.keys().find(|key| !a.contains_key(*key));
            if missing.is_some() || extra.is_some() {
                return Some(format!("{at}: missing {missing:?}, not expected {extra:?}"));
            }
            a.iter()
                .find_map(|(key, value)| difference(value, &b[key], &format!("{at}.{key}")))
        }
        (Value::Array(a), Value::Array(b)) => {
            let mut pairs = a.iter().zip(b).enumerate();
            let inside =
                pairs.find_map(|(index, (a, b))| difference(a, b, &format!("{at}[{index}]")));
            inside.or_else(|| {
                let lengths = (a.len(), b.len());
                (lengths.0 != lengths.1)
                    .then(|| format!("{at}: expected and found items: {lengths:?}"))
            })
        }
        (a, b) => (a != b).then(|| format!("{at}: expected {a}\nfound {b}")),
    }
}
