//! Which event is this row? Told by Duo's own data alone, never by what the connector added.

use super::compare::difference;
use super::contents::Contents;
use super::ledger::{Ledger, microsecond, uid_bits};
use crate::LogType;
use crate::events::{parse_sekey, parse_uuid};
use crate::json::{Json, Members, member};
use crate::log_analytics::tables::guid;

/// What an accepted row turned out to be.
#[derive(Clone, Copy)]
pub(super) enum Found {
    Event(LogType, u32),
    Nothing,
}

impl Ledger {
    /// Finds the event by Duo's own data alone.
    pub(super) fn identify<'a>(
        &mut self,
        added: &Members<'_>,
        own: Members<'a>,
    ) -> (Found, Members<'a>) {
        let text = |name: &str| member(&own, name).and_then(Json::as_text);
        match self.by_identifier(text) {
            Some(found) => (found, own),
            None => self.by_content(added, own),
        }
    }

    /// Finds the event by the identifier among the row's texts; `None` without one.
    pub(super) fn by_identifier<'t>(
        &self,
        text: impl Fn(&str) -> Option<&'t str>,
    ) -> Option<Found> {
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

    fn by_content<'a>(&mut self, added: &Members<'_>, own: Members<'a>) -> (Found, Members<'a>) {
        let uid = member(added, "event_uid").and_then(Json::as_text).and_then(uid_bits);
        let mut own = own;
        for log in [LogType::Administrator, LogType::OfflineEnrollment] {
            let events = self.world.events(log);
            let contents = self.contents.entry(log).or_insert_with(|| Contents::of(events));
            let (mut same, row) = contents.find(own);
            if same.is_empty() {
                let spoilt = self.world.spoilt_of(log).into_iter();
                same.extend(spoilt.filter(|index| {
                    contents_equal(Json::parse(&events.spoilt_record(*index)).as_ref(), &row)
                }));
            }
            let Json::Object(members) = row else {
                return (Found::Nothing, Vec::new());
            };
            own = members;
            if let Some(index) = self.one_of(log, &same, uid) {
                return (Found::Event(log, index), own);
            }
        }
        (Found::Nothing, own)
    }

    /// Identical records are told apart by their uid, else by what is still wanting.
    pub(super) fn one_of(&self, log: LogType, same: &[u32], uid: Option<u64>) -> Option<u32> {
        let tally = &self.tallies[&log];
        let known = |index: &&u32| uid.is_some_and(|uid| tally.uids[**index as usize] == uid);
        let least = || same.iter().min_by_key(|index| tally.deliveries[**index as usize]);
        same.iter().find(known).or_else(least).copied()
    }
}

fn contents_equal(event: Option<&Json<'_>>, row: &Json<'_>) -> bool {
    match (event, row) {
        (Some(Json::Object(event)), Json::Object(row)) => difference(event, row, "").is_none(),
        _ => false,
    }
}

/// The number of a UUID in any spelling: another than Duo's is an altered event, not an unknown one.
fn uuid_of(text: &str) -> Option<u128> {
    guid(text).as_deref().and_then(parse_uuid)
}
