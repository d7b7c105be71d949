//! What the real connector sends by either road, as the simulated services store it: the function makes the same of both,
//! and the bridge makes a row of each event.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use simulator::{Road, Simulator, Table};

use crate::common::{FunctionsHost, Settings, temporary_folder, tenant_with_rule};
use crate::content::bridge;
use crate::content::schema::{Columns, HEALTH_TABLE, Schema, TABLE};
use crate::content::sources::{Content, Query};
use crate::content::tools::{self, Row};

const EVENTS_OF_A_LOG: u64 = 40;

/// What differs between two deliveries of one event.
const OF_THE_DELIVERY: [&str; 3] = ["IngestBatch", "IngestionTime", "ingested_at"];

/// The tables that the handler fills by the Data Collector and by Logs Ingestion: of events, and about itself.
pub(crate) async fn tables() -> [[Table; 2]; 2] {
    let mut config = tenant_with_rule(74, EVENTS_OF_A_LOG);
    config.tables.kept = true;
    let simulator = Simulator::start(config).await.unwrap();
    for by_logs_ingestion in [false, true] {
        let folder = temporary_folder();
        let settings = Settings::in_folder(&simulator, folder.path());
        let settings =
            if by_logs_ingestion { settings.by_logs_ingestion(&simulator) } else { settings };
        let mut host = FunctionsHost::start(&settings).await;
        host.catch_up(5).await;
        host.stop().await;
    }
    let of = async |road| {
        let events = simulator.table(road, TABLE).await.unwrap();
        [events, simulator.table(road, HEALTH_TABLE).await.unwrap()]
    };
    [of(Road::DataCollector).await, of(Road::LogsIngestion).await]
}

/// The rows of a table as far as its columns are known: the simulated Duo invents fields.
pub(crate) fn rows(table: &Table, columns: &Columns) -> Vec<Row> {
    let known = |row: &BTreeMap<String, Value>| -> Row {
        let known = row.iter().filter(|(name, _)| columns.contains_key(*name));
        let mut known: Row = known.map(|(name, value)| (name.clone(), value.clone())).collect();
        known.insert("ingested_at".to_owned(), row["_TimeReceived"].clone());
        known
    };
    table.rows().iter().map(known).collect()
}

/// A value to compare: JSON in a text as what it says, for its blanks may differ; an empty text as nothing.
fn plain(value: Value) -> Value {
    match value.as_str() {
        Some("") => Value::Null,
        Some(text) if text.starts_with(['{', '[']) => serde_json::from_str(text).unwrap_or(value),
        _ => value,
    }
}

/// What the function adds to the rows of a table, by the event.
fn given(table: &Table, columns: &Columns, schema: &Schema) -> BTreeMap<String, Row> {
    let query = Query::of_a_test("CiscoDuo");
    let rows = rows(table, columns);
    let answers = tools::run(&Content::read().function, columns, &[(rows, vec![&query])]);
    let raw = schema.all();
    let of_event = |row: &Row| {
        let event = row["EventUid"].as_str().unwrap().to_owned();
        let added = row.iter().filter(|(name, _)| {
            !raw.contains_key(*name) && !OF_THE_DELIVERY.contains(&name.as_str())
        });
        let added = added.map(|(name, value)| (name.clone(), plain(value.clone())));
        (event, added.filter(|(_, value)| !value.is_null()).collect())
    };
    answers[0][0].rows().iter().map(of_event).collect()
}

#[tokio::test]
async fn the_function_and_the_bridge_take_what_the_connector_sends() {
    let schema = Schema::read();
    let [[collected, _], [ingested, _]] = tables().await;
    let all = given(&collected, &schema.all(), &schema);
    let declared = given(&ingested, schema.declared(), &schema);
    let events = 6 * usize::try_from(EVENTS_OF_A_LOG).unwrap();
    assert_eq!((all.len(), declared.len()), (events, events));
    for (event, one) in &all {
        assert_eq!(Some(one), declared.get(event), "{event}");
    }
    // Among them those that stand in a column on the one road only.
    for name in [
        "TrustLevel",
        "TrustPolicyEnabled",
        "RememberedDeviceTrustReason",
        "SurfacedAuthAccessDeviceLocationCountry",
    ] {
        assert!(all.values().any(|row| row.contains_key(name)), "no {name}");
    }

    let mut rows = rows(&ingested, schema.declared());
    for row in &mut rows {
        row.remove("ingested_at");
    }
    let queries = bridge::transformations();
    let queries: Vec<&Query> = queries.iter().collect();
    let answers = tools::transform(schema.declared(), &rows, &queries);
    let ids = [
        ("txid_g", "TxId", "authentication"),
        ("activity_id_g", "ActivityId", "activity"),
        ("telephony_id_g", "TelephonyId", "telephony"),
    ];
    for ((column, id, log), answer) in ids.iter().zip(&answers) {
        let of_log = rows.iter().filter(|row| row["eventtype_s"] == *log);
        let sent: BTreeSet<&str> = of_log.map(|row| row[*column].as_str().unwrap()).collect();
        let bridged: BTreeSet<&str> =
            answer.rows().iter().map(|row| row[*id].as_str().unwrap()).collect();
        assert_eq!(bridged, sent, "{log}");
        assert_eq!(answer.rows().len(), usize::try_from(EVENTS_OF_A_LOG).unwrap(), "{log}");
    }
}
