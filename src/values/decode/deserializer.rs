//! One node, as serde asks for it.

mod access;

use serde::Deserializer;
use serde::de::{IntoDeserializer, Visitor};

use super::super::tree::{Map, Node, Path, Segment, Value};
use super::Session;
use super::error::{Error, Fault, Place};
use super::found;
use access::{Elements, Entries, Variant};

/// The path to a node, kept on the stack while decoding; a [`Path`] is built only for a problem.
#[derive(Clone, Copy)]
pub(super) enum Trail<'a> {
    Root,
    Key(&'a Trail<'a>, &'a str),
    Index(&'a Trail<'a>, usize),
}

impl Trail<'_> {
    /// Whether it has keys only, no list index, and at least one.
    pub fn is_of_keys(&self) -> bool {
        match self {
            Trail::Key(Trail::Root, _) => true,
            Trail::Key(parent, _) => parent.is_of_keys(),
            Trail::Root | Trail::Index(..) => false,
        }
    }
}

#[derive(Clone, Copy)]
pub(super) struct NodeDeserializer<'a> {
    pub node: &'a Node,
    pub trail: &'a Trail<'a>,
    pub session: &'a Session,
}

impl<'a> NodeDeserializer<'a> {
    pub fn new(node: &'a Node, trail: &'a Trail<'a>, session: &'a Session) -> Self {
        NodeDeserializer {
            node,
            trail,
            session,
        }
    }

    pub fn path(&self) -> Path {
        let mut segments = Vec::new();
        let mut trail = self.trail;
        loop {
            trail = match trail {
                Trail::Root => break,
                Trail::Key(parent, key) => {
                    segments.push(Segment::from(*key));
                    parent
                }
                Trail::Index(parent, index) => {
                    segments.push(Segment::Index(*index));
                    parent
                }
            };
        }
        segments.reverse();
        Path(segments)
    }

    fn map<'de, V: Visitor<'de>>(
        self,
        visitor: V,
        known: Option<&'static [&'static str]>,
    ) -> Result<V::Value, Error> {
        match &self.node.value {
            Value::Map(map) => visitor.visit_map(Entries::new(self, map, known)),
            _ if self.is_empty_text() => {
                visitor.visit_map(Entries::new(self, &Map::default(), known))
            }
            _ => Err(Error::expected("a map", self.node)),
        }
    }

    fn list<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self.node.value {
            Value::List(list) => visitor.visit_seq(Elements::new(self, list)),
            _ if self.is_empty_text() => visitor.visit_seq(Elements::new(self, &[])),
            _ => Err(Error::expected("a list", self.node)),
        }
    }

    /// Whether this is `key: ""`, which stands for nothing where a list or a map is wanted.
    fn is_empty_text(&self) -> bool {
        let is_empty = matches!(&self.node.value, Value::String(text) if text.is_empty());
        is_empty && matches!(self.trail, Trail::Key(..))
    }

    /// Records a warning if YAML changed the text of a scalar.
    fn warn_if_rewritten(&self) {
        if self.node.written.is_some() {
            let path = self.path();
            let problem = super::rewritten(self.node, &path);
            let mut rewritten = self.session.rewritten.borrow_mut();
            rewritten.extend(problem.map(|problem| (path, problem)));
        }
    }

    fn integer<T>(self, lowest: T, highest: T) -> Result<T, Error>
    where
        T: TryFrom<i128> + std::fmt::Display,
    {
        let value =
            found::integer(self.node).ok_or_else(|| Error::expected("an integer", self.node))?;
        T::try_from(value).map_err(|_| {
            Error::message(format!(
                "{value} does not fit: expected {lowest} to {highest}"
            ))
        })
    }
}

macro_rules! integers {
    ($($method:ident $visit:ident $type:ty,)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            visitor.$visit(self.integer(<$type>::MIN, <$type>::MAX)?)
        }
    )*};
}

impl<'de> Deserializer<'de> for NodeDeserializer<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self.node.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Number(number) => {
                if let Some(value) = number.as_u64() {
                    visitor.visit_u64(value)
                } else if let Some(value) = number.as_i64() {
                    visitor.visit_i64(value)
                } else {
                    visitor.visit_f64(number.as_f64().unwrap_or_default())
                }
            }
            Value::String(text) => visitor.visit_str(text),
            Value::List(_) => self.list(visitor),
            Value::Map(_) => self.map(visitor, None),
        }
    }

    integers! {
        deserialize_i8 visit_i8 i8,
        deserialize_i16 visit_i16 i16,
        deserialize_i32 visit_i32 i32,
        deserialize_i64 visit_i64 i64,
        deserialize_i128 visit_i128 i128,
        deserialize_u8 visit_u8 u8,
        deserialize_u16 visit_u16 u16,
        deserialize_u32 visit_u32 u32,
        deserialize_u64 visit_u64 u64,
        deserialize_u128 visit_u128 u128,
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match found::boolean(self.node) {
            Some(value) => visitor.visit_bool(value),
            None => Err(Error::expected("a boolean", self.node)),
        }
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match found::float(self.node) {
            Some(value) => visitor.visit_f64(value),
            None => Err(Error::expected("a number", self.node)),
        }
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_string(visitor)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_string(visitor)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.warn_if_rewritten();
        match (found::text(self.node), &self.node.value) {
            (Some(text), _) => visitor.visit_string(text),
            // For types that accept both; types that accept text alone ask for a string.
            (None, Value::List(_)) => self.list(visitor),
            (None, _) => Err(Error::expected("a string", self.node)),
        }
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_any(visitor)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_any(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self.node.value {
            Value::Null => visitor.visit_none(),
            Value::String(text) if text.is_empty() => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.node.value {
            Value::Null => visitor.visit_unit(),
            _ => Err(Error::expected("null", self.node)),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        if name == super::NUMBER_AS_TEXT && matches!(self.node.value, Value::Number(_)) {
            self.warn_if_rewritten();
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.list(visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        match &self.node.value {
            Value::List(list) if list.len() > length => Err(Error::message(format!(
                "expected a list of {length}, found one of {}",
                list.len()
            ))),
            _ => self.list(visitor),
        }
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_tuple(length, visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.map(visitor, None)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.map(visitor, Some(fields))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        if let Value::Map(map) = &self.node.value
            && let (1, Some((key, entry))) = (map.len(), map.first())
        {
            return visitor.visit_enum(Variant::new(self, key, entry));
        }
        match found::text(self.node) {
            Some(text) => visitor.visit_enum(text.into_deserializer()),
            None => Err(Error {
                fault: Fault::UnknownVariant {
                    found: found::described(self.node),
                    word: None,
                    accepted: variants,
                },
                help: None,
                place: None,
            }),
        }
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_string(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }
}

impl Error {
    /// The same error about this node, unless it is already known to be about one inside it.
    pub fn at(self, node: &NodeDeserializer<'_>) -> Error {
        self.placed(|| Place {
            path: node.path(),
            origin: node.node.origin.clone(),
            leave_out: vec![std::ptr::from_ref(node.node)],
        })
    }
}
