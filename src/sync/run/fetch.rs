//! Asking Duo: rate, refusals, pauses.

use super::{After, Job, LogRun, OpenPage, Phase, Resume};
use crate::model::{HOUR, Hour, MINUTE, Millis, SECOND};
use crate::sync::bucket::Bucket;
use crate::sync::checkpoint::Unavailable;
use crate::sync::ending::{Ending, Failure, Notice, ParkCause, WindowFault};
use crate::sync::event::{Action, FetchFault, PageRequest, PageSeen};
use crate::sync::page::Sorted;

/// Longest sleep for the rate limit inside a run; waiting for longer is done between runs.
pub(super) const LONGEST_RATE_WAIT: i64 = 5 * SECOND;
/// Pause after refused credentials.
const CREDENTIALS_PARK: i64 = 5 * MINUTE;
/// First backoff after a passing fault.
const FIRST_BACKOFF: i64 = SECOND / 2;
/// Longest backoff after a passing fault.
const LONGEST_BACKOFF: i64 = 15 * SECOND;
/// Tries of a question whose answers are not Duo's envelope.
const GARBLED_TRIES: u32 = 3;
/// A log that Duo refuses is reported once in this time.
const REPORT_EVERY: i64 = 24 * HOUR;
/// A clock that is ahead by more than this is told of: it lengthens what Duo still hides.
const CLOCK_AHEAD_WORTH_TELLING: i64 = 30 * SECOND;

impl LogRun {
    /// Plans the next question and takes a call for it, unless the run is over.
    pub(super) fn ask(&mut self, now: Millis, interrupted: bool) -> Action {
        if interrupted {
            return self.finish(Ending::Interrupted);
        }
        if !self.choose(now) {
            return self.finish(Ending::CaughtUp);
        }
        if let Some(conclusion) = self.conclude_unasked() {
            return conclusion;
        }
        if now >= self.deadline {
            return self.finish(Ending::OutOfTime);
        }
        let calls_per_minute = self.limits.calls_per_minute;
        let checkpoint = self.checkpoint.as_mut().expect("loaded before");
        if let Err(wait) = checkpoint.rate.log.take(calls_per_minute, 1, now) {
            return self.wait_for_rate(wait, now);
        }
        if calls_per_minute == 0 {
            return self.fetch();
        }
        self.phase = Phase::Drawing;
        Action::Draw(self.stored().rate.account)
    }

    /// Takes the answer of the account's bucket.
    pub(super) fn drawn(&mut self, wait: Option<i64>, account: Bucket, now: Millis) -> Action {
        let checkpoint = self.checkpoint.as_mut().expect("loaded before");
        checkpoint.rate.account = account;
        match wait {
            None => self.fetch(),
            Some(wait) => {
                checkpoint.rate.log.give_back(1);
                self.wait_for_rate(wait, now)
            }
        }
    }

    fn wait_for_rate(&mut self, wait: i64, now: Millis) -> Action {
        if wait > LONGEST_RATE_WAIT || now + wait >= self.deadline {
            return self.finish(Ending::OutOfCalls);
        }
        self.phase = Phase::Waiting(Resume::Ask);
        Action::Wait(wait)
    }

    fn fetch(&mut self) -> Action {
        let limit = (self.job == Job::Count).then_some(1);
        self.count_turn();
        let window = &self.open_window().window;
        let request = PageRequest {
            mintime: window.from,
            maxtime: window.maxtime,
            cursor: window.cursor.clone(),
            limit,
            is_check: self.job != Job::Live,
        };
        self.tally.requests += 1;
        self.phase = Phase::Fetching;
        Action::Fetch(request)
    }

    /// Takes a page and asks the ledger which of its records are known.
    pub(super) fn fetched(
        &mut self,
        seen: PageSeen,
        server_time: Option<Millis>,
        now: Millis,
        interrupted: bool,
    ) -> Action {
        self.attempts = 0;
        self.signed_again = false;
        let checkpoint = self.checkpoint.as_mut().expect("loaded before");
        checkpoint.answered = true;
        checkpoint.unavailable = None;

        // Duo hides its last two minutes by its own clock: a local clock that is ahead must not make a window
        // reach into them.
        let duo_now = server_time.map_or(now, |time| time.min(now));
        let ahead = now - duo_now;
        if ahead > CLOCK_AHEAD_WORTH_TELLING && self.clock_ahead <= CLOCK_AHEAD_WORTH_TELLING {
            self.tally.notices.push(Notice::ClockAhead(ahead));
        }
        self.clock_ahead = self.clock_ahead.max(ahead);
        let shown_through = duo_now - self.limits.settle;
        if self.job == Job::Count {
            return self.counted(seen.total, now, interrupted);
        }
        self.tally.pages += 1;
        let cursor_paging = self.limits.cursor_paging;
        let window = &mut self.open_window().window;
        let readable = window.readable_through.unwrap_or(shown_through);
        if cursor_paging {
            window.readable_through = Some(readable);
        }
        // Pages with a cursor end at `maxtime` by themselves, and the ledger knows what is read twice.
        let take_through = if cursor_paging {
            Millis(i64::MAX)
        } else {
            window.maxtime.min(shown_through)
        };

        let mut hours: Vec<_> = seen
            .records
            .iter()
            .map(|record| Hour::of_record(record.time))
            .collect();
        hours.sort_unstable();
        hours.dedup();
        self.page = Some(OpenPage {
            seen,
            take_through,
            sorted: Sorted::default(),
            todo: std::collections::VecDeque::new(),
            kept: std::collections::HashSet::new(),
        });
        if hours.is_empty() {
            return self.recalled(&[], now, interrupted);
        }
        self.phase = Phase::Recalling;
        Action::Recall(hours)
    }

