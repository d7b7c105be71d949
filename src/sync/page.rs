//! What is new on a page, and in which calls it goes out.

use std::collections::VecDeque;

use rustc_hash::{FxBuildHasher, FxHashSet};

use super::event::{IngestKind, Seen, Shipment};
use crate::model::{HOUR, Millis};

/// Rows older than this when they are sent in their turn are marked as backfill, so that alert rules on recent
/// activity can leave them out.
pub(super) const BACKFILL_AGE: i64 = 48 * HOUR;

/// By what a page is sorted out.
pub(super) struct Sieve {
    /// Everything before this was read before: what is new there came late.
    pub(super) closed_before: Millis,
    /// Records after this wait for a later run.
    pub(super) take_through: Millis,
    /// The kind of every row, where it does not depend on its time.
    pub(super) kind: Option<IngestKind>,
    /// The time of sending.
    pub(super) now: Millis,
    /// Largest request body in bytes.
    pub(super) max_call_bytes: usize,
}

/// What a page holds for us.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Sorted {
    /// Calls to make, oldest rows first.
    pub(super) shipments: VecDeque<Shipment>,
    /// Records not known yet.
    pub(super) fresh: usize,
    /// Records that were delivered before.
    pub(super) known: u64,
    /// Records taken, known or not: those that do not wait for a later run.
    pub(super) taken: usize,
    /// Newest time among the records taken.
    pub(super) newest: Option<Millis>,
}

impl Sieve {
    /// Sorts a page out; `known` says for each record whether the ledger has it.
    pub(super) fn sort(&self, records: &[Seen], known: &[bool]) -> Sorted {
        let mut order: Vec<usize> = (0..records.len()).collect();
        // The v1 endpoints promise no order; where Duo sorts, this changes nothing.
        order.sort_by_key(|&index| records[index].time);
        let mut sorted = Sorted::default();
        // Parts of a SHA-256: nobody can choose ids that collide in a plain hash.
        let mut ids = FxHashSet::with_capacity_and_hasher(records.len(), FxBuildHasher);
        let mut bytes = 0;
        for index in order {
            let record = &records[index];
            if record.time.is_some_and(|time| time > self.take_through) {
                continue;
            }
            sorted.taken += 1;
            sorted.newest = sorted.newest.max(record.time);
            if known[index] || !ids.insert(record.id) {
                sorted.known += 1;
                continue;
            }
            sorted.fresh += 1;
            let kind = self.kind.unwrap_or_else(|| self.kind_at(record.time));
            // Two bytes more than the row: its comma, and one of the brackets.
            let cost = record.bytes + 2;
            match sorted.shipments.back_mut() {
                Some(last) if last.kind == kind && bytes + cost <= self.max_call_bytes => {
                    last.records.push(index);
                    bytes += cost;
                }
                _ => {
                    sorted.shipments.push_back(Shipment {
                        records: vec![index],
                        kind,
                    });
                    bytes = cost;
                }
            }
        }
        sorted
    }

    fn kind_at(&self, time: Option<Millis>) -> IngestKind {
        match time {
            Some(time) if time < self.closed_before => IngestKind::Late,
            Some(time) if self.now - time > BACKFILL_AGE => IngestKind::Backfill,
            _ => IngestKind::Live,
        }
    }
}

/// Cuts a call in two; the error is the position of the only row of a call.
pub(super) fn halve(shipment: &Shipment) -> Result<(Shipment, Shipment), usize> {
    if let [only] = shipment.records[..] {
        return Err(only);
    }
    let (first, second) = shipment.records.split_at(shipment.records.len() / 2);
    let part = |records: &[usize]| Shipment {
        records: records.to_vec(),
        kind: shipment.kind,
    };
    Ok((part(first), part(second)))
}

#[cfg(test)]
mod tests {
    use super::{Sieve, halve};
    use crate::model::{HOUR, Millis};
    use crate::sync::event::{IngestKind, Seen, Shipment};

