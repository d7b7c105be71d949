//! Health rows for the cases. Other tests compare them with rows of the connector.

use std::collections::BTreeSet;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::content::events::{minutes, now};
use crate::content::schema::{Columns, Schema};
use crate::content::tools::Row;

/// Rows of a case that differ only in time.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HealthRows {
    /// `run` or `hour`.
    kind: String,
    log: String,
    #[serde(default = "host")]
    host: String,
    /// Age of the first row.
    minutes_ago: f64,
    /// Number of rows.
    #[serde(default = "one")]
    times: u32,
    #[serde(default)]
    every_minutes: f64,
    /// Age of ingestion; by default rows are ingested when sent.
    ingested_minutes_ago: Option<f64>,
    /// Differences from a caught-up row; `{"minutes_ago": 90}` is a time, null removes a field.
    #[serde(default)]
    fields: Map<String, Value>,
}

fn host() -> String {
    "api-00000000.duosecurity.com".to_owned()
}

fn one() -> u32 {
    1
}

pub(crate) fn text(time: DateTime<Utc>) -> Value {
    json!(time.to_rfc3339_opts(SecondsFormat::Millis, true))
}

impl HealthRows {
    pub(crate) fn rows(&self, schema: &Schema) -> Vec<Row> {
        (0..self.times)
            .map(|number| {
                let sent = now() - minutes(self.minutes_ago)
                    + minutes(f64::from(number) * self.every_minutes);
                self.row(sent, schema.health())
            })
            .collect()
    }

    fn row(&self, sent: DateTime<Utc>, columns: &Columns) -> Row {
        let mut fields = json!({
            "record_type": self.kind, "eventtype": self.log, "host": self.host, "version": "1.0.0",
            "ingestion_api": "data_collector",
        });
        let of_kind = if self.kind == "run" {
            json!({
                "outcome": "caught_up", "status_since": text(sent - minutes(600.0)), "succeeded_at": text(sent),
                "collected_to": text(sent - minutes(3.0)), "lag_seconds": 180, "runs": 15, "pages": 15, "requests": 20,
                "throttled": 0, "retries": 0, "events": 3, "late": 0, "deduplicated": 0, "dead_letters": 0,
            })
        } else {
            json!({"state": "count_matched", "delivered": 0, "late": 0, "stages": 1, "reconciled_at": text(sent), "is_settled": 0})
        };
        let fields = fields.as_object_mut().unwrap();
        for (name, value) in of_kind.as_object().unwrap().iter().chain(&self.fields) {
            let value = match value["minutes_ago"].as_f64() {
                Some(ago) => text(now() - minutes(ago)),
                None => value.clone(),
            };
            fields.insert(name.clone(), value);
        }
        let named = fields.iter().filter(|(_, value)| !value.is_null());
        let mut row: Row =
            named.map(|(name, value)| (column(name, columns), value.clone())).collect();
        row.insert("TimeGenerated".to_owned(), text(sent));
        let ingested = self.ingested_minutes_ago.map_or(sent, |ago| now() - minutes(ago));
        row.insert("ingested_at".to_owned(), text(ingested));
        row
    }
}

/// The column of a field: its name and the suffix of its type.
fn column(field: &str, columns: &Columns) -> String {
    let of_field = |column: &&String| {
        column.rsplit_once('_').is_some_and(|(name, suffix)| name == field && suffix.len() == 1)
    };
    let found = columns.keys().find(of_field);
    found.unwrap_or_else(|| panic!("no field {field}")).clone()
}

/// The columns of a table with these rows, in which the Data Collector API creates columns.
pub(crate) fn young(rows: &[Row], columns: &Columns) -> Columns {
    let arrived: BTreeSet<&String> = rows.iter().flat_map(Map::keys).collect();
    let has_arrived = |column: &String| arrived.contains(column);
    let existing = columns.iter().filter(|(column, _)| has_arrived(column));
    existing.map(|(column, kind)| (column.clone(), kind.clone())).collect()
}
