//! Parsing of rows by the declaration of their stream.

use std::collections::BTreeMap;

use serde::de::IgnoredAny;

use super::StreamDeclaration;
use crate::json::each_row;
use crate::log_analytics::tables::{LARGEST_INGESTED, fitted};

/// The rows of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Rows {
    pub(super) count: u64,
    /// Values of undeclared columns, by column.
    pub(super) dropped: BTreeMap<String, u64>,
    /// Values that do not fit their column, by column.
    pub(super) misfits: BTreeMap<String, u64>,
    /// Values that exceed the limit of the service.
    pub(super) values_cut: u64,
}

/// Counts the rows of an array of objects and their losses. The error describes the problem.
pub(super) fn count(body: &str, stream: &StreamDeclaration) -> Result<Rows, String> {
    serde_json::from_str::<Vec<IgnoredAny>>(body).map_err(|error| error.to_string())?;
    let mut rows = Rows::default();
    let is_whole = each_row(body, |_, members| {
        rows.count += 1;
        let row = fitted(&members, stream, LARGEST_INGESTED);
        rows.values_cut += row.truncated.len() as u64;
        for (column, count) in row.dropped {
            *rows.dropped.entry(column).or_default() += count;
        }
        for column in row.misfits {
            *rows.misfits.entry(column).or_default() += 1;
        }
    });
    if is_whole {
        Ok(rows)
    } else {
        Err("a row is not an object, or a value is nested too deeply".to_owned())
    }
}
