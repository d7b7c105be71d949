//! Identifiers: an event's index, scrambled into the format of Duo, and back.
//!
//! The inverse function saves a table of a million identifiers.

use uuid::Uuid;

use super::{Events, Stream};
use crate::LogType;
use crate::random::{mix, unmix};

/// The fixed bits of a version 4 UUID, and their values.
const FIXED: u128 = 0xF000_C000_0000_0000_0000;
const VERSION: u128 = 0x4000_8000_0000_0000_0000;

/// One in 101 pairs of neighbours is a special pair.
const PAIRS: u64 = 101;

impl Events {
    /// The identifier: the number behind `txid`, `activity_id` or `telephony_id`.
    ///
    /// For Trust Monitor, `sekey` has its low half; v1 events have none and are ordered by index.
    pub(crate) fn id(&self, index: u32) -> u128 {
        if self.log.is_v1() {
            return index.into();
        }
        let index = if self.log == LogType::Authentication { self.twin(index) } else { index };
        let code = u128::from(mix(u64::from(index) ^ self.key()));
        if self.log == LogType::TrustMonitor {
            return code;
        }
        let check = u128::from(self.random(Stream::Identity, index.into()).next());
        // The second group has 16 bits of the code, and the last one 48.
        let (head, tail) = ((code >> 48) & 0xFFFF, code & 0xFFFF_FFFF_FFFF);
        let filler = ((check & 0xFFFF_FFFF) << 96) | ((check >> 32) << 48);
        (((filler & !(0xFFFF << 80)) | (head << 80) | tail) & !FIXED) | VERSION
    }

    /// The index of the event with this identifier; of a pair that shares one, the first.
    pub(crate) fn index_of(&self, id: u128) -> Option<u32> {
        let code = if self.log == LogType::TrustMonitor {
            u64::try_from(id).ok()?
        } else {
            u64::try_from(((id >> 80) & 0xFFFF) << 48 | (id & 0xFFFF_FFFF_FFFF)).ok()?
        };
        let index = u32::try_from(unmix(code) ^ self.key()).ok()?;
        (index < self.count() && self.id(index) == id).then_some(index)
    }

    /// The first event of the pair that contains `index`, else `index` itself.
    ///
    /// A pair of the authentication log shares a `txid` at two times; a pair of a v1 log is two
    /// identical records.
    pub(crate) fn twin(&self, index: u32) -> u32 {
        if index % 2 == 1 && self.is_pair(index / 2) { index - 1 } else { index }
    }

    /// The second event of the pair that starts with `index`, if any.
    pub(crate) fn second_twin(&self, index: u32) -> Option<u32> {
        let second = index + 1;
        (index.is_multiple_of(2) && self.is_pair(index / 2) && second < self.count())
            .then_some(second)
    }

    /// Whether events 2·`pair` and 2·`pair` + 1 are a special pair. The sixth pair always is, so
    /// that even a small log has one.
    pub(super) fn is_pair(&self, pair: u32) -> bool {
        let suited = self.log.is_v1() || self.log == LogType::Authentication;
        suited && (pair == 5 || self.random(Stream::Pairs, pair.into()).below(PAIRS) == 0)
    }

    fn key(&self) -> u64 {
        self.random(Stream::Identity, u64::MAX - 1).next()
    }
}

/// The text of a UUID, lower case with dashes.
pub(crate) fn uuid(id: u128) -> String {
    Uuid::from_u128(id).to_string()
}

/// The text of a Trust Monitor `sekey`.
pub(crate) fn sekey(id: u128) -> String {
    format!("SEFK{id:016X}")
}

/// The number behind the text of a UUID in its usual form.
pub(crate) fn parse_uuid(text: &str) -> Option<u128> {
    (text.len() == 36).then(|| Uuid::try_parse(text).ok()).flatten().map(|uuid| uuid.as_u128())
}

/// The number behind the text of a `sekey`.
pub(crate) fn parse_sekey(text: &str) -> Option<u128> {
    let code = text.strip_prefix("SEFK").filter(|code| code.len() == 16)?;
    u128::from_str_radix(code, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::super::World;
    use super::*;
    use crate::Config;

    #[test]
    fn an_identifier_identifies_its_event() {
        let world = World::new(&Config::default());
        for log in [LogType::Activity, LogType::Telephony, LogType::Authentication] {
            let events = world.events(log);
            for index in 0..events.count() {
                let text = uuid(events.id(index));
                let found = events.index_of(parse_uuid(&text).unwrap()).unwrap();
                assert_eq!(found, events.twin(index));
                assert_eq!(text.as_bytes()[14], b'4');
            }
        }
        let events = world.events(LogType::TrustMonitor);
        let text = sekey(events.id(7));
        assert_eq!(text.len(), 20);
        assert_eq!(events.index_of(parse_sekey(&text).unwrap()), Some(7));
        assert_eq!(events.index_of(12_345), None);
    }
}
