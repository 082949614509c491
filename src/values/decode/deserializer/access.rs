//! The parts of a list, a map and an enum, as serde asks for them.

use serde::Deserializer;
use serde::de::{
    DeserializeSeed, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor,
};

use super::{NodeDeserializer, Trail};
use crate::values::decode::error::{Error, Fault, Place, did_you_mean};
use crate::values::nearest::nearest;
use crate::values::problem::Problem;
use crate::values::tree::{Entry, Map, Node, Value};
use crate::values::yaml::is_odd_space;

/// The elements of a list that are not left out.
pub(super) struct Elements<'a> {
    list: NodeDeserializer<'a>,
    rest: std::iter::Enumerate<std::slice::Iter<'a, Node>>,
}

impl<'a> Elements<'a> {
    pub fn new(list: NodeDeserializer<'a>, elements: &'a [Node]) -> Self {
        Elements {
            list,
            rest: elements.iter().enumerate(),
        }
    }
}

impl<'de> SeqAccess<'de> for Elements<'_> {
    type Error = Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Error> {
        let session = self.list.session;
        let Some((index, node)) = self.rest.find(|(_, node)| !session.is_left_out(node)) else {
            return Ok(None);
        };
        let trail = Trail::Index(self.list.trail, index);
        let element = NodeDeserializer::new(node, &trail, session);
        seed.deserialize(element).map(Some).map_err(|error| {
            let error = error.at(&element);
            session.record(&error);
            error
        })
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.rest.len())
    }
}

/// The entries of a map or a struct that are not left out.
pub(super) struct Entries<'a> {
    owner: NodeDeserializer<'a>,
    map: &'a Map,
    rest: indexmap::map::Iter<'a, String, Entry>,
    /// A struct's keys; `None` for a map.
    known: Option<&'static [&'static str]>,
    current: Option<(&'a str, &'a Entry)>,
}

impl<'a> Entries<'a> {
    pub fn new(
        owner: NodeDeserializer<'a>,
        map: &'a Map,
        known: Option<&'static [&'static str]>,
    ) -> Self {
        if let (Some(known), true) = (known, owner.trail.is_of_keys()) {
            let mut sections = owner.session.sections.borrow_mut();
            sections.entry(owner.path()).or_insert(known);
        }
        Entries {
            owner,
            map,
            rest: map.iter(),
            known,
            current: None,
        }
    }

    fn next(&mut self) -> Option<(&'a str, &'a Entry)> {
        while let Some((key, entry)) = self.rest.next() {
            if self.owner.session.is_left_out(&entry.node) {
                continue;
            }
            if let Some(known) = self.known {
                if !known.contains(&key.as_str()) {
                    self.report_unknown(key, entry, known);
                    continue;
                }
                if entry.node.value == Value::Null {
                    continue;
                }
            }
            return Some((key, entry));
        }
        None
    }

    fn report_unknown(&self, key: &str, entry: &Entry, known: &'static [&'static str]) {
        const FEW: usize = 8;
        let path = self.owner.path().join(key);
        let mut problem = Problem::error(format!("unknown key {key:?}"))
            .at(entry.key_origin.clone())
            .about(path.clone());
        problem.help = match nearest(key, known.iter().copied()) {
            _ if key.contains(is_odd_space) => Some(
                "it contains a space that YAML does not accept as one: write plain spaces"
                    .to_owned(),
            ),
            Some(meant) => {
                let mut all = self.owner.session.meant.borrow_mut();
                all.insert(self.owner.path().join(meant));
                Some(did_you_mean(meant))
            }
            None if (1..=FEW).contains(&known.len()) => {
                Some(format!("known keys: {}", known.join(", ")))
            }
            None => None,
        };
        let mut unknown_keys = self.owner.session.unknown_keys.borrow_mut();
        unknown_keys.entry(path).or_insert(problem);
    }

    /// A null among values that cannot be null is left out, with the others of its kind.
    fn null_entry(&self, error: Error, null: &NodeDeserializer<'_>) -> Error {
        let nulls = self.map.values().map(|entry| &entry.node);
        Error {
            fault: Fault::NullEntry(error.fault.message()),
            help: None,
            place: Some(Box::new(Place {
                path: null.path(),
                origin: null.node.origin.clone(),
                leave_out: nulls
                    .filter(|node| node.value == Value::Null)
                    .map(std::ptr::from_ref)
                    .collect(),
            })),
        }
    }
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Error> {
        self.current = self.next();
        let Some((key, entry)) = self.current else {
            return Ok(None);
        };
        seed.deserialize(KeyDeserializer(key))
            .map(Some)
            .map_err(|error| {
                error.placed(|| Place {
                    path: self.owner.path().join(key),
                    origin: entry.key_origin.clone(),
                    leave_out: vec![std::ptr::from_ref(&entry.node)],
                })
            })
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Error> {
        let Some((key, entry)) = self.current.take() else {
            return Err(Error::message("a value without a key".to_owned()));
        };
        let trail = Trail::Key(self.owner.trail, key);
        let value = NodeDeserializer::new(&entry.node, &trail, self.owner.session);
        seed.deserialize(value).map_err(|error| {
            if entry.node.value == Value::Null && error.place.is_none() {
                self.null_entry(error, &value)
            } else {
                error.at(&value)
            }
        })
    }
}

/// A map's key: text, or the number or boolean that the text stands for.
struct KeyDeserializer<'a>(&'a str);

macro_rules! parsed_keys {
    ($($method:ident $visit:ident,)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            match self.0.parse() {
                Ok(value) => visitor.$visit(value),
                Err(_) => visitor.visit_str(self.0),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for KeyDeserializer<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_str(self.0)
    }

    parsed_keys! {
        deserialize_bool visit_bool,
        deserialize_i8 visit_i8,
        deserialize_i16 visit_i16,
        deserialize_i32 visit_i32,
        deserialize_i64 visit_i64,
        deserialize_u8 visit_u8,
        deserialize_u16 visit_u16,
        deserialize_u32 visit_u32,
        deserialize_u64 visit_u64,
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_enum(self.0.into_deserializer())
    }

    serde::forward_to_deserialize_any! {
        f32 f64 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct
        identifier ignored_any
    }
}

/// An enum written as a map with one key, the variant's name.
pub(super) struct Variant<'a> {
    owner: NodeDeserializer<'a>,
    key: &'a str,
    entry: &'a Entry,
}

impl<'a> Variant<'a> {
    pub fn new(owner: NodeDeserializer<'a>, key: &'a str, entry: &'a Entry) -> Self {
        Variant { owner, key, entry }
    }

    fn content<T>(
        self,
        decode: impl FnOnce(NodeDeserializer<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let trail = Trail::Key(self.owner.trail, self.key);
        let content = NodeDeserializer::new(&self.entry.node, &trail, self.owner.session);
        // A variant without its content has no meaning, so all of it is left out.
        decode(content).map_err(|error| {
            error.placed(|| Place {
                path: content.path(),
                origin: content.node.origin.clone(),
                leave_out: vec![std::ptr::from_ref(self.owner.node)],
            })
        })
    }
}

impl<'de> EnumAccess<'de> for Variant<'_> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), Error> {
        Ok((seed.deserialize(KeyDeserializer(self.key))?, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        self.content(|content| serde::Deserialize::deserialize(content))
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Error> {
        self.content(|content| seed.deserialize(content))
    }

    fn tuple_variant<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, Error> {
        self.content(|content| content.deserialize_tuple(length, visitor))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.content(|content| content.deserialize_struct("", fields, visitor))
    }
}
