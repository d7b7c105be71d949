//! The core, told what was read: whatever stands in it, the run comes to an end.

use std::collections::BTreeSet;

use duo_sentinel::model::{HOUR, LogType, MINUTE, Millis, Paging};
use duo_sentinel::sync::{Action, Bucket, Checkpoint, Event, Limits, LogRun, PageSeen, Span};

/// 2026-11-23T12:00:00Z.
pub(crate) const NOW: Millis = Millis(1_795_435_200_000);
/// Actions after which a run of one page would never end.
const MOST_ACTIONS: u32 = 20_000;

/// One run from the beginning that is given this page, and then empty ones.
pub(crate) fn take(log_type: LogType, page: PageSeen) {
    run(limits(log_type), None, page);
}

/// One run that goes on from this checkpoint while Duo has nothing new.
pub(crate) fn go_on(log_type: LogType, checkpoint: &Checkpoint) {
    run(limits(log_type), Some(checkpoint), PageSeen::default());
}

/// One run of a backfill of this span that goes on from this place while Duo has nothing.
pub(crate) fn go_on_backfill(log_type: LogType, span: Span, checkpoint: &Checkpoint) {
    let limits = Limits {
        backfill: Some(span),
        ..limits(log_type)
    };
    run(limits, Some(checkpoint), PageSeen::default());
}

fn run(limits: Limits, checkpoint: Option<&Checkpoint>, page: PageSeen) {
    let mut run = LogRun::new(limits, NOW + 50_000, fastrand::Rng::with_seed(7));
    let mut now = NOW;
    let mut next_page = Some(page);
    let mut records = 0;
    let mut sent = BTreeSet::new();
    let mut event = Event::Started;
    for _ in 0..MOST_ACTIONS {
        now = now + 10;
        event = match run.step(event, now, false) {
            Action::Stop(_) => return,
            Action::Load => Event::Loaded {
                checkpoint: checkpoint.cloned().map(Box::new),
                claim_is_dead: true,
            },
            Action::Save(checkpoint) => {
                let stored = Checkpoint::from_json(&checkpoint.to_json());
                assert!(stored.is_ok(), "{checkpoint:?} could not be read again");
                Event::Saved
            }
            Action::Draw(_) => Event::Drawn {
                wait: None,
                account: Bucket::full(1, now),
            },
            Action::Fetch(request) => {
                // As they go into the question and the logs.
                let _shown = (request.mintime.to_string(), request.maxtime.to_string());
                let page = next_page.take().unwrap_or_default();
                records = page.records.len();
                sent.clear();
                Event::Fetched {
                    page,
                    server_time: Some(now),
                }
            }
            Action::Recall(hours) => {
                for hour in hours {
                    assert!(!hour.to_string().contains('/'));
                }
                Event::Recalled(vec![false; records])
            }
            Action::Send(shipment) => {
                for index in shipment.records {
                    assert!(index < records, "no record {index}");
                    assert!(sent.insert(index), "record {index} twice");
                }
                Event::Accepted
            }
            Action::Record(ids) => {
                for (hour, _) in ids {
                    assert!(!hour.to_string().contains('/'));
                }
                Event::Recorded
            }
            Action::KeepOriginals(_) | Action::SetAside(_) => Event::SetAside,
            Action::Tally(hours) => Event::Tallied(vec![0; hours.len()]),
            Action::Conclude(_) => Event::Concluded,
            Action::Wait(milliseconds) => {
                now = now + milliseconds;
                Event::Waited
            }
        };
    }
    panic!("a run without an end");
}

fn limits(log_type: LogType) -> Limits {
    let spec = log_type.spec();
    Limits {
        cursor_paging: matches!(spec.paging, Paging::Cursor { .. }),
        sorted: matches!(spec.paging, Paging::Cursor { sorted: true, .. }),
        sweeps: true,
        may_be_retired: spec.may_be_retired,
        settle: 3 * MINUTE,
        window: HOUR,
        calls_per_minute: 0,
        park: MINUTE,
        max_call_bytes: 1_000_000,
        first_mintime: NOW - 24 * HOUR,
        backfill: None,
        owner: "fuzz".to_owned(),
        destination: "workspace".to_owned(),
    }
}
