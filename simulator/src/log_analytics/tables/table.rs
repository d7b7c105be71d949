//! A table with its columns and rows, filled through either API.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::MOST_COLUMNS;
use super::column::ColumnType;
use super::declared::{fit, readable};
use super::flatten::{leaves, place};
use super::forms::{moment, spelled};
use crate::json::{Json, Members, member};
use crate::{IngestionApi, StreamDeclaration};

/// The standard column for the time of a row.
pub(crate) const TIME_GENERATED: &str = "TimeGenerated";

/// The standard column for the time of receipt.
const TIME_RECEIVED: &str = "_TimeReceived";

/// The dynamic column for fields beyond the maximum number of columns.
const ADDITIONAL_FIELDS: &str = "AdditionalFields";

/// A row: values by column. A column without a value in this row is absent.
pub type TableRow = BTreeMap<String, Value>;

/// A table of a simulated workspace, as a query would find it.
///
/// Texts, GUIDs and times are JSON strings (times in UTC with seven decimals of a second),
/// `dynamic` is any JSON. Each row has `TimeGenerated` and `_TimeReceived`.
#[derive(Clone, Debug)]
pub struct Table {
    columns: BTreeMap<String, ColumnType>,
    rows: Vec<TableRow>,
    left_out: BTreeMap<String, u64>,
}

impl Table {
    /// An empty table with its initial columns.
    pub(super) fn new(name: &str, api: IngestionApi, streams: &[StreamDeclaration]) -> Self {
        let mut columns = BTreeMap::from([
            (TIME_GENERATED.to_owned(), ColumnType::DateTime),
            (TIME_RECEIVED.to_owned(), ColumnType::DateTime),
        ]);
        if api == IngestionApi::LogsIngestion {
            let streams = streams.iter().filter(|stream| stream.table() == name);
            let declared = streams.flat_map(StreamDeclaration::columns);
            columns.extend(declared.map(|column| (column.name.clone(), column.column_type)));
        }
        Self { columns, rows: Vec::new(), left_out: BTreeMap::new() }
    }

    /// The columns and their types.
    pub fn columns(&self) -> &BTreeMap<String, ColumnType> {
        &self.columns
    }

    /// The rows in order of arrival.
    pub fn rows(&self) -> &[TableRow] {
        &self.rows
    }

    /// Values without a column, by column or path: not stored because it is not declared, or stored
    /// in `AdditionalFields` because the table has the maximum number of columns.
    pub fn left_out(&self) -> &BTreeMap<String, u64> {
        &self.left_out
    }

    /// Stores a row of the Data Collector API; `time_field` is its `time-generated-field`.
    pub(super) fn collect(
        &mut self,
        row: &Members<'_>,
        time_field: Option<&str>,
        received: DateTime<Utc>,
        largest: usize,
    ) {
        let time = time_field.and_then(|name| member(row, name));
        let time = time.and_then(Json::as_text).and_then(moment);
        let mut stored = standard(time, received);
        for leaf in leaves(row) {
            let placed = place(&leaf, |name| self.columns.contains_key(name), largest);
            if !self.columns.contains_key(&placed.column) && self.columns.len() >= MOST_COLUMNS {
                self.overflow(&mut stored, leaf.path, placed.value);
                continue;
            }
            self.columns.entry(placed.column.clone()).or_insert(placed.column_type);
            stored.entry(placed.column).or_insert(placed.value);
        }
        self.rows.push(stored);
    }

    /// Stores a value for which the table has no free column.
    fn overflow(&mut self, stored: &mut TableRow, path: String, value: Value) {
        self.columns.insert(ADDITIONAL_FIELDS.to_owned(), ColumnType::Dynamic);
        *self.left_out.entry(path.clone()).or_default() += 1;
        let rest = stored.entry(ADDITIONAL_FIELDS.to_owned()).or_insert_with(|| json!({}));
        rest[path] = value;
    }

    /// Stores a row of the Logs Ingestion API.
    pub(super) fn ingest(
        &mut self,
        row: &Members<'_>,
        stream: &StreamDeclaration,
        received: DateTime<Utc>,
        largest: usize,
    ) {
        let fitted = fitted(row, stream, largest);
        for (column, count) in fitted.dropped {
            *self.left_out.entry(column).or_default() += count;
        }
        let time = fitted.row.get(TIME_GENERATED).and_then(Value::as_str);
        let mut stored = standard(time.and_then(moment), received);
        for (column, value) in fitted.row {
            stored.entry(column).or_insert(value);
        }
        self.rows.push(stored);
    }
}

/// The standard columns. A time more than two days old or one day ahead, or a missing one, is
/// replaced by the time of receipt.
/// <https://learn.microsoft.com/azure/azure-monitor/logs/data-ingestion-time>
fn standard(time: Option<DateTime<Utc>>, received: DateTime<Utc>) -> TableRow {
    let from = received - TimeDelta::days(2);
    let to = received + TimeDelta::days(1);
    let time = time.filter(|time| (from..=to).contains(time));
    BTreeMap::from([
        (TIME_GENERATED.to_owned(), spelled(time.unwrap_or(received)).into()),
        (TIME_RECEIVED.to_owned(), spelled(received).into()),
    ])
}

/// A row of the Logs Ingestion API by the declaration of its stream.
#[derive(Debug, Default)]
pub(crate) struct FittedRow {
    /// Declared columns with a value.
    pub(crate) row: TableRow,
    /// Undeclared columns.
    pub(crate) dropped: BTreeMap<String, u64>,
    /// Columns whose value did not fit.
    pub(crate) misfits: Vec<String>,
    /// Columns whose value exceeded the limit of the service.
    pub(crate) truncated: Vec<String>,
    /// Duplicate columns.
    pub(crate) twice: Vec<String>,
}

/// Converts a row by the declaration of its stream. Of duplicate names the last one counts.
pub(crate) fn fitted(row: &Members<'_>, stream: &StreamDeclaration, largest: usize) -> FittedRow {
    let mut all = FittedRow::default();
    for (name, value) in row {
        if *value == Json::Null {
            continue;
        }
        let name = readable(name);
        let Some(column_type) = stream.column_type(&name) else {
            *all.dropped.entry(name).or_default() += 1;
            continue;
        };
        let fitted = fit(value, column_type, largest);
        if fitted.truncated {
            all.truncated.push(name.clone());
        }
        if fitted.misfit {
            all.misfits.push(name);
        } else if all.row.insert(name.clone(), fitted.value).is_some() {
            all.twice.push(name);
        }
    }
    all
}
