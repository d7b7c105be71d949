//! Small simulated tenants whose events have all become visible.

use std::collections::BTreeMap;

use chrono::{DurationRound as _, TimeDelta, Utc};
use duo_sentinel::schema::{Column, declared, streams};
use simulator::{Config, LogType, Simulator, StreamDeclaration};

/// Most records in a page of these tenants, so that few events make many pages.
pub(crate) const PAGE: u64 = 50;

/// A tenant with `events` events in each of the six logs, spread over five hours and all visible.
pub(crate) fn tenant(seed: u64, events: u64) -> Config {
    #[expect(clippy::disallowed_methods, reason = "the program under test lives in the present")]
    let now = Utc::now();
    let now = now.duration_trunc(TimeDelta::seconds(1)).expect("a time of today");
    let page = usize::try_from(PAGE).expect("it is small");
    Config {
        seed,
        volumes: LogType::ALL.map(|log| (log, events)).into(),
        from: now - TimeDelta::minutes(320),
        to: now - TimeDelta::minutes(20),
        max_limit: page,
        v1_page: page,
        trust_monitor_limit: page,
        ..Config::default()
    }
}

/// The streams of a data collection rule that declares the connector's columns.
pub(crate) fn declared_streams() -> Vec<StreamDeclaration> {
    let declaration = |(stream, table, columns): (&str, &str, Vec<Column>)| {
        let columns = serde_json::json!({"columns": declared(&columns)});
        StreamDeclaration::from_json(stream, table, &columns)
            .expect("Azure would take the declaration")
    };
    streams().into_iter().map(declaration).collect()
}

/// The same tenant with such a rule.
pub(crate) fn tenant_with_rule(seed: u64, events: u64) -> Config {
    let mut config = tenant(seed, events);
    config.logs_ingestion.streams = declared_streams();
    config
}

/// Every visible event was delivered unaltered; at most `duplicates` deliveries were repetitions.
pub(crate) async fn assert_nothing_lost(simulator: &Simulator, duplicates: u64) {
    let report = simulator.report().await;
    assert!(report.shown() > 0, "the tenant has no events");
    assert_eq!(report.missing(), 0, "lost events: {report:#?}");
    assert!(report.is_complete(), "altered rows: {report:#?}");
    assert!(report.duplicates() <= duplicates, "more than {duplicates} repeated rows: {report:#?}");
}

/// How many rows about events were accepted, of the rows by table: those about the connector itself are no events.
pub(crate) fn events_in(rows: &BTreeMap<String, u64>) -> u64 {
    rows.get("CiscoDuo_CL").copied().unwrap_or(0)
}

/// The id of a telephony event of a tenant.
pub(crate) fn telephony_id(simulator: &Simulator) -> String {
    let page = simulator::page(simulator.config().clone(), LogType::Telephony);
    let page: serde_json::Value = serde_json::from_str(&page).expect("a page is JSON");
    let id = page["response"]["items"][30]["telephony_id"].as_str();
    id.expect("each has an id").to_owned()
}
