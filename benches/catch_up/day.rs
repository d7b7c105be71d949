//! A day of a busy log, minute by minute: the number of requests and the size of the state.

use std::fs;
use std::path::Path;
use std::time::Duration;

use chrono::TimeDelta;
use simulator::{Config, LogType, Simulator};

use crate::Fault;
use crate::child;
use crate::table::Figure;
use crate::tenant::{self, PROGRAM, state_folder};

/// Authentications per day.
const EVENTS: u64 = 75_000;
/// Late events per thousand, and their delay.
const LATE_PER_MILLE: u32 = 1;
const LATE_BY: Duration = Duration::from_secs(5 * 60 * 60);
/// Hours before the measured day: until then ids are only added, afterwards also removed.
const BEFORE: i64 = 54;
const MINUTES: i64 = 24 * 60;
/// Requests to Duo per day by RELIABILITY.md: a page and an empty one per minute, five counts per
/// hour, and each hour read six times in four pages and an empty one.
const MAX_REQUESTS: f64 = 2.0 * 1_440.0 + 5.0 * 24.0 + 6.0 * 24.0 * 5.0;
/// Maximum bytes of the state: the ids of 54 hours, 24 bytes each, and the results of three days.
const MAX_BYTES: f64 = 54.0 / 24.0 * 75_000.0 * 24.0 + 3.0 * 8_192.0;

/// Runs all days and measures the last one.
pub(crate) async fn measure() -> Result<Vec<Figure>, Fault> {
    let config = Config::default();
    let began = config.to;
    let days = (BEFORE + 24) / 24 + 1;
    let simulator = Simulator::start(Config {
        volumes: [(LogType::Authentication, EVENTS * u64::try_from(days)?)].into(),
        from: began,
        to: began + TimeDelta::days(days),
        late_per_mille: LATE_PER_MILLE,
        late_by: LATE_BY,
        verify: false,
        ..config
    })
    .await?;
    let state = state_folder()?;
    for hour in 1..=BEFORE {
        run(&simulator, state.path(), TimeDelta::hours(hour)).await?;
    }
    let before = counts(&simulator);
    for minute in 1..=MINUTES {
        let ahead = TimeDelta::hours(BEFORE) + TimeDelta::minutes(minute);
        run(&simulator, state.path(), ahead).await?;
    }
    let counts = counts(&simulator) - before;
    let (ids, others) = stored(state.path())?;
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let (counts, ids, others) = (counts as f64, ids as f64, others as f64);
    Ok(vec![
        Figure {
            name: format!("requests to Duo per day, {EVENTS} authentications"),
            value: counts,
            bound: MAX_REQUESTS,
            unit: "",
            detail: format!("a run every minute; {LATE_PER_MILLE} of 1000 events 5 hours late"),
        },
        Figure {
            name: format!("stored state, {EVENTS} authentications per day"),
            value: (ids + others) / 1_000_000.0,
            bound: MAX_BYTES / 1_000_000.0,
            unit: "MB",
            detail: format!(
                "ids {:.2} MB, everything else {:.0} kB",
                ids / 1_000_000.0,
                others / 1_000.0
            ),
        },
    ])
}

/// Runs once, with all clocks ahead by this much.
async fn run(simulator: &Simulator, state: &Path, ahead: TimeDelta) -> Result<(), Fault> {
    simulator.clock().set_offset(ahead);
    let log_types = LogType::Authentication.name();
    let settings = tenant::settings(simulator, log_types, state)
        .with("CISCO_DUO_DEMO_CLOCK_SECONDS", ahead.num_seconds().to_string());
    child::run(PROGRAM, &["run"], settings.iter()).await?;
    Ok(())
}

fn counts(simulator: &Simulator) -> u64 {
    simulator.counts().duo.values().map(|log| log.requests).sum()
}

/// Bytes of the ids, and of all other files.
fn stored(folder: &Path) -> Result<(u64, u64), Fault> {
    let (mut ids, mut others) = (0, 0);
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            let (inner_ids, inner_others) = stored(&path)?;
            ids += inner_ids;
            others += inner_others;
        } else if path.extension().is_some_and(|extension| extension == "ids") {
            ids += fs::metadata(&path)?.len();
        } else {
            others += fs::metadata(&path)?.len();
        }
    }
    Ok((ids, others))
}
