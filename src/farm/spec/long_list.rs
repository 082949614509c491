//! A long list that is decoded to the end in spite of errors.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{Deserialize, Deserializer, SeqAccess, Visitor};

/// A list whose elements are all decoded, even after one with an error: [`crate::values::decode`] then finds the
/// mistakes of all of them in one run. Whoever keeps an element shares it.
#[derive(Debug, Clone)]
pub struct LongList<T>(Vec<Arc<T>>);

/// After so many errors decoding stops: nobody reads more, and a decoder may never end.
const ENOUGH: usize = 2_000;

impl<T> Default for LongList<T> {
    fn default() -> Self {
        LongList(Vec::new())
    }
}

impl<T> Deref for LongList<T> {
    type Target = [Arc<T>];

    fn deref(&self) -> &[Arc<T>] {
        &self.0
    }
}

impl<'a, T> IntoIterator for &'a LongList<T> {
    type Item = &'a Arc<T>;
    type IntoIter = std::slice::Iter<'a, Arc<T>>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for LongList<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(LongListVisitor(PhantomData))
    }
}

struct LongListVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for LongListVisitor<T> {
    type Value = LongList<T>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<LongList<T>, A::Error> {
        let mut elements = Vec::with_capacity(list.size_hint().unwrap_or_default());
        let mut first = None;
        let mut count = 0;
        while count < ENOUGH {
            match list.next_element() {
                Ok(Some(element)) => elements.push(Arc::new(element)),
                Ok(None) => break,
                Err(refusal) => {
                    count += 1;
                    first.get_or_insert(refusal);
                }
            }
        }
        match first {
            Some(refusal) => Err(refusal),
            None => Ok(LongList(elements)),
        }
    }
}

impl<T: JsonSchema> JsonSchema for LongList<T> {
    fn schema_name() -> Cow<'static, str> {
        Vec::<T>::schema_name()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Vec::<T>::json_schema(generator)
    }
}
