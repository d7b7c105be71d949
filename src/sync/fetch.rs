//! Requests a page: rate limit, retries, refusals.

use chrono::TimeDelta;

use super::checkpoint::BackOffCause;
use super::outcome::{RunOutcome, Warning};
use super::ports::Ports;
use super::state::{LONGEST_RATE_WAIT, Run};
use super::stop::{LastWrite, Stop};
use crate::model::{FetchError, FetchErrorKind, Millis, PageRequest, PageResponse, Tries};

const FIRST_PAUSE: TimeDelta = TimeDelta::milliseconds(500);
const LONGEST_PAUSE: TimeDelta = TimeDelta::seconds(15);
/// Tries after malformed responses, before the log stops.
const MALFORMED_TRIES: u32 = 3;
/// A local clock that is ahead by more than this is reported.
const CLOCK_AHEAD_REPORTED: TimeDelta = TimeDelta::seconds(30);

pub(super) enum NoPage {
    Stop(Stop),
    /// Duo refuses the request, and a retry does not help.
    Refused(FetchError),
    /// Duo refuses a request with a cursor that Duo returned.
    CursorRefused(FetchError),
}

impl From<Stop> for NoPage {
    fn from(stop: Stop) -> Self {
        Self::Stop(stop)
    }
}

pub(super) struct Attempts {
    began_at: Millis,
    count: u32,
}

impl Attempts {
    pub(super) const fn new(began_at: Millis) -> Self {
        Self { began_at, count: 0 }
    }

    pub(super) fn failed(&mut self, now: Millis) -> Tries {
        self.count += 1;
        Tries { count: self.count, elapsed: now - self.began_at }
    }

    /// Whether the request has failed an even number of times. A failure without a pause, which
    /// ends the run, counts together with one that ended the last run.
    pub(super) fn have_failed_twice<P: Ports>(
        &self,
        run: &Run<'_, P>,
        pause: Option<TimeDelta>,
        cause: BackOffCause,
    ) -> bool {
        let failed_before = run.checkpoint.back_off.is_some_and(|before| before.cause == cause);
        self.count.is_multiple_of(2) || pause.is_none() && failed_before
    }

    /// The pause before the next try, or `None` if the run has no time left for it.
    pub(super) fn pause<P: Ports>(&self, run: &Run<'_, P>) -> Option<TimeDelta> {
        let doubled = FIRST_PAUSE * (1 << self.count.saturating_sub(1).min(10));
        let longest = doubled.min(LONGEST_PAUSE).num_milliseconds();
        let pause = TimeDelta::milliseconds(run.ports.random(longest / 2..=longest));
        (run.now() + pause < run.deadline).then_some(pause)
    }
}

