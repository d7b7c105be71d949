//! Live collection: window after window, from the checkpoint to what Duo returns for sure.

use chrono::TimeDelta;

use super::dedup::Deduplicator;
use super::deliver::deliver;
use super::fetch::{NoPage, fetch};
use super::last_second;
use super::outcome::{Failure, WindowError};
use super::paging::{AfterPage, OpenWindow};
use super::ports::Ports;
use super::refused::hold_position;
use super::run::Run;
use super::stop::Stop;
use super::window::Window;
use crate::model::{MINUTE, Millis, PageResponse, Span};

/// Where live collection stands in this run.
#[derive(Default)]
pub(super) struct Live {
    pub(super) window: Option<OpenWindow>,
    /// Whether a window was planned in this run already.
    is_planned: bool,
    /// Whether everything was read that Duo returned for sure when the run began.
    pub(super) is_done: bool,
}

/// Finds the live window to read: the one at hand, the one a run ended in, or the next one. Returns whether there is one.
pub(super) fn plan<P: Ports>(run: &mut Run<'_, P>, now: Millis) -> bool {
    if run.live.window.is_some() {
        return true;
    }
    run.live.is_done |= run.limits.backfill.is_some();
    if run.live.is_done {
        return false;
    }
    let is_first = !std::mem::replace(&mut run.live.is_planned, true);
    let stored = run.checkpoint.window.take();
    let stored = stored.filter(|window| is_first && window.from >= run.oldest);
    let not_before = is_first.then_some(run.checkpoint.collected_from.max(run.oldest));
    let mintime = run.checkpoint.mintime.max(run.oldest);
    let window = stored.or_else(|| following(run, mintime, not_before, now));
    run.live.is_done = window.is_none();
    run.live.window = window.map(OpenWindow::new);
    run.live.window.is_some()
}

/// The window after `mintime`; `not_before` is given for the first one of a run.
fn following<P: Ports>(
    run: &Run<'_, P>,
    mintime: Millis,
    not_before: Option<Millis>,
    now: Millis,
) -> Option<Window> {
    let horizon = now - run.clock_ahead - run.limits.window_delay;
    // What became readable during this run is left to the next one, or each run would continue with ever shorter windows.
    if not_before.is_none() && horizon - mintime < MINUTE {
        return None;
    }
    // A v1 endpoint has no upper bound: a shorter window would only fetch the same records again. And while refused records
    // wait, the next event, however far it is, must be within the requests of a run.
    let longest = if run.limits.page_order.has_cursor() && !run.refused.are_waiting() {
        run.limits.longest_window
    } else {
        TimeDelta::MAX
    };
    Window::next(mintime, horizon, longest, not_before)
}

/// Reads and delivers the next page of the window at hand, and saves how far the log was read.
pub(super) async fn read_page<P: Ports>(run: &mut Run<'_, P>) -> Result<(), Stop> {
    let request = window(run).request(false);
    let PageResponse {
        records,
        cursor,
        total,
        server_time,
    } = match fetch(run, request).await {
        Ok(page) => page,
        Err(NoPage::CursorRefused(_)) => return restart(run, WindowError::CursorRefused).await,
        Err(NoPage::Refused(error)) => return Err(Stop::failed(Failure::Duo, error)),
        Err(NoPage::Stop(stop)) => return Err(stop),
    };
    run.stats.pages += 1;
    let now = run.now();
    let order = run.limits.page_order;
    let shown_through = server_time.map_or(now, |time| time.min(now)) - run.limits.window_delay;
    let take_through = window(run).take_through(order, shown_through);
    let deduplicator = Deduplicator {
        closed_before: run.checkpoint.mintime,
        take_through,
        kind: None,
        now,
        max_batch_bytes: run.limits.max_batch_bytes,
    };
    let facts = deliver(run, records, deduplicator).await?.facts;
    hold_position(run);
    if !order.has_cursor() {
        return last_second::advance_live(run, &facts, take_through).await;
    }
    match window(run).advance(&facts, cursor, total) {
        AfterPage::NextPage => run.commit().await,
        AfterPage::Complete => close_window(run).await,
        AfterPage::Broken(error) => restart(run, error).await,
    }
}

fn window<'r, P: Ports>(run: &'r mut Run<'_, P>) -> &'r mut OpenWindow {
    run.live
        .window
        .as_mut()
        .expect("a page is read of a window at hand only")
}

/// Starts the window again. Where its records stay fewer than Duo counts, it is closed: reconciliation finds the hours that
/// lack them. Where its cursors stay bad, the log stops.
async fn restart<P: Ports>(run: &mut Run<'_, P>, error: WindowError) -> Result<(), Stop> {
    let order = run.limits.page_order;
    let open = window(run);
    match open.restart(error, order) {
        Some(warning) => {
            run.stats.warnings.push(warning);
            Ok(())
        }
        None if error == WindowError::CountShort => {
            let warning = open.count_disagrees();
            run.stats.warnings.push(warning);
            close_window(run).await
        }
        None => Err(Stop::at(super::RunOutcome::Failed(Failure::Window(error)))),
    }
}

/// The window was read to its end.
async fn close_window<P: Ports>(run: &mut Run<'_, P>) -> Result<(), Stop> {
    let open = run.live.window.take().expect("a window at hand is closed");
    remember_gap(run, open.window.mintime);
    // Where Duo's clock is far behind the local one, nothing closes: the window lies in what Duo hides.
    run.checkpoint.mintime = run.checkpoint.mintime.max(open.window.next_mintime());
    run.live.is_done = following(run, run.checkpoint.mintime, None, run.now()).is_none();
    run.commit().await
}

/// Where a window begins behind the checkpoint, Duo did not keep what lies between.
pub(super) fn remember_gap<P: Ports>(run: &mut Run<'_, P>, began: Millis) {
    let gap = Span {
        from: run.checkpoint.mintime,
        to: began,
    };
    run.checkpoint.reconciliation.remember_gap(gap);
}
