use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::{Code, LogHealth};
use crate::model::{Hour, IngestionApi, LogType, Millis};
use crate::release;
use crate::schema::HEALTH_FIELDS;
use crate::sync::HourResult;

/// The fields of a row, without the column suffixes of an API.
pub(crate) type Fields = Map<String, Value>;

/// Removes fields without a value.
fn fields(row: Value) -> Fields {
    let Value::Object(mut fields) = row else {
        unreachable!("rows are objects");
    };
    fields.retain(|_, value| !value.is_null());
    fields
}

/// A row about the runs since the previous row; `None` before the first run.
pub(crate) fn run_row(log_type: LogType, health: &LogHealth) -> Option<Fields> {
    let current = health.current.as_ref()?;
    let message = |code: Code| format!("{} {}", code.sentence(), code.hint());
    let lag = current.collected_to.map(|time| current.seen_at - time);
    let mut row = json!({
        "record_type": "run",
        "eventtype": log_type,
        "outcome": current.outcome,
        "error": current.code,
        "error_message": current.code.map(message),
        "http_status": current.http_status,
        "status_since": current.since,
        "succeeded_at": health.succeeded_at,
        "collected_to": current.collected_to,
        "lag_seconds": lag.map(|lag| lag.num_seconds()),
        "retry_at": current.retry_at,
        "runs": health.unreported.runs,
    });
    row.as_object_mut()?.append(json!(health.unreported.counts).as_object_mut()?);
    Some(fields(row))
}

pub(crate) fn hour_row(log_type: LogType, hour: Hour, result: &HourResult) -> Fields {
    fields(json!({
        "record_type": "hour",
        "eventtype": log_type,
        "hour": hour.start(),
        "state": result.state,
        "span_from": result.span.from,
        "span_to": result.span.to,
        "duo_count": result.duo_count,
        "delivered": result.delivered,
        "late": result.late,
        "gap_from": result.gap.map(|gap| gap.from),
        "gap_to": result.gap.map(|gap| gap.to),
        "stages": result.stages,
        "reconciled_at": result.reconciled_at,
        "is_settled": u8::from(result.is_final()),
    }))
}

pub(crate) fn body(
    api: IngestionApi,
    host: &str,
    now: Millis,
    rows: impl IntoIterator<Item = Fields>,
) -> Bytes {
    let shared = fields(json!({
        "host": host,
        "version": release::VERSION,
        "sha256": release::sha256(),
        "ingestion_api": api,
    }));
    let rows = rows.into_iter().map(|mut row| {
        row.extend(shared.clone());
        match api {
            IngestionApi::DataCollector => row,
            IngestionApi::LogsIngestion => with_column_names(row, now),
        }
    });
    let rows: Vec<Fields> = rows.collect();
    serde_json::to_vec(&rows).expect("rows are JSON").into()
}

/// Names the columns for the Logs Ingestion API; the Data Collector API names them itself.
fn with_column_names(row: Fields, now: Millis) -> Fields {
    let named = row.into_iter().map(|(name, value)| {
        let field = HEALTH_FIELDS.iter().find(|field| field.name == name);
        let column_type = field.expect("every field is in HEALTH_FIELDS").column_type;
        (format!("{name}{}", column_type.suffix()), value)
    });
    let generated = ("TimeGenerated".to_owned(), now.to_string().into());
    named.chain([generated]).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::{Map, Value};

    use super::{body, hour_row, run_row};
    use crate::model::{Hour, IngestionApi, LogType, Millis, Span};
    use crate::schema::{ColumnType, HEALTH_FIELDS};
    use crate::status::{Code, CurrentHealth, LogHealth, Outcome};
    use crate::sync::{HourResult, HourState, RunCounts};
    use chrono::TimeDelta;

    const NOW: Millis = Millis(1_795_348_800_000);
    const HOUR: Hour = Hour::of(NOW);

    fn rows(api: IngestionApi) -> Vec<Map<String, Value>> {
        let mut health = LogHealth::default();
        let current_health = CurrentHealth {
            outcome: Outcome::BackingOff,
            code: Some(Code::DuoThrottled),
            http_status: Some(429),
            since: NOW,
            seen_at: NOW,
            collected_to: Some(NOW - TimeDelta::milliseconds(90_500)),
            retry_at: Some(NOW + TimeDelta::seconds(60)),
        };
        health.add(current_health, RunCounts { events: 7, ..RunCounts::default() });
        health.succeeded_at = Some(NOW);
        let result = HourResult {
            state: HourState::Gap,
            span: Span::of(HOUR),
            duo_count: Some(12),
            delivered: 10,
            late: 1,
            gap: Some(Span::of(HOUR)),
            read_at: None,
            reconciled_at: NOW,
            stages: 6,
            is_backfill: false,
            unknown: Map::new(),
        };
        let log_type = LogType::Activity;
        let run = run_row(log_type, &health);
        let hour = hour_row(log_type, HOUR, &result);
        let rows = run.into_iter().chain([hour]);
        let body = body(api, "api-0.duosecurity.com", NOW, rows);
        serde_json::from_slice(&body).unwrap()
    }

    #[test]
    fn every_field_occurs_in_a_row_with_its_type() {
        let mut filled = BTreeSet::new();
        for row in rows(IngestionApi::DataCollector) {
            for (name, value) in row {
                let field = HEALTH_FIELDS.iter().find(|field| field.name == name).unwrap();
                let fits = match field.column_type {
                    ColumnType::Real => value.is_number(),
                    ColumnType::DateTime => Millis::parse(value.as_str().unwrap()).is_some(),
                    _ => value.is_string(),
                };
                assert!(fits, "{name}: {value}");
                filled.insert(name);
            }
        }
        let declared: BTreeSet<String> =
            HEALTH_FIELDS.iter().map(|field| field.name.to_owned()).collect();
        assert_eq!(filled, declared);
    }

    #[test]
    fn rows_for_the_logs_ingestion_api_have_column_names() {
        let rows = rows(IngestionApi::LogsIngestion);
        let [run, hour] = &rows[..] else { panic!("{rows:?}") };
        assert_eq!(run["TimeGenerated"], NOW.to_string());
        assert_eq!((&run["error_s"], &run["lag_seconds_d"]), (&"duo_throttled".into(), &90.into()));
        assert_eq!((&hour["state_s"], &hour["delivered_d"]), (&"gap".into(), &10.into()));
        assert_eq!(hour["gap_to_t"], HOUR.end().to_string());
        let columns: BTreeSet<String> =
            crate::schema::health_columns().into_iter().map(|column| column.name).collect();
        assert!(rows.iter().flat_map(Map::keys).all(|name| columns.contains(name)));
    }
}
