//! Times in milliseconds, spans, and the hours of the ledger.

use std::ops::{Add, Sub};

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

pub(crate) const SECOND: TimeDelta = TimeDelta::seconds(1);
/// One minute.
pub const MINUTE: TimeDelta = TimeDelta::minutes(1);
/// One hour.
pub const HOUR: TimeDelta = TimeDelta::hours(1);
pub(crate) const DAY: TimeDelta = TimeDelta::hours(24);

const MILLIS_PER_SECOND: i64 = SECOND.num_milliseconds();
const MILLIS_PER_HOUR: i64 = HOUR.num_milliseconds();

/// Milliseconds since 1970, UTC. Stored and displayed as RFC 3339, which makes wrong units obvious.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, derive_more::Display)]
#[display("{}", self.date_time().to_rfc3339_opts(SecondsFormat::Millis, true))]
pub struct Millis(pub i64);

impl Millis {
    /// The start of a Unix second.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(MILLIS_PER_SECOND))
    }

    /// Unix seconds, rounded down.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(MILLIS_PER_SECOND)
    }

    /// The next millisecond.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// The previous millisecond.
    #[must_use]
    pub const fn previous(self) -> Self {
        Self(self.0.saturating_sub(1))
    }

    /// Parses an RFC 3339 time; digits beyond the millisecond are ignored.
    pub fn parse(text: &str) -> Option<Self> {
        DateTime::parse_from_rfc3339(text.trim()).ok().map(|time| Self(time.timestamp_millis()))
    }

    /// The calendar time, clamped to the range of `DateTime`.
    pub fn date_time(self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.0).unwrap_or(if self.0 < 0 {
            DateTime::<Utc>::MIN_UTC
        } else {
            DateTime::<Utc>::MAX_UTC
        })
    }
}

impl From<DateTime<Utc>> for Millis {
    fn from(time: DateTime<Utc>) -> Self {
        Self(time.timestamp_millis())
    }
}

impl Add<TimeDelta> for Millis {
    type Output = Self;

    fn add(self, delta: TimeDelta) -> Self {
        Self(self.0.saturating_add(delta.num_milliseconds()))
    }
}

impl Sub<TimeDelta> for Millis {
    type Output = Self;

    fn sub(self, delta: TimeDelta) -> Self {
        Self(self.0.saturating_sub(delta.num_milliseconds()))
    }
}

impl Sub for Millis {
    type Output = TimeDelta;

    fn sub(self, earlier: Self) -> TimeDelta {
        // `TimeDelta` cannot represent `i64::MIN` milliseconds.
        TimeDelta::milliseconds(self.0.saturating_sub(earlier.0).max(-i64::MAX))
    }
}

impl Serialize for Millis {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Millis {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| de::Error::custom("a time is not in RFC 3339 format"))
    }
}

/// One hour of event time, the unit of the ledger. Displayed as in ledger blobs, `2026-11-22T10`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, derive_more::Display)]
#[display("{}", self.start().date_time().format("%Y-%m-%dT%H"))]
pub struct Hour(i64);

impl Hour {
    /// The hour of records without a valid time.
    pub const UNDATED: Self = Self(0);

    /// The hour that contains a time.
    pub const fn of(time: Millis) -> Self {
        Self(time.0.div_euclid(MILLIS_PER_HOUR))
    }

    /// Start of the hour.
    pub const fn start(self) -> Millis {
        Millis(self.0.saturating_mul(MILLIS_PER_HOUR))
    }

    /// End of the hour, exclusive.
    pub const fn end(self) -> Millis {
        self.after(1).start()
    }

    /// The hour `hours` later; earlier if negative.
    #[must_use]
    pub const fn after(self, hours: i64) -> Self {
        Self(self.0.saturating_add(hours))
    }

    /// The first hour of the same UTC day.
    #[must_use]
    pub const fn day(self) -> Self {
        Self(self.0.div_euclid(24) * 24)
    }

    /// The UTC date, `2026-11-22`.
    pub fn date(self) -> String {
        self.start().date_time().format("%Y-%m-%d").to_string()
    }

    /// Hour of the UTC day, two digits.
    pub fn number_in_day(self) -> String {
        format!("{:02}", self.0.rem_euclid(24))
    }

    /// Parses `2026-11-22T10`.
    pub fn parse(text: &str) -> Option<Self> {
        let start = Millis::parse(&format!("{text}:00:00Z"))?;
        Some(Self::of(start))
    }
}

impl Serialize for Hour {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hour {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text)
            .ok_or_else(|| de::Error::custom("an hour is not in the format 2026-11-22T10"))
    }
}

/// A span of event time; a stored span is never empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// Start, inclusive.
    pub from: Millis,
    /// End, exclusive.
    pub to: Millis,
}

impl Span {
    /// The intersection with another span; `None` if empty.
    pub fn within(self, other: Self) -> Option<Self> {
        let part = Self { from: self.from.max(other.from), to: self.to.min(other.to) };
        (part.from < part.to).then_some(part)
    }

    /// A whole hour.
    pub const fn of(hour: Hour) -> Self {
        Self { from: hour.start(), to: hour.end() }
    }

    /// The hours that the span overlaps.
    pub fn hours(self) -> impl Iterator<Item = Hour> {
        let (first, end) = (Hour::of(self.from), self.to);
        (0..).map(move |number| first.after(number)).take_while(move |hour| hour.start() < end)
    }

    /// The spans in order, with adjacent and overlapping ones merged.
    pub(crate) fn joined(mut spans: Vec<Self>) -> Vec<Self> {
        spans.sort_unstable_by_key(|span| span.from);
        spans.dedup_by(|next, last| {
            let touches = next.from <= last.to;
            if touches {
                last.to = last.to.max(next.to);
            }
            touches
        });
        spans
    }
}

#[cfg(test)]
mod tests {
    use super::{Hour, Millis};

    #[test]
    fn times_survive_a_round_trip_as_rfc_3339() {
        let time = Millis(1_795_348_501_234);
        let stored = serde_json::to_string(&time).unwrap();
        assert_eq!(stored, "\"2026-11-22T11:55:01.234Z\"");
        assert_eq!(serde_json::from_str::<Millis>(&stored).unwrap(), time);
    }

    #[test]
    fn a_bare_number_is_refused_as_a_time() {
        assert!(serde_json::from_str::<Millis>("1795348501").is_err());
    }

    #[test]
    fn hours_are_named_by_their_utc_start() {
        assert_eq!(Hour::of(Millis(1_795_348_501_234)).to_string(), "2026-11-22T11");
    }

    #[test]
    fn times_beyond_the_calendar_do_not_panic() {
        assert!(Millis(i64::MAX).to_string().starts_with('+'));
        assert!(Millis(i64::MIN).to_string().starts_with('-'));
    }
}
