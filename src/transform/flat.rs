//! The form of a record that the Logs Ingestion API takes: one member for each column, named as the Data Collector API
//! would name it: by its path (see `cut`) and its type. A text goes into a column of another type where there is no better
//! one and it can be read as that type.

mod additional;
mod look;

use bytes::{BufMut as _, BytesMut};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::cut::{self, DEEPEST};
use super::quoted;
use crate::json::{NotJson, Scanner, unescaped};
use crate::model::{FlatRow, Truncation, position};
use crate::schema::{
    self, ADDITIONAL_FIELDS, ColumnType, MOST_COLUMNS, Node, PathColumns, RowField,
};
use look::{dashed, is_guid, is_number, is_time};

/// Memory that is taken at once, in bytes: that of some hundred rows.
const CHUNK: usize = 256 * 1024;

/// Flattens the records of a page, one after another.
#[derive(Debug, Default)]
pub(super) struct Flattener {
    /// What is left of the memory that was taken last.
    members: BytesMut,
    additional: BytesMut,
}

impl Flattener {
    /// Flattens the text of a record that is an object. Values in `cuts` are written as far as they are kept; what has no
    /// column of its own is kept up to `largest` bytes in all.
    pub(super) fn flatten(&mut self, text: &str, cuts: &[Truncation], largest: usize) -> FlatRow {
        // Names take more than what is left out of it.
        let room = 2 * text.len();
        if self.members.capacity() < room {
            self.members = BytesMut::with_capacity(room.max(CHUNK));
        }
        self.additional.clear();
        let mut walk = Walk {
            text,
            cuts,
            names: SmallVec::new(),
            written: [0; MOST_COLUMNS / 64],
            members: &mut self.members,
            additional: &mut self.additional,
            without_column: Vec::new(),
            left_out: Vec::new(),
            taken: FxHashMap::default(),
            largest,
        };
        let walked = walk.object(&mut Scanner::new(text), Some(Node::root()));
        debug_assert!(walked.is_ok(), "the record was read before");
        let Walk { members, additional, without_column, left_out, .. } = walk;
        // Without the last comma.
        if let Some((_, additional)) = additional.split_last() {
            members.extend_from_slice(b"\"");
            members.extend_from_slice(ADDITIONAL_FIELDS.as_bytes());
            members.extend_from_slice(b"\":{");
            members.extend_from_slice(additional);
            members.extend_from_slice(b"},");
        }
        FlatRow { members: members.split(), unmapped: without_column, left_out }
    }
}

struct Walk<'w> {
    text: &'w str,
    cuts: &'w [Truncation],
    /// Names that lead to the current value, as they are spelled.
    names: SmallVec<[&'w str; DEEPEST]>,
    /// Columns that have a value, by their numbers, one bit each.
    written: [u64; MOST_COLUMNS / 64],
    /// The members of the row, each with a comma behind it.
    members: &'w mut BytesMut,
    /// What has no column of its own: members, each with a comma behind it.
    additional: &'w mut BytesMut,
    without_column: Vec<String>,
    left_out: Vec<String>,
    /// Names of unknown fields, and how often each occurred.
    taken: FxHashMap<String, u32>,
    largest: usize,
}

impl<'w> Walk<'w> {
    /// Walks through an object; `node` is what is known of it.
    fn object(
        &mut self,
        scanner: &mut Scanner<'w>,
        node: Option<&'static Node>,
    ) -> Result<(), NotJson> {
        scanner.object(|scanner, name| {
            let known = node.and_then(|node| node.member(name));
            self.names.push(name);
            match scanner.peek()? {
                b'{' if self.names.len() < DEEPEST => self.object(scanner, known)?,
                b'n' => {
                    scanner.value()?;
                }
                _ => self.leaf(scanner.value()?, known.and_then(Node::columns)),
            }
            self.names.pop();
            Ok(())
        })
    }

