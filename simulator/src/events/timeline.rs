//! Times of events: spread over the range, with clusters that are likely to cross page borders.

use super::{Events, Stream};
use crate::random::Random;
use crate::{Config, LogType};

/// Probability, in thousandths, that an event starts a cluster of 5 to 30 in one millisecond.
const CLUSTER_PER_MILLE: u32 = 4;
/// Probability, in thousandths, that an event starts a burst within one second.
const BURST_PER_MILLE: u32 = 1;
/// Events in one burst.
const BURST_SIZE: u64 = 200;

/// The time of each event in microseconds, by index.
pub(super) fn times(config: &Config, log: LogType, events: &Events) -> Vec<i64> {
    let volume = config.volumes.get(&log).copied().unwrap_or(0).min(u32::MAX.into());
    let volume = usize::try_from(volume).expect("32 bits fit into a usize here");
    let range = Range {
        from: config.from.timestamp_micros(),
        to: config.to.timestamp_micros().max(config.from.timestamp_micros()),
    };
    let mut random = events.random(Stream::Times, 0);
    let mut times = Vec::with_capacity(volume);
    let burst = burst_size(config, log, volume);
    // Every log that is large enough starts with one cluster and one burst.
    let mut first = [volume >= 40, volume >= 400];
    while times.len() < volume {
        let time = range.any(&mut random);
        if std::mem::take(&mut first[0]) || random.chance(CLUSTER_PER_MILLE) {
            let size = 5 + random.below(26);
            let millisecond = time - time.rem_euclid(1_000);
            times.extend((0..size).map(|_| range.clamp(millisecond + below(&mut random, 1_000))));
        } else if std::mem::take(&mut first[1]) || random.chance(BURST_PER_MILLE) {
            let second = time - time.rem_euclid(1_000_000);
            let burst = 0..burst;
            times.extend(burst.map(|_| range.clamp(second + below(&mut random, 1_000_000))));
        } else {
            times.push(time);
        }
    }
    times.truncate(volume);
    let step = log.time_step();
    for time in &mut times {
        *time -= time.rem_euclid(step);
    }
    join_pairs(&mut times, &range, events, &mut random);
    times
}

/// A burst is at most a tenth of the log, and on v1 at most a third of a page: records of one
/// second beyond a page cannot be read from those endpoints.
fn burst_size(config: &Config, log: LogType, volume: usize) -> u64 {
    let size = BURST_SIZE.min(volume as u64 / 10);
    if log.is_v1() { size.min(config.v1_page as u64 / 3) } else { size }.max(1)
}

/// Sets the time of the second event of each special pair: the same on v1, some seconds later on
/// authentication, where both share a `txid`.
fn join_pairs(times: &mut [i64], range: &Range, events: &Events, random: &mut Random) {
    let v1 = events.log.is_v1();
    for (pair, two) in (0_u32..).zip(times.chunks_exact_mut(2)) {
        if !events.is_pair(pair) {
            continue;
        }
        let apart = if v1 { 0 } else { 1_500_000 + below(random, 4_000_000) };
        two[1] = if two[0] + apart <= range.to { two[0] + apart } else { two[0] - apart };
    }
}

struct Range {
    from: i64,
    to: i64,
}

impl Range {
    fn any(&self, random: &mut Random) -> i64 {
        self.from + below(random, self.to - self.from + 1)
    }

    fn clamp(&self, time: i64) -> i64 {
        time.clamp(self.from, self.to)
    }
}

fn below(random: &mut Random, bound: i64) -> i64 {
    let bound = u64::try_from(bound).unwrap_or(0);
    i64::try_from(random.below(bound)).expect("the bound came from an i64")
}
