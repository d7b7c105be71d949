//! The events of the simulated tenant.
//!
//! Only times are stored; a record is generated from (seed, log, index) on each use, so that a
//! million events take only about 12 MB.

mod identity;
mod template;
mod timeline;
mod visibility;
mod world;

use crate::config::milliseconds;
use crate::random::Random;
use crate::{Config, LogType};

pub(crate) use identity::{parse_sekey, parse_uuid, uuid};
pub(crate) use world::World;

/// The events of one log.
///
/// An *index* identifies an event; a *position* is its rank in the order of (millisecond,
/// identifier), by which Duo pages.
#[derive(Debug)]
pub(crate) struct Events {
    log: LogType,
    seed: u64,
    host: String,
    /// Time of each event in microseconds, by index.
    times: Vec<i64>,
    /// Index of each event, by position.
    order: Vec<u32>,
    /// Positions of the events that appear late, ascending.
    late_positions: Vec<u32>,
    late_per_mille: u32,
    hidden_milliseconds: i64,
    late_milliseconds: i64,
    oversized_per_mille: u32,
    oversized_bytes: usize,
    new_fields: u32,
}

/// Streams of [`Random`], one per use within a log.
#[derive(Clone, Copy)]
pub(crate) enum Stream {
    Times,
    Content,
    Identity,
    Late,
    Pairs,
    Pages,
}

impl Events {
    fn new(config: &Config, log: LogType) -> Self {
        let hidden_milliseconds = config.hidden_milliseconds(log);
        let mut events = Self {
            log,
            seed: config.seed,
            host: config.signed_host.clone(),
            times: Vec::new(),
            order: Vec::new(),
            late_positions: Vec::new(),
            late_per_mille: config.late_per_mille,
            hidden_milliseconds,
            late_milliseconds: milliseconds(config.late_by).max(hidden_milliseconds),
            oversized_per_mille: config.oversized_per_mille,
            oversized_bytes: config.oversized_bytes,
            new_fields: config.new_fields,
        };
        events.times = timeline::times(config, log, &events);
        events.order = (0..events.count()).collect();
        let mut order = std::mem::take(&mut events.order);
        order.sort_unstable_by(|left, right| {
            let by_time = events.millisecond(*left).cmp(&events.millisecond(*right));
            by_time.then_with(|| events.id(*left).cmp(&events.id(*right)))
        });
        events.order = order;
        if events.late_per_mille > 0 {
            let late = |position: &u32| events.is_late(events.index_at(*position as usize));
            events.late_positions = (0..events.count()).filter(late).collect();
        }
        events
    }

    /// Number of events; indexes and positions are less than it.
    pub(crate) fn count(&self) -> u32 {
        u32::try_from(self.times.len()).expect("the timeline has at most `u32::MAX` events")
    }

    /// A generator for one use of one index.
    pub(crate) fn random(&self, stream: Stream, index: u64) -> Random {
        Random::new(self.seed, (self.log as u64) << 8 | stream as u64, index)
    }

    /// Time of an event in microseconds since 1970.
    pub(crate) fn microsecond(&self, index: u32) -> i64 {
        self.times[index as usize]
    }

    /// Time of an event in whole milliseconds since 1970.
    pub(crate) fn millisecond(&self, index: u32) -> i64 {
        self.microsecond(index).div_euclid(1_000)
    }

    pub(crate) fn index_at(&self, position: usize) -> u32 {
        self.order[position]
    }

    /// Appends the event's record, one JSON object without line breaks.
    pub(crate) fn write_record(&self, index: u32, out: &mut String) {
        let mut random = self.random(Stream::Content, self.twin(index).into());
        let event = Event {
            microsecond: self.microsecond(index),
            id: self.id(index),
            host: &self.host,
            oversized: random.chance(self.oversized_per_mille).then_some(self.oversized_bytes),
        };
        template::write(self.log, &event, &mut random, out);
        if let Some(number) = self.twin(index).checked_rem(self.new_fields)
            && out.pop() == Some('}')
        {
            let value = random.below(1_000);
            out.extend([format!(",\"new_field_{number}\":\"v{value}\"}}")]);
        }
    }

    /// The event's record.
    pub(crate) fn record(&self, index: u32) -> String {
        let mut out = String::with_capacity(2_048);
        self.write_record(index, &mut out);
        out
    }

    /// The record with a lone surrogate at the start of its first name.
    pub(crate) fn corrupted_record(&self, index: u32) -> String {
        let record = self.record(index);
        for key in ["\"name\":\"", "\"username\":\"", "\"context\":\"", "\"state\":\""] {
            if let Some(position) = record.rfind(key) {
                let (before, after) = record.split_at(position + key.len());
                return format!("{before}\\ud800{after}");
            }
        }
        record
    }
}

/// The inputs of a record, besides random numbers.
pub(crate) struct Event<'a> {
    /// Time in microseconds since 1970.
    microsecond: i64,
    /// Identifier, see [`identity`].
    id: u128,
    /// API host name.
    host: &'a str,
    /// Length of the oversized text, if there is one.
    oversized: Option<usize>,
}

#[cfg(test)]
mod tests;
