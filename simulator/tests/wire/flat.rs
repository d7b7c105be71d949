//! Rows for the Logs Ingestion API, derived from those that the simulated Data Collector stored,
//! whose columns other tests verify.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use simulator::{
    Column, ColumnType, Config, IngestionApi, LogType, LogsIngestionConfig, StreamDeclaration,
};

use crate::caller::{Caller, row};
use crate::tables::{rows, table};
use crate::tenant::all_records;

/// Undeclared columns: those whose name is too long, and new fields.
fn is_undeclared(name: &str) -> bool {
    name.len() > 45 || name.starts_with("new_signal")
}

/// A tenant with a stream that declares the columns of its events, and the rows of its events.
pub(crate) async fn start(config: Config) -> (Caller, Vec<Map<String, Value>>) {
    let scout = Caller::start(Config { keep_tables: true, ..config.clone() }).await;
    let mut copies = BTreeMap::new();
    let mut sent = Vec::new();
    for (log, record) in all_records(&scout).await {
        let copy: &mut usize = copies.entry(record.clone()).or_default();
        sent.push(row(log, &record, *copy));
        *copy += 1;
    }
    assert_eq!(scout.deliver(&sent).await.status().as_u16(), 200);
    let stored = table(&scout, IngestionApi::DataCollector).await;
    let declared = stored
        .columns()
        .iter()
        .filter(|(name, _)| !is_undeclared(name) && *name != "_TimeReceived");
    let mut columns: Vec<Column> = declared
        .map(|(name, column_type)| match column_type {
            // Streams do not support GUID.
            ColumnType::Guid => Column::new(name, ColumnType::String),
            _ => Column::new(name, *column_type),
        })
        .collect();
    columns.push(Column::new("truncated_fields_s", ColumnType::String));
    columns.push(Column::new("AdditionalFields", ColumnType::Dynamic));
    let streams = vec![StreamDeclaration::new("Custom-CiscoDuo", "CiscoDuo_CL", columns).unwrap()];
    let logs_ingestion = LogsIngestionConfig { streams, ..LogsIngestionConfig::default() };
    let rows = rows(&stored).into_iter().map(with_additional_fields).collect();
    (Caller::start(Config { logs_ingestion, ..config }).await, rows)
}

/// Moves values of undeclared columns to `AdditionalFields`, by names without suffix.
fn with_additional_fields(row: Value) -> Map<String, Value> {
    let Value::Object(row) = row else { panic!("a row is an object") };
    let (rest, mut row): (Map<_, _>, Map<_, _>) =
        row.into_iter().partition(|(name, _)| is_undeclared(name));
    if !rest.is_empty() {
        let plain = |name: String| name[..name.len() - 2].to_owned();
        let rest: Map<_, _> = rest.into_iter().map(|(name, value)| (plain(name), value)).collect();
        row.insert("AdditionalFields".to_owned(), rest.into());
    }
    row
}

/// The rows of a log.
pub(crate) fn of(rows: &[Map<String, Value>], log: LogType) -> Vec<Map<String, Value>> {
    rows.iter().filter(|row| row["eventtype_s"] == log.name()).cloned().collect()
}
