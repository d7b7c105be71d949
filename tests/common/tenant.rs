//! Small simulated tenants whose events are all visible.

use std::collections::BTreeMap;

use chrono::{DurationRound as _, SecondsFormat, TimeDelta, Utc};
use duo_sentinel::schema::{Column, declared, streams};
use simulator::{Config, LogType, Simulator, StreamDeclaration};

/// Maximum records per page of these tenants, so that few events fill many pages.
pub(crate) const PAGE: u64 = 50;

/// A tenant with `events` events per log, spread over five hours and all visible.
pub(crate) fn tenant(seed: u64, events: u64) -> Config {
    #[expect(clippy::disallowed_methods, reason = "the program under test uses the current time")]
    let now = Utc::now();
    let now = now.duration_trunc(TimeDelta::seconds(1)).expect("the time can be truncated");
    let page = usize::try_from(PAGE).expect("the page is small");
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

/// Moves all events of a [`tenant`] into one hour and returns its start. With this
/// `CISCO_DUO_START_TIME`, the hour is the first window, whatever the time of day.
pub(crate) fn in_one_hour(config: &mut Config) -> String {
    let six_hours_ago = config.to - TimeDelta::minutes(340);
    let hour =
        six_hours_ago.duration_trunc(TimeDelta::hours(1)).expect("the time can be truncated");
    (config.from, config.to) = (hour + TimeDelta::minutes(1), hour + TimeDelta::minutes(59));
    hour.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// The streams of a data collection rule that declares the connector's columns.
pub(crate) fn declared_streams() -> Vec<StreamDeclaration> {
    let declaration = |(stream, table, columns): (&str, &str, Vec<Column>)| {
        let columns = serde_json::json!({"columns": declared(&columns)});
        StreamDeclaration::from_json(stream, table, &columns)
            .expect("the declaration is valid in Azure")
    };
    streams().into_iter().map(declaration).collect()
}

/// Like [`tenant`], with such a rule.
pub(crate) fn tenant_with_rule(seed: u64, events: u64) -> Config {
    let mut config = tenant(seed, events);
    config.logs_ingestion.streams = declared_streams();
    config
}

/// Asserts that every visible event was delivered unaltered, with at most `duplicates` duplicates.
pub(crate) async fn assert_nothing_lost(simulator: &Simulator, duplicates: u64) {
    let report = simulator.report().await;
    assert!(report.shown() > 0, "the tenant has no events");
    assert_eq!(report.missing(), 0, "lost events: {report:#?}");
    assert!(report.is_complete(), "altered rows: {report:#?}");
    assert!(report.duplicates() <= duplicates, "more than {duplicates} duplicates: {report:#?}");
}

/// Number of accepted rows about events, not about the connector, from rows by table.
pub(crate) fn events_in(rows: &BTreeMap<String, u64>) -> u64 {
    rows.get("CiscoDuo_CL").copied().unwrap_or(0)
}

/// The id of a telephony event of a tenant.
pub(crate) fn telephony_id(simulator: &Simulator) -> String {
    let page = simulator::page(simulator.config().clone(), LogType::Telephony);
    let page: serde_json::Value = serde_json::from_str(&page).expect("a page is JSON");
    let id = page["response"]["items"][30]["telephony_id"].as_str();
    id.expect("each event has an id").to_owned()
}
