//! The form of a record that the Logs Ingestion API takes: one member for each column, named as the Data Collector API
//! would name it.
//!
//! That API makes a column of every value of an object, whatever its depth, and names it by the path, joined with `_`, and
//! by the type of the value; an array becomes a text that holds its JSON. A text goes into a column of another type where
//! there is no better one and it can be read as that type.
//! <https://learn.microsoft.com/azure/azure-monitor/logs/data-collector-api#record-type-and-properties>

mod look;

use std::borrow::Cow;
use std::fmt;

use bytes::{BufMut as _, BytesMut};
use rustc_hash::FxHashSet;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::cut::{Cut, DEEPEST};
use crate::model::position;
use crate::table::{self, ADDITIONAL_FIELDS, MOST_COLUMNS, Numbered, Typed};
use look::{Look, dashed};

/// A flattened record.
#[derive(Debug, Default)]
pub(super) struct Flat {
    /// The members of the row, each with a comma behind it.
    pub(super) members: BytesMut,
    /// Paths that have no column of their own.
    pub(super) without_column: Vec<String>,
    /// Those of them for which there was no room.
    pub(super) left_out: Vec<String>,
}

/// Flattens the text of a record that is an object. Values in `cuts` are written as far as they are kept; what has no
/// column of its own is kept up to `largest` bytes in all.
pub(super) fn flatten(text: &str, cuts: &[Cut], largest: usize) -> Flat {
    let mut walk = Walk {
        text,
        cuts,
        path: String::new(),
        depth: 0,
        written: [0; MOST_COLUMNS / 64],
        // Names take more than what is left out of it.
        flat: Flat {
            members: BytesMut::with_capacity(text.len() + text.len() / 2),
            ..Flat::default()
        },
        additional: BytesMut::new(),
        names: FxHashSet::default(),
        largest,
    };
    walk.object(text);
    let Walk {
        mut flat,
        additional,
        ..
    } = walk;
    if !additional.is_empty() {
        flat.members.extend_from_slice(b"\"");
        flat.members.extend_from_slice(ADDITIONAL_FIELDS.as_bytes());
        flat.members.extend_from_slice(b"\":{");
        // Without the last comma.
        flat.members
            .extend_from_slice(&additional[..additional.len() - 1]);
        flat.members.extend_from_slice(b"},");
    }
    flat
}

/// A walk through the values of a record.
struct Walk<'w> {
    text: &'w str,
    cuts: &'w [Cut],
    /// Path of the value at hand, joined with `_`.
    path: String,
    depth: usize,
    /// Columns that have a value, by their numbers, one bit each.
    written: [u64; MOST_COLUMNS / 64],
    flat: Flat,
    /// What has no column of its own: members, each with a comma behind it.
    additional: BytesMut,
    /// Their names.
    names: FxHashSet<String>,
    largest: usize,
}

impl<'w> Walk<'w> {
    fn object(&mut self, json: &str) {
        let mut reader = serde_json::Deserializer::from_str(json);
        // It was read before as part of its page.
        if reader.deserialize_map(Members(self)).is_err() {
            self.without_column(json);
        }
    }

    fn member(&mut self, name: &[u8], value: &str) {
        let length = self.path.len();
        if length > 0 {
            self.path.push('_');
        }
        self.path.push_str(&String::from_utf8_lossy(name));
        match value.as_bytes()[0] {
            b'{' if self.depth < DEEPEST => {
                self.depth += 1;
                self.object(value);
                self.depth -= 1;
            }
            b'n' => {}
            _ => self.leaf(value),
        }
        self.path.truncate(length);
    }

    fn leaf(&mut self, value: &str) {
        let Some(columns) = table::columns_of(&self.path) else {
            return self.without_column(value);
        };
        let taken = match value.as_bytes()[0] {
            b'"' => self.text(columns, value),
            b'{' | b'[' => self.json_as_text(columns, value),
            b't' | b'f' if columns.is_text => self.text_of(columns.text, value),
            b't' | b'f' => self.copy(columns.truth, value),
            _ => self.copy(columns.number, value),
        };
        if !taken {
            self.without_column(value);
        }
    }

