//! Rows of `CiscoDuoHealth_CL`.

use bytes::{BufMut as _, Bytes, BytesMut};
use serde::Serialize;
use serde_json::{Map, Value};

use super::activity::Activity;
use super::log_health::LogHealth;
use crate::model::{Hour, IngestionApi, LogType, Millis};
use crate::schema::HEALTH_FIELDS;
use crate::sync::HourResult;

/// A row about what was done since the row before.
#[derive(Debug)]
pub struct RunRow<'a> {
    /// The log.
    pub log_type: LogType,
    /// How it fares; a log without a run has no row.
    pub health: &'a LogHealth,
}

/// A row about a closed hour.
#[derive(Debug)]
pub struct HourRow<'a> {
    /// The log.
    pub log_type: LogType,
    /// The hour.
    pub hour: Hour,
    /// What is known of it.
    pub result: &'a HourResult,
}

/// The fields of a row, before they are named for an API. What is absent is left out.
#[derive(Debug, Default)]
pub(crate) struct Fields(Map<String, Value>);

impl Fields {
    fn set(&mut self, name: &str, value: impl Serialize) {
        let value = serde_json::to_value(value).expect("times, numbers and texts are JSON");
        if !value.is_null() {
            self.0.insert(name.to_owned(), value);
        }
    }

    /// Of what every row of a log has.
    fn of(kind: &str, log_type: LogType) -> Self {
        let mut fields = Self::default();
        fields.set("row_kind", kind);
        fields.set("eventtype", log_type.as_str());
        fields
    }
}

impl RunRow<'_> {
    pub(crate) fn fields(&self) -> Option<Fields> {
        let standing = self.health.standing.as_ref()?;
        let mut fields = Fields::of("run", self.log_type);
        fields.set("outcome", standing.outcome);
        fields.set("error", standing.code);
        let about = standing
            .code
            .map(|code| format!("{} {}", code.sentence(), code.hint()));
        fields.set("error_about", about);
        fields.set("http_status", standing.http_status);
        fields.set("standing_since", standing.since);
        fields.set("succeeded_at", self.health.succeeded_at);
        fields.set("collected_to", standing.collected_to);
        let lag = standing
            .collected_to
            .map(|time| (standing.seen_at - time).num_seconds());
        fields.set("lag_seconds", lag);
        fields.set("parked_until", standing.parked_until);
        let Activity {
            runs,
            events,
            late,
            duplicates_dropped,
            dead_letters,
            pages,
            requests,
            throttled,
            retries,
        } = self.health.untold;
        for (name, count) in [
            ("runs", runs),
            ("events", events),
            ("late", late),
            ("duplicates_dropped", duplicates_dropped),
            ("dead_letters", dead_letters),
            ("pages", pages),
            ("requests", requests),
            ("throttled", throttled),
            ("retries", retries),
        ] {
            fields.set(name, count);
        }
        Some(fields)
    }
}

impl HourRow<'_> {
    pub(crate) fn fields(&self) -> Fields {
        let mut fields = Fields::of("hour", self.log_type);
        let result = self.result;
        fields.set("hour", self.hour.start());
        fields.set("state", result.state);
        fields.set("span_from", result.span.from);
        fields.set("span_to", result.span.to);
        fields.set("counted", result.duo_count);
        fields.set("delivered", result.delivered);
        fields.set("late", result.late);
        fields.set("gap_from", result.gap.map(|gap| gap.from));
        fields.set("gap_to", result.gap.map(|gap| gap.to));
        fields.set("checks", result.stages);
        fields.set("checked_at", result.checked_at);
        fields.set("is_settled", u8::from(result.is_final()));
        fields
    }
}

/// What all rows of a call share.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sender<'a> {
    pub(crate) api: IngestionApi,
    pub(crate) host: &'a str,
    pub(crate) version: &'a str,
    pub(crate) sha256: Option<&'a str>,
    pub(crate) now: Millis,
}

/// A call with these rows, in the form that the API takes.
pub(crate) fn body(sender: &Sender<'_>, rows: impl IntoIterator<Item = Fields>) -> Bytes {
    let mut body = BytesMut::new();
    for mut fields in rows {
        fields.set("host", sender.host);
        fields.set("version", sender.version);
        fields.set("sha256", sender.sha256);
        fields.set("ingestion_api", sender.api);
        body.put_u8(if body.is_empty() { b'[' } else { b',' });
        let row = named(fields, sender);
        body.extend_from_slice(row.to_string().as_bytes());
    }
    body.put_u8(b']');
    body.freeze()
}

