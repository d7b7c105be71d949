//! Bounds the columns that records create in a table of the Data Collector API.
//!
//! That API creates a column for every value, at any depth, until the table has 500; it names the
//! column by path and type. Values of unmapped fields beyond a given set of columns are therefore
//! moved to `AdditionalFields`, as JSON text.
//! <https://learn.microsoft.com/azure/azure-monitor/logs/data-collector-api#data-limits>

use std::collections::BTreeSet;

use bytes::{BufMut as _, BytesMut};
use smallvec::SmallVec;

use super::cut::DEEPEST;
use super::flat::look::{is_guid, is_time};
use super::flat::{Additional, joined, write_value};
use super::quoted;
use crate::json::{NotJson, Scanner};
use crate::model::{RewrittenRow, Truncation};
use crate::schema::{self, ADDITIONAL_FIELDS, ColumnType, LONGEST_NAME, Node, PathColumns};

/// Maximum columns of unmapped fields per log. Six logs and the declared columns stay far below the
/// limit of 500 columns per table.
pub const MAX_UNMAPPED_COLUMNS: usize = 20;

/// Moves values without a column to `AdditionalFields`.
#[derive(Debug)]
pub(super) struct Mover<'c> {
    columns: &'c BTreeSet<String>,
    wanted: Vec<String>,
    /// The last row and its `AdditionalFields`, whose memory the next one reuses.
    members: BytesMut,
    additional: BytesMut,
}

impl<'c> Mover<'c> {
    /// `columns`: the columns of unmapped fields, with the suffix of their type.
    pub(super) fn new(columns: &'c BTreeSet<String>) -> Self {
        let (members, additional) = Default::default();
        Self { columns, wanted: Vec::new(), members, additional }
    }

    /// Further columns that the records would have, in the order in which they were seen, as many
    /// as are free.
    pub(super) fn wanted(&self) -> &[String] {
        &self.wanted
    }

    /// The row of an object record, with at most `largest` bytes in `AdditionalFields`; `None` if
    /// every value has a column.
    pub(super) fn rewrite(
        &mut self,
        text: &str,
        truncations: &[Truncation],
        largest: usize,
    ) -> Option<RewrittenRow> {
        self.members.clear();
        // Room for the braces.
        let largest = largest.saturating_sub(2);
        let mut walk = Walk {
            text,
            columns: self.columns,
            wanted: &mut self.wanted,
            names: SmallVec::new(),
            members: &mut self.members,
            additional: Additional::of(text, truncations, &mut self.additional, largest),
            has_moved: false,
        };
        let walked = walk.object(&mut Scanner::new(text), Some(Node::root()));
        debug_assert!(walked.is_ok(), "the record is valid JSON");
        let Walk { members, additional, has_moved, .. } = walk;
        if !has_moved {
            return None;
        }
        let (additional, unmapped, left_out) = additional.finish();
        if let Some(additional) = additional {
            let additional = std::str::from_utf8(additional).expect("JSON is UTF-8");
            members.extend_from_slice(b"\"");
            members.extend_from_slice(ADDITIONAL_FIELDS.as_bytes());
            members.extend_from_slice(b"\":");
            quoted(members, &format!("{{{additional}}}"));
            members.put_u8(b',');
        }
        Some(RewrittenRow { members: members.split(), unmapped, left_out })
    }
}

struct Walk<'w> {
    text: &'w str,
    columns: &'w BTreeSet<String>,
    wanted: &'w mut Vec<String>,
    /// Names on the path to the current value, escaped.
    names: SmallVec<[&'w str; DEEPEST]>,
    /// The members of the row, each followed by a comma.
    members: &'w mut BytesMut,
    additional: Additional<'w>,
    has_moved: bool,
}

impl<'w> Walk<'w> {
    /// Writes the members of an object; `node` is its node in the schema.
    fn object(
        &mut self,
        scanner: &mut Scanner<'w>,
        node: Option<&'static Node>,
    ) -> Result<(), NotJson> {
        scanner.object(|scanner, name| {
            let known = node.and_then(|node| node.member(name));
            self.names.push(name);
            match scanner.peek()? {
                b'{' if self.names.len() < DEEPEST => self.nested(scanner, name, known)?,
                b'n' => {
                    scanner.value()?;
                }
                _ => self.leaf(name, scanner.value()?, known.and_then(Node::columns)),
            }
            self.names.pop();
            Ok(())
        })
    }