/// Requests a page within the rate limits. Retries transient errors, newly signed, during the run.
pub(super) async fn fetch<P: Ports>(
    run: &mut Run<'_, P>,
    mut request: PageRequest,
) -> Result<PageResponse, NoPage> {
    let mut attempts = Attempts::new(run.now());
    let mut is_resigned = false;
    take_token(run).await?;
    // A request for a count is as small as it can be.
    let is_page = request.limit.is_none();
    loop {
        if is_page && run.checkpoint.halvings.page > 0 {
            request.limit = run.page_limit();
        }
        request.timeout = run.checkpoint.timeout();
        run.stats.counts.requests += 1;
        let live = &mut run.checkpoint.reconciliation.live_requests;
        *live = if request.is_reconciliation { 0 } else { live.saturating_add(1) };
        let began_at = run.now();
        let mut error = match run.ports.fetch_page(&request).await {
            Ok(page) => {
                let elapsed = run.now() - began_at;
                if run.checkpoint.shorten_timeout(elapsed) && is_page {
                    run.checkpoint.halvings.page /= 2;
                }
                run.checkpoint.answered = true;
                run.checkpoint.unavailable = None;
                note_clock(run, page.server_time);
                return Ok(page);
            }
            Err(error) => error,
        };
        error.tries = attempts.failed(run.now());
        match error.kind {
            FetchErrorKind::Throttled { retry_after } => {
                run.stats.counts.throttled += 1;
                return Err(run.back_off(retry_after, BackOffCause::DuoThrottled, error).into());
            }
            // A shutdown aborts the request.
            FetchErrorKind::Unreachable | FetchErrorKind::TimedOut | FetchErrorKind::Malformed
                if run.ports.is_shutdown_requested() =>
            {
                return Err(Stop::at(RunOutcome::ShutdownRequested).into());
            }
            FetchErrorKind::Unreachable | FetchErrorKind::TimedOut => {
                if error.kind == FetchErrorKind::TimedOut {
                    run.checkpoint.lengthen_timeout();
                }
                let pause = attempts.pause(run);
                if is_page && attempts.have_failed_twice(run, pause, BackOffCause::DuoUnreachable) {
                    run.halve_page();
                }
                let Some(pause) = pause else {
                    return Err(run.back_off(None, BackOffCause::DuoUnreachable, error).into());
                };
                pause_and_retry(run, pause).await?;
            }
            FetchErrorKind::TooLarge
                if is_page && run.page_limit().is_some_and(|limit| limit > 1) =>
            {
                run.halve_page();
                take_token(run).await?;
            }
            FetchErrorKind::Malformed => match attempts.pause(run) {
                Some(pause) if error.tries.count < MALFORMED_TRIES => {
                    pause_and_retry(run, pause).await?;
                }
                _ => return Err(NoPage::Refused(error)),
            },
            // One retry with a new date and signature: an outdated date is refused like a wrong key.
            FetchErrorKind::Credentials if !is_resigned => {
                is_resigned = true;
                run.stats.counts.retries += 1;
            }
            FetchErrorKind::Credentials => return Err(Stop::credentials(run.now(), error).into()),
            FetchErrorKind::Forbidden
                if run.config.spec.may_be_retired || !run.checkpoint.answered =>
            {
                return Err(unavailable(error).into());
            }
            FetchErrorKind::Gone if run.config.spec.may_be_retired => {
                return Err(unavailable(error).into());
            }
            FetchErrorKind::Rejected if request.cursor.is_some() => {
                return Err(NoPage::CursorRefused(error));
            }
            FetchErrorKind::Forbidden
            | FetchErrorKind::Gone
            | FetchErrorKind::Rejected
            | FetchErrorKind::TooLarge
            | FetchErrorKind::Fatal => return Err(NoPage::Refused(error)),
        }
    }
}

fn unavailable(error: FetchError) -> Stop {
    Stop {
        error: Some(Box::new(error.into())),
        last_write: LastWrite::Unavailable,
        ..Stop::at(RunOutcome::Unavailable { report: false })
    }
}

async fn pause_and_retry<P: Ports>(run: &mut Run<'_, P>, pause: TimeDelta) -> Result<(), Stop> {
    run.pause(pause).await;
    take_token(run).await
}

/// Takes a token of the log and the account. Ends the run if the wait is too long.
async fn take_token<P: Ports>(run: &mut Run<'_, P>) -> Result<(), Stop> {
    let rate = run.config.limits.requests_per_minute;
    loop {
        if run.ports.is_shutdown_requested() {
            return Err(Stop::at(RunOutcome::ShutdownRequested));
        }
        let now = run.now();
        if now >= run.deadline {
            return Err(Stop::at(RunOutcome::OutOfTime));
        }
        let before = run.checkpoint.rate.log;
        let mut taken = run.checkpoint.rate.log.take(rate, 1, now);
        if taken.is_ok() && rate > 0 {
            (taken, run.checkpoint.rate.account) =
                run.ports.take_account_token(run.checkpoint.rate.account);
            if taken.is_err() {
                run.checkpoint.rate.log = before;
            }
        }
        match taken {
            Ok(()) => return Ok(()),
            Err(wait) if wait > LONGEST_RATE_WAIT || now + wait >= run.deadline => {
                return Err(Stop::at(RunOutcome::RateLimited));
            }
            Err(wait) => run.ports.sleep(wait).await,
        }
    }
}

/// Notes by how much the local clock is ahead: Duo withholds the last two minutes by its clock.
fn note_clock<P: Ports>(run: &mut Run<'_, P>, server_time: Option<Millis>) {
    let now = run.now();
    let ahead = now - server_time.map_or(now, |time| time.min(now));
    if ahead > CLOCK_AHEAD_REPORTED && run.clock_ahead <= CLOCK_AHEAD_REPORTED {
        run.stats.warnings.push(Warning::ClockAhead(ahead));
    }
    run.clock_ahead = run.clock_ahead.max(ahead);
}
