//! Reading the rows of a call as the stream declares them.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::StreamDeclaration;
use crate::json::{Json, each_row};
use crate::log_analytics::tables::{fit, readable};

/// What the service keeps of a value, in bytes: 64 KB, read in the way in which it is less.
pub(crate) const LARGEST_VALUE: usize = 64_000;

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
    let checked: Vec<BTreeMap<String, &RawValue>> =
        serde_json::from_str(body).map_err(|error| error.to_string())?;
    let types: BTreeMap<_, _> = stream
        .columns()
        .iter()
        .map(|column| (column.name.as_str(), column.column_type))
        .collect();
    let mut rows = Rows::default();
    each_row(body, |_, members| {
        rows.count += 1;
        for (name, value) in members {
            let name = readable(&name);
            let Some(column_type) = types.get(name.as_str()) else {
                // Nothing is lost with a null.
                if value != Json::Null {
                    *rows.dropped.entry(name).or_default() += 1;
                }
                continue;
            };
            let fitted = fit(&value, *column_type, LARGEST_VALUE);
            rows.values_cut += u64::from(fitted.cut);
            if fitted.misfit {
                *rows.misfits.entry(name).or_default() += 1;
            }
        }
    });
    if rows.count == checked.len() as u64 {
        Ok(rows)
    } else {
        Err("a value is nested too deeply".to_owned())
    }
}
