//! Live collection: consecutive windows from the checkpoint to the present minus the window delay.

use chrono::TimeDelta;

use super::checkpoint::Checkpoint;
use super::dedup::PageFacts;
use super::deliver::{PageToDeliver, deliver};
use super::fetch::{NoPage, fetch};
use super::outcome::{Failure, RunOutcome, WindowError};
use super::paging::AfterPage;
use super::ports::Ports;
use super::results::{Basis, conclude};
use super::schedule::{Reading, full_reading_due_until};
use super::state::Run;
use super::stop::Stop;
use super::window::Window;
use crate::model::{MINUTE, Millis, PageResponse};

/// The windows of a log that is behind grow up to 1,024 times, within the setting.
const MOST_DOUBLINGS: u32 = 10;
/// A window of this many pages is long enough; a longer one would only cost more if it is restarted.
const MANY_PAGES: u32 = 20;

/// Selects the live window: the current, the stored, or the next one. Returns whether there is one.
pub(super) fn plan<P: Ports>(run: &mut Run<'_, P>, now: Millis) -> bool {
    if run.live.window.is_some() {
        return true;
    }
    run.live.is_done |= run.config.backfill.is_some();
    if run.live.is_done {
        return false;
    }
    let is_first = !std::mem::replace(&mut run.live.is_planned, true);
    let not_before = is_first.then_some(run.checkpoint.collected_from.max(run.oldest));
    let mintime = run.checkpoint.mintime.max(run.oldest);
    let stored = run.checkpoint.window.take();
    // A window that starts later was planned by a clock ahead; it would skip earlier events.
    let stored =
        stored.filter(|window| is_first && window.from >= run.oldest && window.mintime <= mintime);
    let window = stored.or_else(|| following(run, mintime, not_before, now));
    run.live.is_done = window.is_none();
    run.live.window = window;
    run.live.window.is_some()
}

/// The window after `mintime`; `not_before` is given for the first one of a run.
fn following<P: Ports>(
    run: &Run<'_, P>,
    mintime: Millis,
    not_before: Option<Millis>,
    now: Millis,
) -> Option<Window> {
    let horizon = now - run.clock_ahead - run.config.limits.window_delay;
    // Later events are left to the next run; otherwise the windows would get ever shorter.
    if not_before.is_none() && horizon - mintime < MINUTE {
        return None;
    }
    // A v1 endpoint has no upper bound: a shorter window would fetch the same records again. While
    // a record is refused or fails, the next event must be within reach of this run.
    let must_reach_on = run.refused.are_waiting() || run.is_stuck;
    let longest = if run.config.spec.paging.has_cursor() && !must_reach_on {
        let limits = &run.config.limits;
        let doubled = limits.first_window * (1 << run.checkpoint.doublings.min(MOST_DOUBLINGS));
        doubled.min(limits.longest_window)
    } else {
        TimeDelta::MAX
    };
    // The last window of a log that is behind ended so long ago that no event appears late there.
    let not_before = not_before.filter(|_| run.checkpoint.doublings == 0);
    let mut window = Window::next(mintime, horizon, longest, not_before)?;
    // A window holds only hours that are due for their full reading, or none of them.
    let due_until = full_reading_due_until(horizon).previous();
    if run.config.spec.paging.has_counts() && !must_reach_on && due_until > mintime {
        window.maxtime = window.maxtime.min(due_until);
    }
    Some(window)
}

/// Reads and delivers the next page of the current window, and saves the progress.
pub(super) async fn read_page<P: Ports>(run: &mut Run<'_, P>) -> Result<(), Stop> {
    let request = window(run).request(false);
    let page = match fetch(run, request).await {
        Ok(page) => page,
        Err(NoPage::CursorRefused(_)) => return restart(run, WindowError::CursorRefused).await,
        Err(NoPage::Refused(error)) => return Err(Stop::failed(Failure::Duo, error)),
        Err(NoPage::Stop(stop)) => return Err(stop),
    };
    run.stats.counts.pages += 1;
    let paging = run.config.spec.paging;
    let may_update = window(run).is_whole(&page, paging);
    let PageResponse { records, cursor, total, server_time, limit } = page;
    let shown_through = run.shown_through(server_time);
    let take_through = window(run).take_through(paging, shown_through);
    let page = PageToDeliver { records, take_through, kind: None, may_update };
    let facts = deliver(run, page).await?.facts;
    run.hold_position();
    if !paging.has_cursor() {
        return advance_second(run, &facts, take_through).await;
    }
    match window(run).advance(&facts, cursor, total, paging, limit) {
        AfterPage::NextPage => run.commit().await,
        AfterPage::Complete => close_window(run, true).await,
        AfterPage::Broken(error) => restart(run, error).await,
    }
}

async fn advance_second<P: Ports>(
    run: &mut Run<'_, P>,
    facts: &PageFacts,
    take_through: Millis,
) -> Result<(), Stop> {
    let mut open = run.live.window.take().expect("a page belongs to an open window");
    let (is_over, truncated) = open.advance_second(facts, take_through);
    run.remember_truncated(truncated);
    run.remember_gap_before(open.mintime);
    run.checkpoint.mintime = run.checkpoint.mintime.max(open.from);
    run.live.is_done = is_over;
    run.live.window = (!is_over).then_some(open);
    run.commit().await
}

fn window<'r, P: Ports>(run: &'r mut Run<'_, P>) -> &'r mut Window {
    run.live.window.as_mut().expect("a page belongs to an open window")
}

/// Restarts the window once. If Duo again returns fewer records than it counts, the window is
/// closed, and reconciliation finds the incomplete hours. If its cursors fail again, the log stops.
async fn restart<P: Ports>(run: &mut Run<'_, P>, error: WindowError) -> Result<(), Stop> {
    let paging = run.config.spec.paging;
    let open = window(run);
    match open.restart(error, paging) {
        Some(warning) => {
            run.stats.warnings.push(warning);
            Ok(())
        }
        None if error == WindowError::CountShort => {
            let warning = open.count_disagrees();
            run.stats.warnings.push(warning);
            close_window(run, false).await
        }
        None => Err(Stop::at(RunOutcome::Failed(Failure::Window(error)))),
    }
}

/// Closes the window. Hours that were old enough when it was read need no other full reading.
async fn close_window<P: Ports>(run: &mut Run<'_, P>, is_complete: bool) -> Result<(), Stop> {
    let open = run.live.window.take().expect("only an open window is closed");
    run.remember_gap_before(open.mintime);
    run.warn_of_missing_cursors(&open);
    // If Duo's clock is far behind the local one, nothing closes: Duo still withholds the window.
    run.checkpoint.mintime = run.checkpoint.mintime.max(open.next_mintime());
    run.live.is_done = following(run, run.checkpoint.mintime, None, run.now()).is_none();
    if run.live.is_done {
        run.checkpoint.doublings = 0;
    } else if open.pages < MANY_PAGES || run.checkpoint.doublings == 0 {
        run.checkpoint.doublings = (run.checkpoint.doublings + 1).min(MOST_DOUBLINGS);
    }
    let Checkpoint { reconciliation, collected_from, .. } = &run.checkpoint;
    let may_conclude = is_complete && run.config.spec.paging.has_counts() && run.reading.is_none();
    match Reading::of_live(&open, reconciliation, *collected_from) {
        Some(reading) if may_conclude && !run.refused.are_waiting() => {
            conclude(run, &reading, Basis::Reading).await
        }
        _ => run.commit().await,
    }
}
