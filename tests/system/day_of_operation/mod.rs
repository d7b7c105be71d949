//! A day of operation, played in minutes: an outage of Duo, throttling, a kill, a log that turns forbidden, an outage of Azure
//! Monitor, events that Duo shows hours late, and restarts all along. Afterwards the page, its JSON, the rows about the
//! connector and the ledger must tell what the simulators saw.

mod day;
mod reported;

use simulator::LogType;

use self::day::Day;
use self::reported::{assert_hours_agree, assert_page_agrees, assert_runs_agree};

#[tokio::test(flavor = "multi_thread")]
async fn after_a_day_with_everything_in_it_all_accounts_agree() {
    let mut day = Day::begin().await;
    day.play().await;
    let report = day.simulator.report().await;
    for (log, counts) in &report.logs {
        // What Duo never gave is not there; of all else nothing is missing.
        let missing = if *log == LogType::TrustMonitor { counts.shown } else { 0 };
        assert_eq!(counts.missing, missing, "{log}: {report:#?}");
    }
    assert_eq!((report.unknown_rows, report.altered_rows), (0, 0));
    let told = day.reported().await;
    for log in LogType::ALL.into_iter().filter(|log| *log != LogType::TrustMonitor) {
        assert_hours_agree(&told, log.name());
        assert_runs_agree(&told, log.name(), day.rows_of_the_killed_run(log.name()));
    }
    assert_page_agrees(&told);
}
