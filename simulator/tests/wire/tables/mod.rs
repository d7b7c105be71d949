//! Storage of rows in tables by both APIs.

mod collected;
mod ingested;

use serde_json::{Value, json};
use simulator::{
    Column, ColumnType, Config, IngestionApi, LogsIngestionConfig, StreamDeclaration, Table,
};

use crate::caller::Caller;

/// A stream with these columns into `CiscoDuo_CL`.
pub(crate) fn stream(columns: &[(&str, ColumnType)]) -> StreamDeclaration {
    let columns = columns.iter().map(|(name, it)| Column::new(*name, *it));
    StreamDeclaration::new("Custom-CiscoDuo", "CiscoDuo_CL", columns.collect()).unwrap()
}

pub(crate) async fn start(columns: &[(&str, ColumnType)]) -> Caller {
    let logs_ingestion =
        LogsIngestionConfig { streams: vec![stream(columns)], ..LogsIngestionConfig::default() };
    Caller::start(Config { keep_tables: true, logs_ingestion, ..crate::tenant::config(5) }).await
}

/// Sends rows to the Data Collector API, one request each.
pub(crate) async fn collect(caller: &Caller, rows: &[Value]) -> Table {
    for row in rows {
        let response = caller.post(&format!("[{row}]")).send().await.unwrap();
        assert_eq!(response.status().as_u16(), 200);
    }
    table(caller, IngestionApi::DataCollector).await
}

/// Sends rows to the Logs Ingestion API in one request.
pub(crate) async fn ingest(caller: &Caller, rows: &[Value]) -> Table {
    let (token, body) = (caller.token().await, Value::from(rows.to_vec()));
    let response = caller.ingest(&token, &body.to_string()).send().await;
    assert_eq!(response.unwrap().status().as_u16(), 204);
    table(caller, IngestionApi::LogsIngestion).await
}

pub(crate) async fn table(caller: &Caller, api: IngestionApi) -> Table {
    caller.simulator.table(api, "CiscoDuo_CL").await.unwrap()
}

/// The rows without the standard columns.
pub(crate) fn rows(table: &Table) -> Vec<Value> {
    let without = |row: &simulator::TableRow| {
        let mut row = row.clone();
        assert!(row.remove("TimeGenerated").unwrap().is_string());
        assert!(row.remove("_TimeReceived").unwrap().is_string());
        json!(row)
    };
    table.rows().iter().map(without).collect()
}
