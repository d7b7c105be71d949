//! Identification of the event of a row, by Duo's data alone and not by the added fields.

use serde_json::Value;

use super::compare::{Expected, difference};
use super::ledger::{Ledger, added_text, content_bits, microsecond, uid_bits};
use super::stream::Stream;
use crate::LogType;
use crate::events::{parse_sekey, parse_uuid};
use crate::log_analytics::tables::{TableRow, guid};

/// The result of the identification of a row.
#[derive(Clone, Copy)]
pub(super) enum Found {
    Event(LogType, u32),
    Nothing,
}

impl Ledger {
    /// Identifies the event by Duo's data alone.
    pub(super) fn identify(&self, stream: &mut Stream, added: &TableRow, own: &TableRow) -> Found {
        let text = |name: &str| {
            let suffixes = if name == "isotimestamp" { ["_t", "_s"] } else { ["_g", "_s"] };
            let mut columns = suffixes.iter().filter_map(|it| own.get(&format!("{name}{it}")));
            columns.next().and_then(Value::as_str)
        };
        if let Some(found) = self.by_identifier(text) {
            return found;
        }
        let uid = added_text(added, "event_uid").and_then(uid_bits);
        let key = uid.zip(added_text(added, "event_content").and_then(content_bits));
        for log in [LogType::Administrator, LogType::OfflineEnrollment] {
            let events = self.world.events(log);
            let mut same = stream.find(log, events, own);
            if same.is_empty() {
                let corrupted = self.world.corrupted_of(log).into_iter();
                same.extend(corrupted.filter(|index| {
                    let expected = Expected::of(&events.corrupted_record(*index), stream);
                    difference(&expected, own, "", stream.largest).is_none()
                }));
            }
            if let Some(index) = self.one_of(log, &same, key) {
                return Found::Event(log, index);
            }
        }
        Found::Nothing
    }

    /// Identifies the event by an identifier in the row; `None` without one.
    fn by_identifier<'t>(&self, text: impl Fn(&str) -> Option<&'t str>) -> Option<Found> {
        let by_id = |log: LogType, id: Option<u128>| {
            let index = id.and_then(|id| self.world.events(log).index_of(id));
            index.map_or(Found::Nothing, |index| Found::Event(log, index))
        };
        if let Some(id) = text("activity_id") {
            return Some(by_id(LogType::Activity, uuid_of(id)));
        }
        if let Some(id) = text("telephony_id") {
            return Some(by_id(LogType::Telephony, uuid_of(id)));
        }
        if let Some(id) = text("sekey") {
            return Some(by_id(LogType::TrustMonitor, parse_sekey(id)));
        }
        if let Some(id) = text("txid") {
            let mut found = by_id(LogType::Authentication, uuid_of(id));
            if let Found::Event(log, index) = &mut found {
                let events = self.world.events(*log);
                let time = text("isotimestamp").and_then(microsecond);
                let second = events.second_twin(*index);
                let twin = second.filter(|twin| time == Some(events.microsecond(*twin)));
                *index = twin.unwrap_or(*index);
            }
            return Some(found);
        }
        None
    }

    /// Selects one of several records with the same columns, by uid and content, else the one
    /// delivered least: records that differ only by a null may have one uid.
    fn one_of(&self, log: LogType, same: &[u32], key: Option<(u64, u32)>) -> Option<u32> {
        let tally = &self.counts[&log];
        let known = |index: &&u32| {
            let position = **index as usize;
            key == Some((tally.uids[position], tally.contents[position]))
        };
        let least = || same.iter().min_by_key(|index| tally.deliveries[**index as usize]);
        same.iter().find(known).or_else(least).copied()
    }
}

/// The number of a UUID in any spelling: another spelling is an altered event, not an unknown one.
fn uuid_of(text: &str) -> Option<u128> {
    guid(text).as_deref().and_then(parse_uuid)
}