/// The Data Collector API makes the names of the columns; for the other API they are made here.
fn named(fields: Fields, sender: &Sender<'_>) -> Value {
    if sender.api == IngestionApi::DataCollector {
        return Value::Object(fields.0);
    }
    let mut row = Map::new();
    row.insert("TimeGenerated".to_owned(), sender.now.to_string().into());
    for (name, value) in fields.0 {
        let field = HEALTH_FIELDS.iter().find(|field| field.name == name);
        let field = field.expect("every field is in the table");
        row.insert(format!("{name}{}", field.column_type.suffix()), value);
    }
    Value::Object(row)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::{Map, Value};

    use super::{HourRow, RunRow, Sender, body};
    use crate::model::{Hour, IngestionApi, LogType, Millis, Span};
    use crate::schema::{ColumnType, HEALTH_FIELDS};
    use crate::status::{Activity, Code, LogHealth, Outcome, RunSeen, Standing};
    use crate::sync::{HourResult, HourState};
    use chrono::TimeDelta;

    const NOW: Millis = Millis(1_795_348_800_000);
    const HOUR: Hour = Hour::of(NOW);

    fn rows(api: IngestionApi) -> Vec<Map<String, Value>> {
        let mut health = LogHealth::default();
        health.add(&RunSeen {
            standing: Standing {
                outcome: Outcome::Parked,
                code: Some(Code::DuoThrottled),
                http_status: Some(429),
                since: NOW,
                seen_at: NOW,
                collected_to: Some(NOW - TimeDelta::milliseconds(90_500)),
                parked_until: Some(NOW + TimeDelta::seconds(60)),
                program: "1.0.0".to_owned(),
                sha256: None,
                ingestion_api: api,
            },
            activity: Activity {
                runs: 1,
                events: 7,
                ..Activity::default()
            },
        });
        health.succeeded_at = Some(NOW);
        let result = HourResult {
            state: HourState::Gap,
            span: Span::of(HOUR),
            duo_count: Some(12),
            delivered: 10,
            late: 1,
            gap: Some(Span::of(HOUR)),
            read_at: None,
            checked_at: NOW,
            stages: 6,
            unknown: Map::new(),
        };
        let log_type = LogType::Activity;
        let run = RunRow {
            log_type,
            health: &health,
        }
        .fields();
        let hour = HourRow {
            log_type,
            hour: HOUR,
            result: &result,
        }
        .fields();
        let sender = Sender {
            api,
            host: "api-0.duosecurity.com",
            version: "1.0.0",
            sha256: Some("ab"),
            now: NOW,
        };
        let body = body(&sender, run.into_iter().chain([hour]));
        serde_json::from_slice(&body).unwrap()
    }

    #[test]
    fn every_field_is_filled_by_a_row_and_has_its_type() {
        let mut filled = BTreeSet::new();
        for row in rows(IngestionApi::DataCollector) {
            for (name, value) in row {
                let field = HEALTH_FIELDS
                    .iter()
                    .find(|field| field.name == name)
                    .unwrap();
                let fits = match field.column_type {
                    ColumnType::Real => value.is_number(),
                    ColumnType::DateTime => Millis::parse(value.as_str().unwrap()).is_some(),
                    _ => value.is_string(),
                };
                assert!(fits, "{name}: {value}");
                filled.insert(name);
            }
        }
        let declared: BTreeSet<String> = HEALTH_FIELDS
            .iter()
            .map(|field| field.name.to_owned())
            .collect();
        assert_eq!(filled, declared);
    }

    #[test]
    fn for_logs_ingestion_the_fields_have_the_names_of_their_columns() {
        let rows = rows(IngestionApi::LogsIngestion);
        let [run, hour] = &rows[..] else {
            panic!("{rows:?}")
        };
        assert_eq!(run["TimeGenerated"], NOW.to_string());
        assert_eq!(
            (&run["error_s"], &run["lag_seconds_d"]),
            (&"duo_throttled".into(), &90.into())
        );
        assert_eq!(
            (&hour["state_s"], &hour["delivered_d"]),
            (&"gap".into(), &10.into())
        );
        assert_eq!(hour["gap_to_t"], HOUR.end().to_string());
        let columns: BTreeSet<String> = crate::schema::health_columns()
            .into_iter()
            .map(|column| column.name)
            .collect();
        assert!(
            rows.iter()
                .flat_map(Map::keys)
                .all(|name| columns.contains(name))
        );
    }
}