    const NOW: Millis = Millis(1_795_348_800_000);

    fn seen(id: u8, time: Millis) -> Seen {
        Seen {
            id: [id; 20],
            time: Some(time),
            bytes: 98,
            is_cut: false,
        }
    }

    fn sieve() -> Sieve {
        Sieve {
            closed_before: NOW - 10 * HOUR,
            take_through: NOW,
            kind: None,
            now: NOW,
            max_call_bytes: 399,
        }
    }

    #[test]
    fn calls_stay_below_the_limit_and_known_rows_are_left_out() {
        let records: Vec<Seen> = (1..=6).map(|id| seen(id, NOW - i64::from(id))).collect();
        let sorted = sieve().sort(&records, &[false, true, false, false, false, false]);
        let calls: Vec<Vec<usize>> = sorted
            .shipments
            .into_iter()
            .map(|call| call.records)
            .collect();
        assert_eq!(calls, [vec![5, 4, 3], vec![2, 0]]);
        assert_eq!((sorted.fresh, sorted.known, sorted.taken), (5, 1, 6));
    }

    #[test]
    fn a_row_larger_than_the_limit_goes_alone() {
        let mut records = vec![seen(1, NOW), seen(2, NOW), seen(3, NOW)];
        records[1].bytes = 10_000;
        let sorted = sieve().sort(&records, &[false; 3]);
        let calls: Vec<Vec<usize>> = sorted
            .shipments
            .into_iter()
            .map(|call| call.records)
            .collect();
        assert_eq!(calls, [[0], [1], [2]]);
    }

    #[test]
    fn records_that_duo_may_still_add_to_wait() {
        let records = [seen(1, NOW - 1), seen(2, NOW), seen(3, NOW + 1)];
        let sorted = sieve().sort(&records, &[false; 3]);
        assert_eq!((sorted.taken, sorted.newest), (2, Some(NOW)));
    }

    #[test]
    fn the_same_record_twice_on_a_page_is_sent_once() {
        let sorted = sieve().sort(&[seen(1, NOW), seen(1, NOW)], &[false; 2]);
        assert_eq!((sorted.fresh, sorted.known), (1, 1));
    }

    #[test]
    fn kinds_follow_the_time_and_never_share_a_call() {
        let records = [seen(1, NOW - 11 * HOUR), seen(2, NOW - HOUR)];
        let kinds: Vec<IngestKind> = sieve()
            .sort(&records, &[false; 2])
            .shipments
            .iter()
            .map(|call| call.kind)
            .collect();
        assert_eq!(kinds, [IngestKind::Late, IngestKind::Live]);
        let kind = |sieve: Sieve, time| sieve.sort(&[seen(1, time)], &[false]).shipments[0].kind;
        assert_eq!(kind(sieve(), NOW - 10 * HOUR), IngestKind::Live);
        assert_eq!(kind(sieve(), NOW - 10 * HOUR - 1), IngestKind::Late);
        let old = Sieve {
            closed_before: NOW - 99 * HOUR,
            ..sieve()
        };
        let sorted = old.sort(&[seen(1, NOW - 48 * HOUR - 1)], &[false]);
        assert_eq!(sorted.shipments[0].kind, IngestKind::Backfill);
        let sorted = old.sort(&[seen(1, NOW - 48 * HOUR)], &[false]);
        assert_eq!(sorted.shipments[0].kind, IngestKind::Live);
    }

    #[test]
    fn halving_ends_at_the_single_row() {
        let shipment = |records: &[usize]| Shipment {
            records: records.to_vec(),
            kind: IngestKind::Live,
        };
        assert_eq!(
            halve(&shipment(&[4, 5, 6])),
            Ok((shipment(&[4]), shipment(&[5, 6])))
        );
        assert_eq!(halve(&shipment(&[9])), Err(9));
    }
}
