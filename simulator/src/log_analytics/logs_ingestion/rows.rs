//! Reading the rows of a call as the stream declares them.

use std::collections::BTreeMap;

use serde::de::IgnoredAny;

use super::StreamDeclaration;
use crate::json::each_row;
use crate::log_analytics::tables::{LARGEST_INGESTED, fitted};

/// What a call holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Rows {
    pub(super) count: u64,
    /// Values of columns that are not declared, by column.
    pub(super) dropped: BTreeMap<String, u64>,
    /// Values that do not fit their column, by column.
    pub(super) misfits: BTreeMap<String, u64>,
    /// Values that are longer than the service keeps.
    pub(super) values_cut: u64,
}

/// Counts the rows of an array of objects and what of them is lost; the text says what is wrong.
pub(super) fn count(body: &str, stream: &StreamDeclaration) -> Result<Rows, String> {
    serde_json::from_str::<Vec<IgnoredAny>>(body).map_err(|error| error.to_string())?;
    let mut rows = Rows::default();
    let is_whole = each_row(body, |_, members| {
        rows.count += 1;
        let row = fitted(&members, stream, LARGEST_INGESTED);
        rows.values_cut += row.cut.len() as u64;
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
        Err("a row is no object, or a value is nested too deeply".to_owned())
    }
}
