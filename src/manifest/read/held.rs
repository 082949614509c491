//! Values that were held beside a text, put in their places.

use serde_json::{Map, Value as Json};

use super::Fault;
use crate::chart::held::{MARK, placeholder, placeholders};
use crate::manifest::json::{drop_nulls, leave_out_nulls};

/// The values that were held beside a text.
pub(super) struct Held {
    values: Vec<Json>,
    /// How often each of them is named. `None` where that is not known: an alias repeats what the text says once.
    uses: Option<Vec<usize>>,
}

impl Held {
    pub fn new(mut values: Vec<Json>) -> Held {
        // Once here, and not at each of a value's placeholders.
        values.iter_mut().for_each(drop_nulls);
        Held { values, uses: None }
    }

    /// Those of a text without aliases.
    pub fn named_in(text: &str, values: Vec<Json>) -> Held {
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
                if let Some(value) = self.value(text)? {
                    *json = value;
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
            Some(Json::String(key)) => Ok(Some(key)),
            Some(_) => Err(Fault::new("a key has to be a text")),
        }
    }

    /// The value whose placeholder this text is; `None` for other texts.
    fn value(&mut self, text: &str) -> Result<Option<Json>, Fault> {
        if self.values.is_empty() || !has_mark(text) {
            return Ok(None);
        }
        let number = placeholder(text);
        let Some((number, value)) =
            number.and_then(|number| Some((number, self.values.get_mut(number)?)))
        else {
            return Err(Fault::new(
                "a value stands inside a text; join them with ~ in the template",
            ));
        };
        let uses = self.uses.as_ref().and_then(|uses| uses.get(number));
        Ok(Some(if uses.is_some_and(|uses| *uses == 1) {
            value.take()
        } else {
            value.clone()
        }))
    }
}

fn has_mark(text: &str) -> bool {
    // Nearly every text is ASCII, which is seen faster than a single character is looked for.
    !text.is_ascii() && text.contains(MARK)
}
