//! `backfill`: whole hours of the past are read again, and what is missing of them is delivered.

mod job;
mod progress;

use std::sync::Arc;

use chrono::{NaiveDate, Utc};
use futures::future::join_all;
use tokio_util::sync::CancellationToken;

use super::output;
use crate::collector::{BackfillFault, BackfillPlan, Collector};
use crate::model::{Hour, LogType, Millis, number};
use job::{Done, Job, Outcome};
use progress::Progress;

/// Arguments of `backfill`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = AFTER,
    group = clap::ArgGroup::new("what").args(["from", "gaps"]).required(true),
)]
pub(super) struct Arguments {
    /// First moment: 2026-11-01, 2026-11-01T10, or 2026-11-01T10:30:00Z; widened to whole hours
    #[arg(long, value_name = "TIME", value_parser = moment)]
    from: Option<Millis>,
    /// First moment after it; where the live log stands if left out
    #[arg(long, value_name = "TIME", value_parser = moment, conflicts_with = "gaps")]
    to: Option<Millis>,
    /// The hours of which the ledger says that a part is missing, instead of a span
    #[arg(long)]
    gaps: bool,
    /// Logs, comma-separated; all configured ones if left out
    #[arg(long, value_name = "LOGS", value_parser = super::log_type, value_delimiter = ',')]
    types: Vec<LogType>,
    /// Deliver rows again whose ids the ledger does not keep any more
    #[arg(long)]
    resend: bool,
    /// Print what was done as JSON
    #[arg(long)]
    json: bool,
}

const AFTER: &str = "It may run beside the function app, with the same settings. Broken off, the same command goes on where it \
                     stopped. It makes half as many calls a minute as the app may make beside it. Rows carry ingest_kind \"backfill\".";

/// A UTC day, an hour or a moment.
fn moment(text: &str) -> Result<Millis, String> {
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok();
    let day = day.and_then(|day| Hour::parse(&format!("{day}T00")));
    day.or_else(|| Hour::parse(text))
        .map(Hour::start)
        .or_else(|| Millis::parse(text))
        .ok_or_else(|| "use 2026-11-01, 2026-11-01T10 or 2026-11-01T10:30:00Z (UTC)".to_owned())
}

pub(super) async fn backfill(arguments: &Arguments) -> u8 {
    let collector = match super::collector(arguments.json) {
        Ok(collector) => collector,
        Err(code) => return code,
    };
    #[expect(clippy::disallowed_methods, reason = "the command begins here")]
    let now = Millis::from(Utc::now()) + collector.settings().clock_offset;
    if let (Some(from), Some(to)) = (arguments.from, arguments.to)
        && to <= from
    {
        output::error("--to must be later than --from", None);
        return super::USAGE;
    }
    let mut plans = match plan(&collector, arguments, now).await {
        Ok(plans) => plans,
        Err((log_type, fault)) => {
            output::error(&format!("{log_type}: {fault}"), fault.hint());
            return match fault {
                BackfillFault::State(_) => super::FAILED,
                _ => super::USAGE,
            };
        }
    };
    if plans.is_empty() && !arguments.gaps {
        return super::USAGE;
    }
    if !arguments.resend && repeats(&plans) {
        return super::USAGE;
    }
    plans.sort_by_key(|plan| (plan.backfill.log_type, plan.backfill.span.from));
    let done = run(&collector, &plans, arguments.resend).await;
    if arguments.json {
        output::json(&done);
    } else {
        tell(&done);
    }
    let is_done = |done: &Done| done.outcome == Outcome::NotGiven || done.is_complete();
    if done.iter().all(is_done) {
        0
    } else {
        super::FAILED
    }
}

/// What is to be read. Of a log of which there is nothing to read is told, and the others are read.
async fn plan(
    collector: &Collector,
    arguments: &Arguments,
    now: Millis,
) -> Result<Vec<BackfillPlan>, (LogType, BackfillFault)> {
    let logs = if arguments.types.is_empty() {
        &collector.settings().log_types
    } else {
        &arguments.types
    };
    let mut plans = Vec::new();
    for &log_type in logs {
        let spans = if let Some(from) = arguments.from {
            vec![(from, arguments.to)]
        } else {
            let gaps = collector.gaps(log_type, now).await;
            let gaps = gaps.map_err(|fault| (log_type, fault.into()))?;
            gaps.into_iter()
                .map(|gap| (gap.from, Some(gap.to)))
                .collect()
        };
        for (from, to) in spans {
            match collector.plan_backfill(log_type, from, to, now).await {
                Ok(plan) => plans.push(plan),
                Err(fault @ (BackfillFault::NotYet { .. } | BackfillFault::NotGiven)) => {
                    output::talk(format!("{log_type}: {fault}"));
                }
                Err(fault) => return Err((log_type, fault)),
            }
        }
    }
    Ok(plans)
}

