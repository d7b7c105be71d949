//! Records that Duo changed in place: each replaces one delivered content of its event.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::model::{EventContent, Record, RecordKey};
use crate::storage::{LedgerUid, ledger_uid};

/// Marks each record with a new content as the replacement of a delivered content of its event that
/// the page no longer has. A record without such a partner is another event with the same id.
///
/// `delivered` has the contents of each event that nothing replaced so far. The page must hold every
/// record of its span: a record that it lacks would otherwise be taken for a changed one.
pub(super) fn pair_updates(
    records: &mut [Record],
    mut delivered: FxHashMap<LedgerUid, Vec<EventContent>>,
) {
    let returned: FxHashSet<RecordKey> = records.iter().map(|record| record.key).collect();
    let mut seen = FxHashSet::default();
    for record in records {
        let Some(contents) = delivered.get_mut(&ledger_uid(&record.key)) else {
            continue;
        };
        let is_new = !contents.contains(&record.key.content) && seen.insert(record.key);
        let is_gone = |content: &EventContent| {
            !returned.contains(&RecordKey { content: *content, ..record.key })
        };
        if let Some(position) = contents.iter().position(is_gone).filter(|_| is_new) {
            record.replaces = Some(contents.remove(position));
        }
    }
}
