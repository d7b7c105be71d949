//! Deduplicates the records of a page and groups the new ones into batches.

use std::collections::VecDeque;

use chrono::TimeDelta;
use rustc_hash::{FxBuildHasher, FxHashSet};

use crate::model::{Batch, IngestKind, Millis, Record};

/// Live rows older than this are marked as backfill, for alert rules on recent activity.
const BACKFILL_AGE: TimeDelta = TimeDelta::hours(48);

/// Selects the records of a page to deliver, and their [`IngestKind`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Deduplicator {
    /// Start of the unread span: new records before it are late events.
    pub(super) closed_before: Millis,
    /// Later records are left to a later run.
    pub(super) take_through: Millis,
    /// The kind of every row; `None` derives it from the event time.
    pub(super) kind: Option<IngestKind>,
    pub(super) now: Millis,
    pub(super) max_batch_bytes: usize,
}

#[derive(Debug, Default)]
pub(super) struct SortedPage {
    pub(super) batches: VecDeque<Batch>,
    pub(super) facts: PageFacts,
}

/// Counts and times of a page.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct PageFacts {
    /// Event times of all records, in Duo's order.
    pub(super) times: Vec<Option<Millis>>,
    pub(super) fresh: usize,
    pub(super) known: usize,
    /// Newest event time, without the records left to a later run.
    pub(super) newest: Option<Millis>,
}

impl PageFacts {
    pub(super) fn rows(&self) -> usize {
        self.times.len()
    }

    /// Records at or before `take_through`.
    pub(super) fn taken(&self) -> usize {
        self.fresh + self.known
    }
}

impl Deduplicator {
    /// Deduplicates a page. Records with equal id and content are one event.
    pub(super) fn sort(
        &self,
        mut records: Vec<Record>,
        is_known: impl Fn(&Record) -> bool,
    ) -> SortedPage {
        let mut page = SortedPage::default();
        page.facts.times = records.iter().map(Record::time).collect();
        // The v1 endpoints document no order; other pages are sorted already.
        records.sort_by_key(Record::time);
        // Keys are parts of a SHA-256, so no sender can craft collisions in this fast hash.
        let mut keys = FxHashSet::with_capacity_and_hasher(records.len(), FxBuildHasher);
        let mut bytes = 0;
        for record in records {
            let time = record.time();
            if time.is_some_and(|time| time > self.take_through) {
                continue;
            }
            page.facts.newest = page.facts.newest.max(time);
            if is_known(&record) || !keys.insert(record.key) {
                page.facts.known += 1;
                continue;
            }
            page.facts.fresh += 1;
            let kind = match record.replaces {
                Some(_) => IngestKind::Update,
                None => self.kind.unwrap_or_else(|| self.kind_at(time)),
            };
            // Two bytes more than the row: the comma and one bracket.
            let cost = record.row_bytes + 2;
            match page.batches.back_mut() {
                Some(last) if last.kind == kind && bytes + cost <= self.max_batch_bytes => {
                    last.records.push(record);
                    bytes += cost;
                }
                _ => {
                    page.batches.push_back(Batch { records: vec![record], kind });
                    bytes = cost;
                }
            }
        }
        page
    }

    fn kind_at(&self, time: Option<Millis>) -> IngestKind {
        match time {
            Some(time) if time < self.closed_before => IngestKind::Late,
            Some(time) if self.now - time > BACKFILL_AGE => IngestKind::Backfill,
            _ => IngestKind::Live,
        }
    }
}

