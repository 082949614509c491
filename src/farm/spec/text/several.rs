//! Several texts of one kind.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{self, Deserialize, Deserializer, SeqAccess, Visitor};

use super::{Text, one_or_many};
use crate::values::Path;

/// Texts of one kind: one, several separated by commas, or a list. Space around them is ignored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Several<T> {
    items: Box<[T]>,
    is_list: bool,
}

impl<T> Several<T> {
    /// The items with the path of each: several items of one text all have the path of the text.
    pub fn places<'a>(&'a self, path: &'a Path) -> impl Iterator<Item = (Path, &'a T)> {
        let place = |index: usize| {
            if self.is_list {
                path.join(index)
            } else {
                path.clone()
            }
        };
        let items = self.items.iter().enumerate();
        items.map(move |(index, item)| (place(index), item))
    }

    /// The items, each with its index where they are a list.
    pub fn indexed(&self) -> impl Iterator<Item = (Option<usize>, &T)> {
        let items = self.items.iter().enumerate();
        let is_list = self.is_list;
        items.map(move |(index, item)| (is_list.then_some(index), item))
    }

    /// The items.
    pub fn iter(&self) -> std::slice::Iter<'_, T> {
        self.items.iter()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }
}

impl<T: Deref<Target = str>> Several<T> {
    /// Whether it is the empty text, and not a list that holds one.
    pub fn is_empty_text(&self) -> bool {
        !self.is_list && self.items.iter().all(|item| item.is_empty())
    }
}

impl<'de, T: Text> Deserialize<'de> for Several<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_string(SeveralVisitor(std::marker::PhantomData))
    }
}

/// One item of a list.
struct Item<T>(T);

impl<'de, T: Text> Deserialize<'de> for Item<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse(text.trim().to_owned()).map(Item)
    }
}

fn parse<T: Text, E: de::Error>(text: String) -> Result<T, E> {
    T::parse(text).map_err(E::custom)
}

struct SeveralVisitor<T>(std::marker::PhantomData<T>);

impl<'de, T: Text> Visitor<'de> for SeveralVisitor<T> {
    type Value = Several<T>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a string or a list of strings")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Several<T>, E> {
        let items = text.split(',').map(|item| parse(item.trim().to_owned()));
        let items: Result<Box<[T]>, E> = items.collect();
        Ok(Several {
            items: items?,
            is_list: false,
        })
    }

    fn visit_string<E: de::Error>(self, text: String) -> Result<Several<T>, E> {
        if text.contains(',') || text.trim().len() != text.len() {
            return self.visit_str(&text);
        }
        Ok(Several {
            items: Box::new([parse(text)?]),
            is_list: false,
        })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Several<T>, A::Error> {
        let mut items = Vec::new();
        while let Some(Item(item)) = list.next_element()? {
            items.push(item);
        }
        Ok(Several {
            items: items.into(),
            is_list: true,
        })
    }
}

impl<T: Text> JsonSchema for Several<T> {
    fn schema_name() -> Cow<'static, str> {
        "Several".into()
    }

    fn schema_id() -> Cow<'static, str> {
        T::pattern().into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        one_or_many(&T::pattern(), T::EXAMPLE)
    }
}
