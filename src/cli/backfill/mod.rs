//! `backfill`: reads whole hours of the past again, and delivers missing events.

mod job;
mod progress;

use chrono::NaiveDate;
use futures::future::join_all;
use indicatif::MultiProgress;
use tokio_util::sync::CancellationToken;

use super::output;
use super::serve::until_shutdown;
use crate::collector::{BackfillError, BackfillPlan, Collector};
use crate::model::{Hour, LogType, Millis, number};
use job::{Done, Job};

#[derive(Debug, clap::Args)]
#[command(
    after_help = AFTER,
    group = clap::ArgGroup::new("what").args(["from", "gaps"]).required(true),
)]
pub(super) struct Arguments {
    /// Start (UTC), such as 2026-11-01, 2026-11-01T10 or 2026-11-01T10:30:00Z; rounded down to the hour
    #[arg(long, value_name = "TIME", value_parser = moment)]
    from: Option<Millis>,
    /// End (UTC) [default: the time up to which live collection has delivered]
    #[arg(long, value_name = "TIME", value_parser = moment, conflicts_with = "gaps")]
    to: Option<Millis>,
    /// Read all hours that have a gap, instead of --from and --to
    #[arg(long)]
    gaps: bool,
    /// Only this log; repeat for several [default: all configured logs]
    #[arg(long = "log", value_name = "LOG", value_parser = LogType::named, value_delimiter = ',')]
    logs: Vec<LogType>,
    /// Allow duplicates: deliver rows again whose ids are no longer in the ledger
    #[arg(long)]
    resend: bool,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

const AFTER: &str = "A backfill may run beside the function app, with the same settings, and makes half as many requests per minute. \
                     Rerun the same command to resume. Rows carry ingest_kind \"backfill\".";

fn moment(text: &str) -> Result<Millis, String> {
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok();
    let day = day.and_then(|day| Hour::parse(&format!("{day}T00")));
    day.or_else(|| Hour::parse(text))
        .map(Hour::start)
        .or_else(|| Millis::parse(text))
        .ok_or_else(|| "use 2026-11-01, 2026-11-01T10 or 2026-11-01T10:30:00Z (UTC)".to_owned())
}

pub(super) async fn backfill(arguments: &Arguments) -> Result<(), u8> {
    let collector = super::collector(arguments.json)?;
    if let (Some(from), Some(to)) = (arguments.from, arguments.to)
        && to <= from
    {
        output::error("--to must be later than --from", None);
        return Err(super::USAGE);
    }
    let plans = plan(&collector, arguments).await;
    let mut plans = plans.map_err(|(log_type, error)| {
        output::error(&format!("{log_type}: {error}"), error.hint());
        match error {
            BackfillError::State(_) => super::FAILED,
            _ => super::USAGE,
        }
    })?;
    if (plans.is_empty() && !arguments.gaps) || (!arguments.resend && has_duplicates(&plans)) {
        return Err(super::USAGE);
    }
    plans.sort_by_key(|plan| (plan.backfill.log_type, plan.backfill.span.from));
    let done = run(&collector, &plans, arguments.resend).await;
    if arguments.json {
        output::json(&done);
    } else {
        show(&done);
    }
    super::failed_unless(done.iter().all(Done::is_complete))
}

/// Plans the backfills. A log with nothing to read is reported and skipped.
async fn plan(
    collector: &Collector,
    arguments: &Arguments,
) -> Result<Vec<BackfillPlan>, (LogType, BackfillError)> {
    let now = collector.now();
    let logs =
        if arguments.logs.is_empty() { &collector.settings.log_types } else { &arguments.logs };
    let mut plans = Vec::new();
    for &log_type in logs {
        let spans = if let Some(from) = arguments.from {
            vec![(from, arguments.to)]
        } else {
            let gaps = collector.gaps(log_type, now).await;
            let gaps = gaps.map_err(|error| (log_type, error.into()))?;
            gaps.iter().map(|gap| (gap.from, Some(gap.to))).collect()
        };
        for (from, to) in spans {
            match collector.plan_backfill(log_type, from, to, now).await {
                Ok(plan) => plans.push(plan),
                Err(error @ (BackfillError::NotYet { .. } | BackfillError::Unavailable)) => {
                    output::talk(format!("{log_type}: {error}"));
                }
                Err(error) => return Err((log_type, error)),
            }
        }
    }
    Ok(plans)
}

/// Reports rows that would be duplicated. Returns whether there are any.
fn has_duplicates(plans: &[BackfillPlan]) -> bool {
    let mut has_duplicates = false;
    for plan in plans {
        for (count, what) in [
            (
                plan.duplicates,
                "rows of the span were delivered before, and the ledger no longer has their ids",
            ),
            (
                plan.unknown_hours,
                "hours of the span were collected before, and the ledger no longer has their ids",
            ),
        ] {
            if count > 0 {
                has_duplicates = true;
                let (log_type, count) = (plan.backfill.log_type, number(count));
                output::talk(format!("{log_type}: {count} {what}"));
            }
        }
    }
    if has_duplicates {
        output::error(
            "this backfill would deliver duplicates, with the same event_uid",
            Some("add --resend to deliver them again, or narrow the span"),
        );
    }
    has_duplicates
}

/// Runs the backfills: logs concurrently, the spans of a log in order.
async fn run(collector: &Collector, plans: &[BackfillPlan], resend: bool) -> Vec<Done> {
    let shutdown = &CancellationToken::new();
    let progress = &MultiProgress::new();
    let logs = plans.chunk_by(|one, other| one.backfill.log_type == other.backfill.log_type);
    let all = join_all(logs.map(async |plans| {
        let mut done = Vec::new();
        for plan in plans {
            let job = Job::new(collector, *plan, resend, shutdown, progress);
            done.push(job.run().await);
        }
        done
    }));
    let done = until_shutdown(all, shutdown, || {
        let line = "shutdown requested: stopping after the current batch; rerun the same command to resume";
        progress.suspend(|| output::talk(line));
    });
    let done = done.await;
    // The result table replaces the bars.
    progress.clear().ok();
    done.into_iter().flatten().collect()
}

fn show(all: &[Done]) {
    if all.is_empty() {
        output::data("nothing to read: the ledger has no gap");
        return;
    }
    let header = [
        "log",
        "from",
        "to",
        "outcome",
        "events",
        "deduplicated",
        "pages",
        "complete hours",
        "gap",
        "unknown",
    ];
    let rows = all.iter().map(|done| {
        [
            done.log_type.to_string(),
            Hour::of(done.span.from).to_string(),
            Hour::of(done.span.to).to_string(),
            done.outcome.to_string(),
            number(done.counts.events),
            number(done.counts.deduplicated),
            number(done.counts.pages),
            number(done.hours.verified),
            number(done.hours.gap),
            number(done.hours.unknown),
        ]
    });
    output::data(output::table(header, rows, 4));
    for done in all {
        let lines = done.warnings.iter().chain(&done.why.message);
        output::about(done.log_type, lines, done.why.hint.as_deref());
    }
}

#[cfg(test)]
mod tests {
    use super::moment;
    use crate::model::Millis;

    #[test]
    fn a_day_an_hour_and_a_time_are_parsed() {
        let noon = Ok(Millis(1_795_348_800_000));
        assert_eq!(moment("2026-11-22T12"), noon);
        assert_eq!(moment("2026-11-22T12:00:00Z"), noon);
        assert_eq!(moment("2026-11-22T13:00:00+01:00"), noon);
        assert_eq!(moment("2026-11-22"), Ok(Millis(1_795_305_600_000)));
        for invalid in ["yesterday", "2026-13-01", "22.11.2026", "2026-11-22T25", ""] {
            assert!(moment(invalid).is_err(), "{invalid}");
        }
    }
}
