//! Flattens records for the Logs Ingestion API: one member per column, named by path (see `cut`)
//! and type as by the Data Collector API. A text may be converted to the type of its column.

mod additional;
pub(super) mod look;

use bytes::{BufMut as _, BytesMut};
use smallvec::SmallVec;

use super::cut::{self, DEEPEST};
use super::quoted;
use crate::json::{NotJson, Scanner, unescaped};
use crate::model::{RewrittenRow, Truncation};
use crate::schema::{
    self, ADDITIONAL_FIELDS, ColumnType, MOST_COLUMNS, Node, PathColumns, RowField,
};
pub(super) use additional::Additional;
use look::{dashed, is_guid, is_number, is_time};

/// Size of an allocation, in bytes: enough for some hundred rows.
const CHUNK: usize = 256 * 1024;

/// Flattens the records of a page in order.
#[derive(Debug, Default)]
pub(super) struct Flattener {
    /// The rest of the last allocation.
    members: BytesMut,
    additional: BytesMut,
}

impl Flattener {
    /// Flattens an object record, with truncated values and at most `largest` bytes unmapped.
    pub(super) fn flatten(
        &mut self,
        text: &str,
        truncations: &[Truncation],
        largest: usize,
    ) -> RewrittenRow {
        // The flattened names may need more space.
        let room = 2 * text.len();
        if self.members.capacity() < room {
            self.members = BytesMut::with_capacity(room.max(CHUNK));
        }
        let mut walk = Walk {
            text,
            names: SmallVec::new(),
            written: [0; MOST_COLUMNS / 64],
            members: &mut self.members,
            additional: Additional::of(text, truncations, &mut self.additional, largest),
        };
        let walked = walk.object(&mut Scanner::new(text), Some(Node::root()));
        debug_assert!(walked.is_ok(), "the record is valid JSON");
        let Walk { members, additional, .. } = walk;
        let (additional, unmapped, left_out) = additional.finish();
        if let Some(additional) = additional {
            members.extend_from_slice(b"\"");
            members.extend_from_slice(ADDITIONAL_FIELDS.as_bytes());
            members.extend_from_slice(b"\":{");
            members.extend_from_slice(additional);
            members.extend_from_slice(b"},");
        }
        RewrittenRow { members: members.split(), unmapped, left_out }
    }
}

struct Walk<'w> {
    text: &'w str,
    /// Names on the path to the current value, escaped.
    names: SmallVec<[&'w str; DEEPEST]>,
    /// Bit set of the columns with a value, by number.
    written: [u64; MOST_COLUMNS / 64],
    /// The members of the row, each followed by a comma.
    members: &'w mut BytesMut,
    additional: Additional<'w>,
}

impl<'w> Walk<'w> {
    /// Walks through an object; `node` is its node in the schema.
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
        // Different paths may lead to one column, because Azure Monitor joins the names.
        let columns = known.or_else(|| schema::columns_of(&joined(&self.names)));
        let Some(columns) = columns else {
            return self.additional.unmapped(&joined(&self.names), value, false);
        };
        let is_truth = matches!(value.as_bytes()[0], b't' | b'f');
        if let Some(field) = &columns.additional {
            return self.undeclared(field, value, is_truth && columns.is_text);
        }
        let is_written = match value.as_bytes()[0] {
            b'"' => self.text(columns, value),
            b'{' | b'[' => self.put_text(columns, value, true),
            _ if is_truth && columns.is_text => self.put_text(columns, value, true),
            _ if is_truth => self.copy(columns.of(ColumnType::Boolean), value),
            _ => is_number(value) && self.copy(columns.of(ColumnType::Real), value),
        };
        if !is_written {
            let as_text = is_truth && columns.is_text;
            self.additional.unmapped(&joined(&self.names), value, as_text);
        }
    }

    /// Stores the value of a known field without a declared column.
    fn undeclared(&mut self, field: &RowField, value: &'w str, as_text: bool) {
        if value == "\"\"" || self.is_first(field.number) {
            let path = || joined(&self.names);
            self.additional.known(&field.begin, value, as_text, path);
        } else {
            let path = joined(&self.names);
            self.additional.reserve(path.clone());
            self.additional.unmapped(&path, value, as_text);
        }
    }

    /// Writes a JSON string into the column of its type, or of a type that it converts to.
    fn text(&mut self, columns: &PathColumns, value: &str) -> bool {
        let inside = &value[1..value.len() - 1];
        // Queries treat a missing column and an empty text alike.
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

    /// Writes a value into the text column, possibly truncated; `as_text` if it must be quoted.
    fn put_text(&mut self, columns: &PathColumns, value: &str, as_text: bool) -> bool {
        let (text, truncation) = (self.text, self.additional.truncation_of(value));
        self.put(columns.of(ColumnType::Text), |out| {
            write_value(out, text, value, truncation, as_text);
        })
    }

    fn copy(&mut self, column: Option<&RowField>, value: &str) -> bool {
        self.put(column, |out| out.extend_from_slice(value.as_bytes()))
    }

    /// Writes a column if it exists and has no value yet: paths may share a name.
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

    /// Marks a column as written. Returns whether it had no value before.
    fn is_first(&mut self, number: usize) -> bool {
        let (word, bit) = (number / 64, 1_u64 << (number % 64));
        let is_first = self.written[word] & bit == 0;
        self.written[word] |= bit;
        is_first
    }
}

/// The unescaped path of these names, joined as by Azure Monitor.
pub(super) fn joined(names: &[&str]) -> String {
    let mut path = String::new();
    for name in names {
        if !path.is_empty() {
            path.push('_');
        }
        path.push_str(&String::from_utf8_lossy(&unescaped(name)));
    }
    path
}

/// Writes a value, possibly truncated; `text` is the record.
pub(super) fn write_value(
    out: &mut BytesMut,
    text: &str,
    value: &str,
    truncation: Option<&Truncation>,
    as_text: bool,
) {
    match truncation {
        Some(truncation) => cut::write(truncation, out, text),
        None if as_text => quoted(out, value),
        None => out.extend_from_slice(value.as_bytes()),
    }
}

#[cfg(test)]
mod tests;
