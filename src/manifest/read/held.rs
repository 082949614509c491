//! Values that were held beside a text, put in their places.

use serde_json::{Map, Value as Json};

use super::Fault;
use crate::chart::held::{self, MARK, placeholder, placeholders};
use crate::manifest::json::{drop_nulls, leave_out_nulls};
use crate::manifest::lists::Lists;
use crate::values::write::quoted;

/// The values that were held beside a text.
pub(super) struct Held {
    values: Vec<held::Held>,
    /// The long lists of the object that is being read. Their placeholders stay.
    pub lists: Lists,
    /// How often each of them is named. `None` where that is not known: an alias repeats what the text says once.
    uses: Option<Vec<usize>>,
}

impl Held {
    pub fn new(mut values: Vec<held::Held>) -> Held {
        for value in &mut values {
            if let held::Held::Json(value) = value {
                // Once here, and not at each of a value's placeholders.
                drop_nulls(value);
            }
        }
        Held {
            values,
            lists: Lists::default(),
            uses: None,
        }
    }

    /// Those of a text without aliases.
    pub fn named_in(text: &str, values: Vec<held::Held>) -> Held {
        let mut uses = vec![0; values.len()];
        for number in placeholders(text) {
            if let Some(uses) = uses.get_mut(number) {
                *uses += 1;
            }
        }
        Held {
            uses: Some(uses),
            ..Held::new(values)
        }
    }

    /// Puts the held values in the place of their placeholders, and leaves out what is null.
    fn settle(&mut self, json: &mut Json) -> Result<(), Fault> {
        match json {
            Json::String(text) => {
                match self.value(text)? {
                    Some(Found::Json(value)) => *json = value,
                    Some(Found::List(number)) => self.keep(number),
                    None => {}
                }
                Ok(())
            }
            Json::Array(list) => list.iter_mut().enumerate().try_for_each(|(index, item)| {
                self.settle(item).map_err(|fault| fault.inside(index))
            }),
            Json::Object(map) => self.settle_map(map),
            _ => Ok(()),
        }
    }

    pub fn settle_map(&mut self, map: &mut Map<String, Json>) -> Result<(), Fault> {
        for (key, value) in map.iter_mut() {
            self.settle(value)
                .map_err(|fault| fault.inside(key.as_str()))?;
        }
        leave_out_nulls(map);
        if self.values.is_empty() || !map.keys().any(|key| has_mark(key)) {
            return Ok(());
        }
        for (key, value) in std::mem::take(map) {
            let settled = self.key(&key).map_err(|mut fault| {
                fault.is_key = true;
                fault.inside(key.as_str())
            })?;
            map.insert(settled.unwrap_or(key), value);
        }
        Ok(())
    }

    fn key(&mut self, text: &str) -> Result<Option<String>, Fault> {
        match self.value(text)? {
            None => Ok(None),
            Some(Found::Json(Json::String(key))) => Ok(Some(key)),
            Some(_) => Err(Fault::new("a key has to be a text")),
        }
    }

    /// The value whose placeholder this text is; `None` for other texts.
    fn value(&mut self, text: &str) -> Result<Option<Found>, Fault> {
        if self.values.is_empty() || !has_mark(text) {
            return Ok(None);
        }
        let Some(number) = placeholder(text) else {
            let whole = held::written_out(text, |number| self.quoted(number));
            return match whole {
                Some(whole) => Ok(Some(Found::Json(Json::String(whole)))),
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
            held::Held::Json(value) if uses.is_some_and(|uses| *uses == 1) => {
                Found::Json(value.take())
            }
            held::Held::Json(value) => Found::Json(value.clone()),
            held::Held::List(_) => Found::List(number),
        }))
    }

    /// A held text as a template writes short ones: with quotes.
    fn quoted(&self, number: usize) -> Option<String> {
        match self.values.get(number)? {
            held::Held::Json(Json::String(text)) => {
                let mut out = String::with_capacity(text.len() + 2);
                quoted(&mut out, text);
                Some(out)
            }
            _ => None,
        }
    }

    fn keep(&mut self, number: usize) {
        if let Some(held::Held::List(list)) = self.values.get(number) {
            self.lists.add(number, list);
        }
    }
}

/// What a placeholder stands for.
enum Found {
    Json(Json),
    /// The number of a long list.
    List(usize),
}

fn has_mark(text: &str) -> bool {
    // Nearly every text is ASCII, which is seen faster than a single character is looked for.
    !text.is_ascii() && text.contains(MARK)
}
