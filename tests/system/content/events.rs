//! Events of Duo, and the rows that the connector sends for them.

use std::sync::LazyLock;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::content::flatten::{IngestionApi, flatten};
use crate::content::tools::{NOW, Row};

pub(crate) const LOGS: [&str; 6] = [
    "authentication",
    "administrator",
    "telephony",
    "offline_enrollment",
    "trust_monitor",
    "activity",
];

/// An ordinary event of each log, with all its fields.
static ORDINARY: LazyLock<Map<String, Value>> =
    LazyLock::new(|| serde_json::from_str(include_str!("events.json")).unwrap());

/// Events of a case that differ only in number and time.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Events {
    log: String,
    /// Age of the first event.
    minutes_ago: f64,
    /// Number of events; `{n}` in text is replaced by the number of the event.
    #[serde(default = "one")]
    times: u32,
    #[serde(default)]
    every_minutes: f64,
    /// Age of ingestion; by default four minutes after the event, and at least one minute.
    ingested_minutes_ago: Option<f64>,
    #[serde(default = "live")]
    kind: String,
    /// Rows of another connector have only log and host added.
    #[serde(default)]
    by_another_connector: bool,
    /// Differences from the ordinary event.
    #[serde(default)]
    fields: Map<String, Value>,
}

fn one() -> u32 {
    1
}

fn live() -> String {
    "live".to_owned()
}

pub(crate) fn now() -> DateTime<Utc> {
    NOW.parse().unwrap()
}

pub(crate) fn minutes(minutes: f64) -> TimeDelta {
    #[expect(clippy::cast_possible_truncation, reason = "cases span days at most")]
    TimeDelta::milliseconds((minutes * 60_000.0) as i64)
}

fn text(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// Merges `other` into `event`, object by object.
pub(crate) fn lay_over(event: &mut Value, other: &Value) {
    match (event, other) {
        (Value::Object(event), Value::Object(other)) => {
            for (name, value) in other {
                lay_over(event.entry(name).or_insert(Value::Null), value);
            }
        }
        (event, other) => *event = other.clone(),
    }
}

fn numbered(value: &Value, number: u32) -> Value {
    match value {
        Value::String(text) => Value::String(text.replace("{n}", &number.to_string())),
        Value::Object(object) => {
            object.iter().map(|(name, value)| (name.clone(), numbered(value, number))).collect()
        }
        other => other.clone(),
    }
}

impl Events {
    /// The rows of these events; `count` numbers the events of a case, and `api` selects the API.
    pub(crate) fn rows(&self, count: &mut u32, api: impl Fn(u32) -> IngestionApi) -> Vec<Row> {
        (1..=self.times)
            .map(|number| {
                *count += 1;
                let happened = now() - minutes(self.minutes_ago)
                    + minutes(f64::from(number - 1) * self.every_minutes);
                let ingested = match self.ingested_minutes_ago {
                    Some(ago) => now() - minutes(ago),
                    None => (happened + TimeDelta::minutes(4)).min(now() - TimeDelta::minutes(1)),
                };
                let mut event = Value::Object(event(&self.log, happened, *count));
                lay_over(&mut event, &numbered(&Value::Object(self.fields.clone()), number));
                let event = event.as_object_mut().unwrap();
                add(event, &self.log, &self.kind, *count, happened);
                if self.by_another_connector {
                    event.retain(|name, _| {
                        !["event_uid", "event_time", "ingest_kind", "ingest_batch"]
                            .contains(&name.as_str())
                    });
                }
                // Another connector uses only one API.
                let api = if self.by_another_connector {
                    IngestionApi::DataCollector
                } else {
                    api(*count)
                };
                stored(event, ingested, api)
            })
            .collect()
    }
}

/// An ordinary event with its time and identity.
fn event(log: &str, happened: DateTime<Utc>, count: u32) -> Map<String, Value> {
    let mut event = ORDINARY[log].as_object().unwrap().clone();
    let id = format!("00000000-0000-4000-8000-{count:012x}");
    for (name, value) in [
        ("timestamp", json!(happened.timestamp())),
        ("isotimestamp", json!(text(happened))),
        ("ts", json!(text(happened))),
        ("surfaced_timestamp", json!(happened.timestamp_millis())),
        ("sekey", json!(format!("SE{count:018}"))),
        ("txid", json!(id)),
        ("activity_id", json!(id)),
        ("telephony_id", json!(id)),
    ] {
        if let Some(field) = event.get_mut(name) {
            *field = value;
        }
    }
    event
}

/// Adds the fields that the connector adds.
fn add(event: &mut Map<String, Value>, log: &str, kind: &str, count: u32, happened: DateTime<Utc>) {
    for (name, value) in [
        ("eventtype", log),
        ("host", "api-00000000.duosecurity.com"),
        ("event_uid", &format!("{count:040x}")),
        ("ingest_kind", kind),
        ("ingest_batch", "e41c2043c25b00000000"),
        ("event_time", &text(happened)),
    ] {
        event.insert(name.to_owned(), json!(value));
    }
}

/// The row in the table, sent one minute before its ingestion.
fn stored(event: &Map<String, Value>, ingested: DateTime<Utc>, api: IngestionApi) -> Row {
    let mut row = flatten(event, api);
    row.insert("TimeGenerated".to_owned(), json!(text(ingested - TimeDelta::minutes(1))));
    row.insert("ingested_at".to_owned(), json!(text(ingested)));
    row
}

/// An ordinary event of a log as the connector sends it, with values instead of nulls.
pub(crate) fn whole(log: &str) -> Map<String, Value> {
    let mut event = event(log, now(), 1);
    add(&mut event, log, "live", 1, now());
    event
}
