//! Small tenants, and their queries and records.

use chrono::TimeDelta;
use simulator::{Config, LogType};

use crate::caller::Caller;

const MARGIN: TimeDelta = TimeDelta::minutes(2);

pub(crate) fn config(count: u64) -> Config {
    let mut config = Config {
        volumes: LogType::ALL.map(|log| (log, count)).into(),
        max_limit: 37,
        v1_page: 100,
        trust_monitor_limit: 40,
        ..Config::default()
    };
    // All events are visible, so that counts do not change during a test.
    config.to -= TimeDelta::minutes(5);
    config
}

/// The query for all times, with additional parameters that sort before and after the times.
pub(crate) fn window(caller: &Caller, before: &str, after: &str) -> String {
    let config = caller.simulator.config();
    let from = config.from.timestamp_millis();
    let to = (config.to + MARGIN).timestamp_millis();
    format!("{before}maxtime={to}&mintime={from}{after}")
}

/// Every record of every log.
pub(crate) async fn all_records(caller: &Caller) -> Vec<(LogType, String)> {
    let mut records = Vec::new();
    for log in LogType::ALL {
        let query = match log {
            LogType::Administrator | LogType::OfflineEnrollment => {
                format!("mintime={}", caller.simulator.config().from.timestamp())
            }
            _ => window(caller, "limit=1000&", ""),
        };
        let of_log = caller.records(log, &query).await;
        records.extend(of_log.into_iter().map(|record| (log, record)));
    }
    records
}

pub(crate) fn roomy(count: u64) -> Config {
    Config { max_limit: 1_000, v1_page: 2_000, trust_monitor_limit: 1_000, ..config(count) }
}