/// The kind of a row with event time `time` that is sent again at `now`, after its window closed.
pub(crate) fn kind_when_resent(time: Option<Millis>, now: Millis) -> IngestKind {
    match time {
        Some(time) if now - time > BACKFILL_AGE => IngestKind::Backfill,
        _ => IngestKind::Late,
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::{Deduplicator, PageFacts, SortedPage, kind_when_resent};
    use crate::model::{HOUR, IngestKind, Millis};
    use crate::sync::tests::record::{numbers, record, record_of};

    const NOW: Millis = Millis(1_795_348_800_000);

    fn deduplicator() -> Deduplicator {
        Deduplicator {
            closed_before: NOW - HOUR * 10,
            take_through: NOW,
            kind: None,
            now: NOW,
            max_batch_bytes: 399,
        }
    }

    fn batches(page: &SortedPage) -> Vec<Vec<u64>> {
        page.batches.iter().map(|batch| numbers(&batch.records)).collect()
    }

    #[test]
    fn batches_stay_below_the_limit_without_known_rows() {
        let records = (1..=6)
            .map(|number| record(number, NOW - TimeDelta::milliseconds(number.cast_signed())));
        let records = records.map(|record| record_of(record, 98)).collect();
        let page = deduplicator().sort(records, |record| numbers([record]) == [2]);
        assert_eq!(batches(&page), [vec![6, 5, 4], vec![3, 1]]);
        assert_eq!((page.facts.fresh, page.facts.known, page.facts.taken()), (5, 1, 6));
    }

    #[test]
    fn a_row_larger_than_the_limit_is_sent_alone() {
        let sizes = [98, 10_000, 98];
        let records = (1..).zip(sizes).map(|(number, size)| record_of(record(number, NOW), size));
        let page = deduplicator().sort(records.collect(), |_| false);
        assert_eq!(batches(&page), [[1], [2], [3]]);
    }

    #[test]
    fn records_after_take_through_are_left_to_a_later_run() {
        let records = vec![record(1, NOW.previous()), record(2, NOW), record(3, NOW.next())];
        let PageFacts { newest, times, .. } = &deduplicator().sort(records, |_| false).facts;
        assert_eq!((*newest, times.len()), (Some(NOW), 3));
    }

    #[test]
    fn a_duplicate_on_a_page_is_sent_once_and_an_update_is_sent_too() {
        let mut changed = record(1, NOW);
        changed.key.content = [7; 4];
        let page = deduplicator().sort(vec![record(1, NOW), record(1, NOW), changed], |_| false);
        assert_eq!((page.facts.fresh, page.facts.known), (2, 1));
    }

    #[test]
    fn kinds_depend_on_the_event_time_and_never_share_a_batch() {
        let records = vec![record(1, NOW - HOUR * 11), record(2, NOW - HOUR)];
        let page = deduplicator().sort(records, |_| false);
        let kinds: Vec<IngestKind> = page.batches.iter().map(|batch| batch.kind).collect();
        assert_eq!(kinds, [IngestKind::Late, IngestKind::Live]);
        let kind = |deduplicator: Deduplicator, time| {
            deduplicator.sort(vec![record(1, time)], |_| false).batches[0].kind
        };
        assert_eq!(kind(deduplicator(), NOW - HOUR * 10), IngestKind::Live);
        assert_eq!(kind(deduplicator(), (NOW - HOUR * 10).previous()), IngestKind::Late);
        let old = Deduplicator { closed_before: NOW - HOUR * 99, ..deduplicator() };
        assert_eq!(kind(old, (NOW - HOUR * 48).previous()), IngestKind::Backfill);
        assert_eq!(kind(old, NOW - HOUR * 48), IngestKind::Live);
    }

    #[test]
    fn a_resent_row_is_late_and_backfill_after_two_days() {
        let kind = |age| kind_when_resent(Some(NOW - age), NOW);
        assert_eq!(kind(HOUR * 48), IngestKind::Late);
        assert_eq!(kind(HOUR * 48 + TimeDelta::milliseconds(1)), IngestKind::Backfill);
        assert_eq!(kind_when_resent(None, NOW), IngestKind::Late);
    }

    #[test]
    fn halving_stops_at_a_single_row() {
        let page =
            deduplicator().sort((4..=6).map(|number| record(number, NOW)).collect(), |_| false);
        let mut batch = page.batches.into_iter().next().unwrap();
        let newer = batch.halve().unwrap();
        assert_eq!((numbers(&batch.records), numbers(&newer.records)), (vec![4], vec![5, 6]));
        assert!(batch.halve().is_none());
        assert_eq!(numbers(&batch.records), [4]);
    }
}