/// Tells which rows would be delivered again; whether there are any.
fn repeats(plans: &[BackfillPlan]) -> bool {
    let mut repeats = false;
    for plan in plans {
        let log_type = plan.backfill.log_type;
        if plan.may_repeat > 0 {
            repeats = true;
            output::talk(format!(
                "{log_type}: {} rows of these hours were delivered before, and the ledger does not keep their ids any more",
                number(plan.may_repeat)
            ));
        }
        if plan.unknown_hours > 0 {
            repeats = true;
            output::talk(format!(
                "{log_type}: {} of these hours were collected before, and what was delivered of them is not known any more",
                number(plan.unknown_hours)
            ));
        }
    }
    if repeats {
        output::error(
            "these rows would be delivered again, with the same event_uid",
            Some("add --resend if that is wanted, or narrow the span"),
        );
    }
    repeats
}

/// Reads everything, the logs side by side and the spans of a log one after another.
async fn run(collector: &Collector, plans: &[BackfillPlan], resend: bool) -> Vec<Done> {
    let interrupt = CancellationToken::new();
    let progress = Arc::new(Progress::start());
    let logs: Vec<&[BackfillPlan]> = plans
        .chunk_by(|one, other| one.backfill.log_type == other.backfill.log_type)
        .collect();
    let all = join_all(logs.into_iter().map(|plans| {
        let (interrupt, progress) = (&interrupt, &progress);
        async move {
            let mut done = Vec::new();
            for plan in plans {
                let job = Job::new(collector, *plan, resend, interrupt, progress);
                done.push(job.run().await);
            }
            done
        }
    }));
    tokio::pin!(all);
    let done = tokio::select! {
        done = &mut all => done,
        () = super::serve::asked_to_end() => {
            progress.say("asked to end: stopping at the next commit; the same command goes on from there");
            interrupt.cancel();
            all.await
        }
    };
    progress.end();
    done.into_iter().flatten().collect()
}

fn tell(all: &[Done]) {
    if all.is_empty() {
        output::data("nothing to read: the ledger knows of no gap");
        return;
    }
    let header = [
        "log",
        "from",
        "to",
        "outcome",
        "events",
        "known",
        "pages",
        "complete hours",
        "gap",
        "unknown",
    ];
    let rows = all.iter().map(|done| {
        [
            done.log_type.to_string(),
            Hour::of(done.from).to_string(),
            Hour::of(done.to).to_string(),
            done.outcome.as_str().to_owned(),
            number(done.events),
            number(done.duplicates_dropped),
            number(done.pages),
            number(done.hours.verified),
            number(done.hours.gap),
            number(done.hours.unknown),
        ]
    });
    output::data(output::table(header, rows, 4));
    for done in all {
        for notice in &done.notices {
            output::talk(format!("{}: {notice}", done.log_type));
        }
        if let Some(message) = &done.message {
            output::talk(format!("{}: {message}", done.log_type));
        }
        if let Some(hint) = &done.hint {
            output::talk(format!("  hint: {hint}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::moment;
    use crate::model::Millis;

    #[test]
    fn a_day_an_hour_and_a_moment_are_understood() {
        let noon = Ok(Millis(1_795_348_800_000));
        assert_eq!(moment("2026-11-22T12"), noon);
        assert_eq!(moment("2026-11-22T12:00:00Z"), noon);
        assert_eq!(moment("2026-11-22T13:00:00+01:00"), noon);
        assert_eq!(moment("2026-11-22"), Ok(Millis(1_795_305_600_000)));
        for odd in ["yesterday", "2026-13-01", "22.11.2026", "2026-11-22T25", ""] {
            assert!(moment(odd).is_err(), "{odd}");
        }
    }
}
