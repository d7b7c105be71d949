//! Where the records of a page stand, found in the same pass in which their fields are read.
//!
//! serde tells no positions. But a key that is borrowed from the page tells its own, before the first key of an object
//! stands nothing but the brace and blanks, and between two members of an array nothing but a comma and blanks.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Range;

use serde::de::value::{BorrowedStrDeserializer, MapAccessDeserializer};
use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::model::position;

/// An object with its first key as it stands in the page. Anything else, an empty object or a first key that is written
/// with escapes is an error: such pages are read the slow way.
pub(super) struct Spanned<'a, T> {
    first_key: &'a str,
    pub(super) value: T,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Spanned<'de, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = Spanned<'de, T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a record")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut inner: A) -> Result<Self::Value, A::Error> {
        let first_key: &'de str = inner
            .next_key()?
            .ok_or_else(|| A::Error::custom("an empty record"))?;
        let members = Members {
            first_key: Some(first_key),
            inner,
        };
        let value = T::deserialize(MapAccessDeserializer::new(members))?;
        Ok(Spanned { first_key, value })
    }
}

/// The members of an object whose first key was taken already.
struct Members<'de, A> {
    first_key: Option<&'de str>,
    inner: A,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Members<'de, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, A::Error> {
        match self.first_key.take() {
            Some(key) => seed
                .deserialize(BorrowedStrDeserializer::new(key))
                .map(Some),
            None => self.inner.next_key_seed(seed),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.inner.next_value_seed(seed)
    }
}

/// The places of the members of one array in the page, or `None` where they are not as expected.
pub(super) fn spans<T>(page: &str, members: &[Spanned<'_, T>]) -> Option<Vec<Range<usize>>> {
    let starts: Vec<usize> = members
        .iter()
        .map(|member| {
            let before = page[..position(page, member.first_key).start].strip_suffix('"')?;
            before.trim_end().strip_suffix('{').map(str::len)
        })
        .collect::<Option<_>>()?;
    let Some(last) = starts.last() else {
        return Some(Vec::new());
    };
    let mut rest = serde_json::Deserializer::from_str(&page[*last..]).into_iter::<IgnoredAny>();
    rest.next()?.ok()?;
    let end = last + rest.byte_offset();
    let ends = starts[1..].iter().map(|next| {
        let before = page[..*next].trim_end().strip_suffix(',')?.trim_end();
        before.ends_with('}').then_some(before.len())
    });
    let ends = ends.chain([Some(end)]);
    starts
        .iter()
        .zip(ends)
        .map(|(start, end)| Some(*start..end?))
        .collect()
}
