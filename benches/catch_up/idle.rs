//! A tick without events: the CPU time of a function app that has nothing to do.

use std::time::Duration;

use simulator::{FunctionsHost, LogType};

use crate::Fault;
use crate::table::Figure;
use crate::tenant::{PROGRAM, Tenant, state_folder};

/// Ticks before the measurement: the first runs, and their reconciliation.
const FIRST_TICKS: u32 = 5;

/// CPU time per tick with six logs and no event, over this many ticks.
pub(crate) async fn measure(ticks: u32) -> Result<Figure, Fault> {
    let volumes = LogType::ALL.map(|log| (log, 0));
    let tenant = Tenant::start(&volumes, Duration::ZERO, Duration::ZERO).await?;
    let state = state_folder()?;
    let settings = tenant.settings(state.path());
    let settings = settings.iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
    let host = FunctionsHost::start(PROGRAM, settings).await?;
    for _ in 0..FIRST_TICKS {
        host.fire().await?;
    }
    let before = cpu(&host)?;
    for _ in 0..ticks {
        host.fire().await?;
    }
    let used = cpu(&host)?.saturating_sub(before);
    Ok(Figure {
        name: "CPU of a timer invocation, no events".to_owned(),
        value: used.as_secs_f64() * 1_000.0 / f64::from(ticks),
        bound: 3.0,
        unit: "ms",
        detail: format!("{:.0} ms in {ticks} ticks", used.as_secs_f64() * 1_000.0),
    })
}

/// CPU time that the program has used so far, user and system.
fn cpu(host: &FunctionsHost) -> Result<Duration, Fault> {
    let process = host.process().ok_or("the handler has ended")?;
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name in parentheses may contain anything; user and system time are the 12th and 13th
    // fields after it, in hundredths of a second.
    let (_, fields) = stat.rsplit_once(')').ok_or("no process name")?;
    let ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<u64>);
    let ticks: u64 = ticks.sum::<Result<u64, _>>()?;
    Ok(Duration::from_millis(ticks * 10))
}