    fn leaf(&mut self, value: &'w str, known: Option<&'static PathColumns>) {
        // Names may lead to a column in more than one way: the service joins them.
        let columns = known.or_else(|| schema::columns_of(&self.path()));
        let Some(columns) = columns else {
            return self.without_column(value, false);
        };
        let is_truth = matches!(value.as_bytes()[0], b't' | b'f');
        if let Some(place) = &columns.additional {
            return self.undeclared(place, value, is_truth && columns.is_text);
        }
        let taken = match value.as_bytes()[0] {
            b'"' => self.text(columns, value),
            b'{' | b'[' => self.put_text(columns, value, true),
            _ if is_truth && columns.is_text => self.put_text(columns, value, true),
            _ if is_truth => self.copy(columns.of(ColumnType::Boolean), value),
            _ => is_number(value) && self.copy(columns.of(ColumnType::Real), value),
        };
        if !taken {
            self.without_column(value, is_truth && columns.is_text);
        }
    }

    /// The names that lead to the current value, without their escapes, joined as the service does.
    fn path(&self) -> String {
        let mut path = String::new();
        for name in &self.names {
            if !path.is_empty() {
                path.push('_');
            }
            path.push_str(&String::from_utf8_lossy(&unescaped(name)));
        }
        path
    }

    /// A JSON text goes into the column of its own type, or into one of another type that it can be read as.
    fn text(&mut self, columns: &PathColumns, value: &str) -> bool {
        let inside = &value[1..value.len() - 1];
        // A text that is empty says nothing, and a column without a value is empty to every query.
        if inside.is_empty() {
            return true;
        }
        if columns.of(ColumnType::Guid).is_some() && is_guid(inside) {
            return match dashed(inside) {
                Some(guid) => self.put(columns.of(ColumnType::Guid), |out| quoted(out, &guid)),
                None => self.copy(columns.of(ColumnType::Guid), value),
            };
        }
        if columns.of(ColumnType::DateTime).is_some() && is_time(inside) {
            return self.copy(columns.of(ColumnType::DateTime), value);
        }
        if columns.of(ColumnType::Text).is_some() {
            return self.put_text(columns, value, false);
        }
        let is_truth = inside.eq_ignore_ascii_case("true") || inside.eq_ignore_ascii_case("false");
        if is_truth && columns.of(ColumnType::Boolean).is_some() {
            return self.copy(columns.of(ColumnType::Boolean), &inside.to_ascii_lowercase());
        }
        is_number(inside) && self.copy(columns.of(ColumnType::Real), inside)
    }

    /// A value in the column for texts, as far as it is kept; `as_text` where it is not a JSON text itself.
    fn put_text(&mut self, columns: &PathColumns, value: &str, as_text: bool) -> bool {
        let (text, cut) = (self.text, self.cut_of(value));
        self.put(columns.of(ColumnType::Text), |out| {
            write_value(out, text, value, cut, as_text);
        })
    }

    /// The cut of a value, where it has one.
    fn cut_of(&self, value: &str) -> Option<&'w Truncation> {
        if self.cuts.is_empty() {
            return None;
        }
        let place = position(self.text, value);
        self.cuts.iter().find(|cut| cut.place == place)
    }

    fn copy(&mut self, column: Option<&RowField>, value: &str) -> bool {
        self.put(column, |out| out.extend_from_slice(value.as_bytes()))
    }

    /// Writes a column unless it is missing or has a value: two paths of a record may lead to one name.
    fn put(&mut self, column: Option<&RowField>, write: impl FnOnce(&mut BytesMut)) -> bool {
        let Some(RowField { begin, number }) = column else {
            return false;
        };
        if !self.is_first(*number) {
            return false;
        }
        let out = &mut *self.members;
        out.extend_from_slice(begin.as_bytes());
        write(out);
        out.put_u8(b',');
        true
    }

    /// Notes that a field has a value; whether it had none before.
    fn is_first(&mut self, number: usize) -> bool {
        let (word, bit) = (number / 64, 1_u64 << (number % 64));
        let is_first = self.written[word] & bit == 0;
        self.written[word] |= bit;
        is_first
    }
}

/// Writes a value as far as it is kept; `text` is the record.
fn write_value(
    out: &mut BytesMut,
    text: &str,
    value: &str,
    cut: Option<&Truncation>,
    as_text: bool,
) {
    match cut {
        Some(cut) => cut::write(cut, out, text),
        None if as_text => quoted(out, value),
        None => out.extend_from_slice(value.as_bytes()),
    }
}

#[cfg(test)]
mod tests;
