//! Finding a v1 event, which has no identifier, by its whole content.

use std::hash::{DefaultHasher, Hasher};
use std::ops::Range;

use crate::events::Events;
use crate::json::{Json, Members};

/// Hashes of the contents of all events of a v1 log, sorted.
#[derive(Debug)]
pub(super) struct Contents(Vec<(u64, u32)>);

impl Contents {
    pub(super) fn of(events: &Events) -> Self {
        let mut record = String::new();
        let mut hashes = Vec::with_capacity(events.count() as usize);
        for index in 0..events.count() {
            record.clear();
            events.write_record(index, &mut record);
            let value = Json::parse(&record).expect("a record written here is JSON");
            hashes.push((hash(&value), index));
        }
        hashes.sort_unstable();
        Self(hashes)
    }

    /// The indexes of the events with exactly this content; more than one for identical records.
    pub(super) fn find<'a>(&self, members: Members<'a>) -> (Vec<u32>, Json<'a>) {
        let value = Json::Object(members);
        let hash = hash(&value);
        let first = self.0.partition_point(|(other, _)| *other < hash);
        let last = self.0.partition_point(|(other, _)| *other <= hash);
        let found: Range<usize> = first..last;
        (self.0[found].iter().map(|(_, index)| *index).collect(), value)
    }
}

fn hash(value: &Json<'_>) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash_into(&mut hasher);
    hasher.finish()
}
