//! When events happen: spread over the range, with clusters that are likely to cross page borders.

use super::{Events, Stream};
use crate::random::Random;
use crate::{Config, LogType};

/// Chance, in thousandths, that an event starts a cluster of 5 to 30 in one millisecond.
const CLUSTER_PER_MILLE: u32 = 4;
/// Chance, in thousandths, that an event starts a burst within one second.
const BURST_PER_MILLE: u32 = 1;
/// Events in one such burst.
const BURST_SIZE: u64 = 200;

/// The time of each event in microseconds, by index.
pub(super) fn times(config: &Config, log: LogType, events: &Events) -> Vec<i64> {
    let wanted = config.volumes.get(&log).copied().unwrap_or(0).min(u32::MAX.into());
    let wanted = usize::try_from(wanted).expect("32 bits fit into a usize here");
    let range = Range {
        from: config.from.timestamp_micros(),
        to: config.to.timestamp_micros().max(config.from.timestamp_micros()),
    };
    let mut random = events.random(Stream::Times, 0);
    let mut times = Vec::with_capacity(wanted);
    let burst = burst_size(config, log, wanted);
    // Every log that is large enough gets one cluster and one burst to begin with.
    let mut first = [wanted >= 40, wanted >= 400];
    while times.len() < wanted {
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
    times.truncate(wanted);
    let step = log.time_step();
    for time in &mut times {
        *time -= time.rem_euclid(step);
    }
    join_pairs(&mut times, &range, events, &mut random);
    times
}

/// A burst is no more than a tenth of the log, and on v1 no more than a third of a page: what
/// exceeds a page within one second cannot be read from those endpoints at all.
fn burst_size(config: &Config, log: LogType, wanted: usize) -> u64 {
    let size = BURST_SIZE.min(wanted as u64 / 10);
    if log.is_v1() { size.min(config.v1_page as u64 / 3) } else { size }.max(1)
}

/// Gives the second event of each special pair its time: the same on v1, some seconds off on
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
    i64::try_from(random.below(bound)).expect("it is below a number that came from an i64")
}