    /// Writes an object unless it remains empty.
    fn nested(
        &mut self,
        scanner: &mut Scanner<'w>,
        name: &str,
        node: Option<&'static Node>,
    ) -> Result<(), NotJson> {
        let before = self.members.len();
        self.begin(name);
        self.members.put_u8(b'{');
        let begin = self.members.len();
        self.object(scanner, node)?;
        if self.members.len() == begin {
            self.members.truncate(before);
        } else {
            self.members.truncate(self.members.len() - 1);
            self.members.extend_from_slice(b"},");
        }
        Ok(())
    }

    fn leaf(&mut self, name: &str, value: &'w str, known: Option<&'static PathColumns>) {
        let path = || joined(&self.names);
        let columns = known.or_else(|| schema::columns_of(&path()));
        let is_truth = matches!(value.as_bytes()[0], b't' | b'f');
        let as_text = is_truth && columns.is_some_and(|columns| columns.is_text);
        let is_declared = columns.is_some_and(|columns| is_declared(columns, value.as_bytes()[0]));
        if !is_declared {
            let path = path();
            if !self.has_column(&path, value) {
                self.has_moved = true;
                return self.additional.unmapped(&path, value, as_text);
            }
        }
        let truncation = self.additional.truncation_of(value);
        self.begin(name);
        write_value(self.members, self.text, value, truncation, as_text);
        self.members.put_u8(b',');
    }

    fn begin(&mut self, name: &str) {
        for part in ["\"", name, "\":"] {
            self.members.extend_from_slice(part.as_bytes());
        }
    }

    /// Whether an undeclared value has a column. Notes the column as wanted if one is free.
    fn has_column(&mut self, path: &str, value: &str) -> bool {
        // Below the maximum depth; it would become many columns.
        if value.starts_with('{') {
            return false;
        }
        let column = format!("{path}{}", type_of(value).suffix());
        if self.columns.contains(&column) {
            return true;
        }
        let is_free = self.columns.len() + self.wanted.len() < MAX_UNMAPPED_COLUMNS;
        if is_free && is_possible(path, &column) && !self.wanted.contains(&column) {
            self.wanted.push(column);
        }
        false
    }
}

/// Whether Azure Monitor can create this column, and it is not one of the connector's.
fn is_possible(path: &str, column: &str) -> bool {
    path.starts_with(|first: char| first.is_ascii_alphabetic())
        && path.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && column.len() <= LONGEST_NAME
        && path != ADDITIONAL_FIELDS
        && schema::columns().iter().all(|declared| declared.name != column)
}

/// The type that Azure Monitor infers for a value.
fn type_of(value: &str) -> ColumnType {
    match value.as_bytes()[0] {
        b'"' if is_guid(inside(value)) => ColumnType::Guid,
        b'"' if is_time(inside(value)) => ColumnType::DateTime,
        b'"' | b'{' | b'[' => ColumnType::Text,
        b't' | b'f' => ColumnType::Boolean,
        _ => ColumnType::Real,
    }
}

/// Whether the field has a declared column for a value that begins with the byte `first`. A text
/// is converted to the type of an existing column, and otherwise has a text column beside it. A
/// field whose column name is too long for a declaration has a column of that name. An object here
/// is below the maximum depth.
pub(super) fn is_declared(columns: &PathColumns, first: u8) -> bool {
    match first {
        b'{' => false,
        b'"' | b'[' => true,
        _ if columns.additional.is_some() => true,
        b't' | b'f' => columns.is_text || columns.of(ColumnType::Boolean).is_some(),
        _ => columns.of(ColumnType::Real).is_some(),
    }
}

fn inside(value: &str) -> &str {
    &value[1..value.len() - 1]
}

#[cfg(test)]
mod tests;
