//! Puts values that were held beside a text into their places.

use serde_json::{Map, Value as Json};

use super::Fault;
use crate::chart::held::{Held, MARK, placeholder, placeholders, written_out};
use crate::manifest::json::{drop_nulls, leave_out_nulls};
use crate::manifest::lists::Lists;
use crate::values::write::quoted;

/// The values that were held beside a text.
pub(super) struct HeldValues {
    values: Vec<Held>,
    /// The long lists of the object that is being read. Their placeholders stay.
    pub lists: Lists,
    /// How many placeholders each value has. `None` if the text has aliases, which repeat parts of it.
    uses: Option<Vec<usize>>,
}

impl HeldValues {
    pub fn new(mut values: Vec<Held>) -> HeldValues {
        for value in &mut values {
            if let Held::Json(value) = value {
                // Here once, and not for each placeholder.
                drop_nulls(value);
            }
        }
        HeldValues {
            values,
            lists: Lists::default(),
            uses: None,
        }
    }

    /// The values of a text without aliases, in which placeholders can be counted.
    pub fn counted(text: &str, values: Vec<Held>) -> HeldValues {
        let mut uses = vec![0; values.len()];
        for number in placeholders(text) {
            if let Some(uses) = uses.get_mut(number) {
                *uses += 1;
            }
        }
        HeldValues {
            uses: Some(uses),
            ..HeldValues::new(values)
        }
    }

    /// Puts the held values in the place of their placeholders, and leaves out keys without a value.
    fn fill(&mut self, json: &mut Json) -> Result<(), Fault> {
        match json {
            Json::String(text) => {
                match self.value(text)? {
                    Some(Replacement::Json(value)) => *json = value,
                    Some(Replacement::List(number)) => self.keep(number),
                    None => {}
                }
                Ok(())
            }
            Json::Array(list) => list
                .iter_mut()
                .enumerate()
                .try_for_each(|(index, item)| self.fill(item).map_err(|fault| fault.inside(index))),
            Json::Object(map) => self.fill_map(map),
            _ => Ok(()),
        }
    }

    pub fn fill_map(&mut self, map: &mut Map<String, Json>) -> Result<(), Fault> {
        for (key, value) in map.iter_mut() {
            self.fill(value)
                .map_err(|fault| fault.inside(key.as_str()))?;
        }
        leave_out_nulls(map);
        if self.values.is_empty() || !map.keys().any(|key| has_mark(key)) {
            return Ok(());
        }
        for (key, value) in std::mem::take(map) {
            let filled = self.key(&key).map_err(|mut fault| {
                fault.is_key = true;
                fault.inside(key.as_str())
            })?;
            map.insert(filled.unwrap_or(key), value);
        }
        Ok(())
    }

    fn key(&mut self, text: &str) -> Result<Option<String>, Fault> {
        match self.value(text)? {
            None => Ok(None),
            Some(Replacement::Json(Json::String(key))) => Ok(Some(key)),
            Some(_) => Err(Fault::new("a key has to be a text")),
        }
    }

    /// The value for a text that is a placeholder or contains some; `None` for other texts.
    fn value(&mut self, text: &str) -> Result<Option<Replacement>, Fault> {
        if self.values.is_empty() || !has_mark(text) {
            return Ok(None);
        }
        let Some(number) = placeholder(text) else {
            let whole = written_out(text, |number| self.quoted(number));
            return match whole {
                Some(whole) => Ok(Some(Replacement::Json(Json::String(whole)))),
                None => Err(Fault::new(
                    "a list or a map stands inside a text; join them with ~ in the template",
                )),
            };
        };
        let Some(value) = self.values.get_mut(number) else {
            return Err(Fault::new("a placeholder without a value"));
        };
        let uses = self.uses.as_ref().and_then(|uses| uses.get(number));
        Ok(Some(match value {
            Held::Json(value) if uses.is_some_and(|uses| *uses == 1) => {
                Replacement::Json(value.take())
            }
            Held::Json(value) => Replacement::Json(value.clone()),
            Held::List(_) => Replacement::List(number),
        }))
    }

    /// A held text as a template writes short ones: with quotes.
    fn quoted(&self, number: usize) -> Option<String> {
        match self.values.get(number)? {
            Held::Json(Json::String(text)) => {
                let mut out = String::with_capacity(text.len() + 2);
                quoted(&mut out, text);
                Some(out)
            }
            _ => None,
        }
    }

    fn keep(&mut self, number: usize) {
        if let Some(Held::List(list)) = self.values.get(number) {
            self.lists.add(number, list);
        }
    }
}

/// What a placeholder stands for.
enum Replacement {
    Json(Json),
    /// The number of a long list.
    List(usize),
}

fn has_mark(text: &str) -> bool {
    // Nearly every text is ASCII, and checking that is faster than searching for a character.
    !text.is_ascii() && text.contains(MARK)
}