    /// Decides what a refusal means.
    pub(super) fn fetch_failed(
        &mut self,
        fault: FetchFault,
        now: Millis,
        interrupted: bool,
    ) -> Action {
        match fault {
            FetchFault::Throttled { retry_after } => {
                self.tally.throttled += 1;
                self.park_a_while(retry_after, ParkCause::DuoThrottled, now)
            }
            // Not Duo's fault: the question was broken off, or would not be asked again.
            FetchFault::Unreachable | FetchFault::Garbled if interrupted => {
                self.finish(Ending::Interrupted)
            }
            FetchFault::Unreachable => match self.backoff(now) {
                Some(delay) => self.pause(delay, Resume::Ask),
                None => self.park_a_while(None, ParkCause::DuoUnreachable, now),
            },
            FetchFault::Garbled => match self.backoff(now) {
                Some(delay) if self.attempts < GARBLED_TRIES => self.pause(delay, Resume::Ask),
                _ => self.duo_refused(now, interrupted),
            },
            FetchFault::Credentials if !self.signed_again => {
                // Once more, dated and signed anew: a date that aged on the way is refused like a wrong key.
                self.signed_again = true;
                self.tally.retries += 1;
                self.fetch()
            }
            FetchFault::Credentials => {
                let failed = Ending::Failed(Failure::Duo);
                self.park(now + CREDENTIALS_PARK, ParkCause::DuoCredentials, failed)
            }
            FetchFault::Forbidden if self.limits.may_be_retired || !self.stored().answered => {
                self.unavailable(now)
            }
            FetchFault::Gone if self.limits.may_be_retired => self.unavailable(now),
            FetchFault::Rejected if self.has_cursor() => {
                self.restart_window(WindowFault::CursorRefused, now, interrupted)
            }
            FetchFault::Forbidden | FetchFault::Gone | FetchFault::Rejected | FetchFault::Fatal => {
                self.duo_refused(now, interrupted)
            }
        }
    }

    /// What asking again does not help against.
    fn duo_refused(&mut self, now: Millis, interrupted: bool) -> Action {
        if self.job == Job::Live || self.limits.backfill.is_some() {
            self.finish(Ending::Failed(Failure::Duo))
        } else {
            self.check_refused(now, interrupted)
        }
    }

    /// Starts the window again, once a run.
    pub(super) fn restart_window(
        &mut self,
        fault: WindowFault,
        now: Millis,
        interrupted: bool,
    ) -> Action {
        self.page = None;
        let is_live = self.job == Job::Live;
        let open = self.open_window();
        if fault == WindowFault::CountShort {
            // Kept with the window: reading it anew may take more than one run.
            if std::mem::replace(&mut open.window.recounted, true) {
                return if is_live {
                    self.short_again(now, interrupted)
                } else {
                    self.end_reading(Some(fault))
                };
            }
        } else if std::mem::replace(&mut open.restarted, true) {
            return if is_live {
                self.finish(Ending::Failed(Failure::Window(fault)))
            } else {
                self.end_reading(Some(fault))
            };
        }
        self.attempts = 0;
        self.tally.notices.push(Notice::WindowRestarted(fault));
        // Missing records may lie anywhere in the window, and so may those behind a bad cursor where pages come in no
        // promised order.
        let from_beginning = fault == WindowFault::CountShort || !self.limits.sorted;
        let open = self.open_window();
        open.cursors.clear();
        open.window.restart(from_beginning);
        self.ask(now, interrupted)
    }

    fn has_cursor(&self) -> bool {
        let reading = self.reading.as_ref().map(|reading| &reading.open);
        let open = match self.job {
            Job::Live => self.live.as_ref(),
            Job::Count | Job::Read => reading,
        };
        open.is_some_and(|open| open.window.cursor.is_some())
    }

    fn unavailable(&mut self, now: Millis) -> Action {
        let mut draft = self.stored().clone();
        let before = draft.unavailable;
        let report = before.is_none_or(|before| now - before.reported_at >= REPORT_EVERY);
        draft.unavailable = Some(Unavailable {
            since: before.map_or(now, |before| before.since),
            asked_at: now,
            reported_at: if report {
                now
            } else {
                before.map_or(now, |before| before.reported_at)
            },
        });
        draft.claim = None;
        self.save(draft, After::Stop(Ending::Unavailable { report }))
    }

    /// The pause before the next try of a call that failed, or `None` when the run has no time left for it.
    pub(super) fn backoff(&mut self, now: Millis) -> Option<i64> {
        let doubled = FIRST_BACKOFF << self.attempts.min(10);
        self.attempts += 1;
        let longest = doubled.min(LONGEST_BACKOFF);
        let delay = self.chance.i64(longest / 2..=longest);
        (now + delay < self.deadline).then_some(delay)
    }

    pub(super) fn pause(&mut self, delay: i64, resume: Resume) -> Action {
        self.tally.retries += 1;
        self.phase = Phase::Waiting(resume);
        Action::Wait(delay)
    }
}