    /// A JSON text goes into the column of its own type, or into one of another type that it can be read as.
    fn text(&mut self, columns: &Typed, value: &str) -> bool {
        let inside = &value[1..value.len() - 1];
        // A text that is empty says nothing, and a column without a value is empty to every query.
        if inside.is_empty() {
            return true;
        }
        let best = match Look::of(inside) {
            Look::Guid => columns.guid,
            Look::Time => columns.time,
            Look::Text => None,
        };
        if best.is_some() {
            return match dashed(inside) {
                Some(guid) if best == columns.guid => self.put(best, |out| quoted(out, &guid)),
                _ => self.copy(best, value),
            };
        }
        if columns.text.is_some() {
            return self.text_as_kept(columns, value);
        }
        let is_truth = inside.eq_ignore_ascii_case("true") || inside.eq_ignore_ascii_case("false");
        if is_truth && columns.truth.is_some() {
            return self.copy(columns.truth, &inside.to_ascii_lowercase());
        }
        let is_number = serde_json::from_str::<f64>(inside).is_ok();
        is_number && self.copy(columns.number, inside)
    }

    /// A text as Duo sent it, or as far as it is kept.
    fn text_as_kept(&mut self, columns: &Typed, value: &str) -> bool {
        match self.cut_of(value) {
            Some(cut) => {
                let text = self.text;
                self.put(columns.text, |out| cut.write(out, text))
            }
            None => self.copy(columns.text, value),
        }
    }

    fn json_as_text(&mut self, columns: &Typed, value: &str) -> bool {
        match self.cut_of(value) {
            Some(cut) => {
                let text = self.text;
                self.put(columns.text, |out| cut.write(out, text))
            }
            None => self.text_of(columns.text, value),
        }
    }

    /// The cut of a value, where it has one.
    fn cut_of(&self, value: &str) -> Option<&'w Cut> {
        if self.cuts.is_empty() {
            return None;
        }
        let place = position(self.text, value);
        self.cuts.iter().find(|cut| cut.place == place)
    }

    /// The value as it stands.
    fn copy(&mut self, column: Option<Numbered>, value: &str) -> bool {
        self.put(column, |out| out.extend_from_slice(value.as_bytes()))
    }

    /// The JSON of a value, as a text.
    fn text_of(&mut self, column: Option<Numbered>, value: &str) -> bool {
        self.put(column, |out| quoted(out, value))
    }

    /// Writes a column unless it is missing or has a value: two paths of a record may lead to one name.
    fn put(&mut self, column: Option<Numbered>, write: impl FnOnce(&mut BytesMut)) -> bool {
        let Some(Numbered { name, number }) = column else {
            return false;
        };
        let (word, bit) = (number / 64, 1 << (number % 64));
        if self.written[word] & bit != 0 {
            return false;
        }
        self.written[word] |= bit;
        let out = &mut self.flat.members;
        out.put_u8(b'"');
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b"\":");
        write(out);
        out.put_u8(b',');
        true
    }

    /// Keeps a value under its path among those that have no column.
    fn without_column(&mut self, value: &str) {
        if value == "\"\"" {
            return;
        }
        let mut name = self.path.clone();
        while !self.names.insert(name.clone()) {
            // A name that stands in a record twice.
            name.push('\'');
        }
        let before = self.additional.len();
        quoted(&mut self.additional, &name);
        self.additional.put_u8(b':');
        match self.cut_of(value) {
            Some(cut) => cut.write(&mut self.additional, self.text),
            None => self.additional.extend_from_slice(value.as_bytes()),
        }
        self.additional.put_u8(b',');
        if self.additional.len() > self.largest {
            self.additional.truncate(before);
            self.flat.left_out.push(name.clone());
        }
        self.flat.without_column.push(name);
    }
}

fn quoted(out: &mut BytesMut, text: &str) {
    serde_json::to_writer(out.writer(), text).expect("a text can be written to memory");
}

/// Reads the members of an object, one after another.
struct Members<'m, 'w>(&'m mut Walk<'w>);

impl<'de> Visitor<'de> for Members<'_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        while let Some(Name(name)) = object.next_key()? {
            let value: &RawValue = object.next_value()?;
            self.0.member(&name, value.get());
        }
        Ok(())
    }
}

/// The name of a member; it may be no Unicode (a lone surrogate).
struct Name<'a>(Cow<'a, [u8]>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;
        impl<'de> Visitor<'de> for Bytes {
            type Value = Name<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a name")
            }

            fn visit_borrowed_bytes<E>(self, bytes: &'de [u8]) -> Result<Self::Value, E> {
                Ok(Name(Cow::Borrowed(bytes)))
            }

            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Self::Value, E> {
                Ok(Name(Cow::Owned(bytes.to_owned())))
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Borrowed(text.as_bytes())))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Owned(text.as_bytes().to_owned())))
            }
        }
        deserializer.deserialize_bytes(Bytes)
    }
}

#[cfg(test)]
mod tests;
