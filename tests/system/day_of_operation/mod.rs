//! A day of operation in minutes: an outage of Duo, throttling, a kill, a log that becomes
//! forbidden, an outage of Azure Monitor, events that are hours late, and restarts. Afterwards
//! page, JSON, health rows and ledger must agree with the simulators.

mod day;
mod reported;

use simulator::LogType;

use self::day::Day;
use self::reported::{assert_hours_agree, assert_page_agrees, assert_runs_agree};

#[tokio::test(flavor = "multi_thread")]
async fn after_a_day_with_every_kind_of_failure_all_reports_agree() {
    let mut day = Day::begin().await;
    day.play().await;
    let report = day.simulator.report().await;
    for (log, counts) in &report.logs {
        // The unavailable log is missing, and no event of the others.
        let missing = if *log == LogType::TrustMonitor { counts.shown } else { 0 };
        assert_eq!(counts.missing, missing, "{log}: {report:#?}");
    }
    assert_eq!((report.unknown_rows, report.altered_rows), (0, 0));
    let reported = day.reported().await;
    for log in LogType::ALL.into_iter().filter(|log| *log != LogType::TrustMonitor) {
        assert_hours_agree(&reported, log.name());
        assert_runs_agree(&reported, log.name(), day.rows_of_the_killed_run(log.name()));
    }
    assert_page_agrees(&reported);
}
