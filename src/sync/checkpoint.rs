//! The stored checkpoint of a log.

use std::time::Duration;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use strum::EnumMessage;

use super::schedule::ReconciliationState;
use super::token_bucket::TokenBucket;
use super::window::Window;
use crate::model::{Hour, Millis, Span};
use crate::storage::{Document, Header};

/// The range of valid times in a checkpoint, 1960 to 2160; a wrong clock stays within it.
const EARLIEST: Millis = Millis(-315_619_200_000);
const LATEST: Millis = Millis(5_995_814_400_000);
const FIRST_TIMEOUT_S: u32 = 30;
const LONGEST_TIMEOUT_S: u32 = 120;

/// Everything that an instance needs to continue the collection of one log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Checkpoint {
    #[serde(flatten)]
    header: Header,
    /// First millisecond that is not collected yet: one after the end of the last closed window.
    /// For the v1 logs, the second that is read again, inclusively.
    pub mintime: Millis,
    /// Start of collection; nothing earlier is requested.
    pub collected_from: Millis,
    /// The window that the last run did not finish.
    pub window: Option<Window>,
    /// Doublings of the window length of an hour, while the log is behind.
    #[serde(default)]
    pub doublings: u32,
    /// Whether Duo has ever returned a page of this log, with or without events.
    #[serde(default)]
    pub answered: bool,
    /// Set while the log is unavailable.
    pub unavailable: Option<Unavailable>,
    /// Set while the log backs off.
    pub back_off: Option<BackOff>,
    /// Requests left under the rate limits.
    pub rate: Rates,
    /// Request timeout in seconds: 30, doubled up to 120 while requests time out.
    pub timeout_s: u32,
    /// Halvings of the page size and of the batch size while larger ones fail.
    #[serde(default)]
    pub halvings: Halvings,
    /// The instance that may send rows of this log.
    pub lease: Option<Lease>,
    /// The destination that rows were last sent to.
    pub destination: Option<Destination>,
    /// Progress of reconciliation.
    pub reconciliation: ReconciliationState,
    /// Time of the newest event that Azure Monitor accepted.
    pub newest_event: Option<Millis>,
}

/// A log that Duo refuses and has never returned: the API permission or the edition lacks it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Unavailable {
    pub since: Millis,
    /// Time of the last request; the next one follows an hour later.
    pub requested_at: Millis,
    /// Time of the last report; the next one follows a day later.
    pub reported_at: Millis,
}

/// Why a log backs off. The comment of a cause is its text in reports without an error message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, EnumMessage)]
#[serde(rename_all = "snake_case")]
pub enum BackOffCause {
    /// Duo is throttling requests (HTTP 429)
    DuoThrottled,
    /// Duo is unreachable
    DuoUnreachable,
    /// Duo refused the credentials
    DuoCredentials,
    /// Azure Monitor is throttling requests (HTTP 429)
    AzureThrottled,
    /// Azure Monitor is unreachable
    AzureUnreachable,
    /// the ledger could not be written
    StorageUnreachable,
    /// a later release set the pause
    #[serde(other)]
    Unknown,
}

impl BackOffCause {
    pub(crate) fn as_str(self) -> &'static str {
        self.get_documentation().expect("every cause has a doc comment")
    }
}

/// A pause between runs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BackOff {
    /// No request before this time.
    pub retry_at: Millis,
    /// Consecutive pauses without a success in between; determines the next pause.
    pub count: u32,
    /// Why the log backs off.
    pub cause: BackOffCause,
}

/// Requests left for this log, and for the account as last seen by this log.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rates {
    pub log: TokenBucket,
    pub account: TokenBucket,
}

/// How often the size of pages and batches is halved: once more after every second failure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Halvings {
    /// Halvings of the page size.
    pub page: u32,
    /// Halvings of the batch size.
    pub batch: u32,
}

/// The exclusive right to run a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    pub owner: String,
    pub expires_at: Millis,
}

/// The destination of the rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Destination {
    /// Fingerprint of the workspace or data collection rule.
    pub fingerprint: String,
    /// Time of the last use by the log.
    pub used_at: Millis,
}

impl Checkpoint {
    /// The first checkpoint of a log.
    pub fn first(mintime: Millis, now: Millis) -> Self {
        Self {
            header: Header::default(),
            mintime,
            collected_from: mintime,
            window: None,
            doublings: 0,
            answered: false,
            unavailable: None,
            back_off: None,
            rate: Rates { log: TokenBucket::full(now), account: TokenBucket::full(now) },
            timeout_s: FIRST_TIMEOUT_S,
            halvings: Halvings::default(),
            lease: None,
            destination: None,
            reconciliation: ReconciliationState {
                // Events that are being read now need no immediate reconciliation.
                reread_at: Some(now),
                ..ReconciliationState::begin(mintime)
            },
            newest_event: None,
        }
    }

    /// End of the back-off after a throttled request to Duo; `None` if it has passed.
    pub(crate) fn throttled_until(&self, now: Millis) -> Option<Millis> {
        let back_off =
            self.back_off.filter(|back_off| back_off.cause == BackOffCause::DuoThrottled);
        back_off.map(|back_off| back_off.retry_at).filter(|retry_at| *retry_at > now)
    }

    /// A new checkpoint instead of a deleted one, according to the ledger.
    pub(super) fn restored(collected_to: Millis, now: Millis) -> Self {
        Self { answered: true, ..Self::first(collected_to, now) }
    }

    /// The first checkpoint of a backfill: its hours are collected and not yet reconciled.
    pub(super) fn of_backfill(span: Span, now: Millis) -> Self {
        Self { mintime: span.to, answered: true, ..Self::first(span.from, now) }
    }

    /// Timeout of a request, 30 to 120 seconds.
    pub fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout_s.clamp(FIRST_TIMEOUT_S, LONGEST_TIMEOUT_S).into())
    }

    pub(super) fn lengthen_timeout(&mut self) {
        self.timeout_s = self.timeout_s.saturating_mul(2).clamp(FIRST_TIMEOUT_S, LONGEST_TIMEOUT_S);
    }

    /// Halves the timeout after a request that took less than a quarter of it. Returns whether it
    /// did: only then pages and batches grow again.
    pub(super) fn shorten_timeout(&mut self, elapsed: TimeDelta) -> bool {
        let timeout_s = self.timeout_s.clamp(FIRST_TIMEOUT_S, LONGEST_TIMEOUT_S);
        let is_fast = elapsed < TimeDelta::seconds(i64::from(timeout_s / 4));
        if is_fast {
            self.timeout_s = (timeout_s / 2).max(FIRST_TIMEOUT_S);
        }
        is_fast
    }
}

impl Halvings {
    /// A page of 1,000 records and a batch are halved down to a single one.
    pub(super) const MOST: u32 = 10;

    pub(super) fn halved(count: u32) -> u32 {
        count.saturating_add(1).min(Self::MOST)
    }

    /// `size` halved, but at least 1.
    pub(super) fn of(count: u32, size: u32) -> u32 {
        (size >> count.min(Self::MOST)).max(1)
    }
}

/// A checkpoint with values that no release writes is damaged: no run could continue from it.
impl Document for Checkpoint {
    fn contradiction(&self) -> Option<&'static str> {
        let is_in_range = |time: Millis| (EARLIEST..LATEST).contains(&time);
        let next = self.reconciliation.next.into_iter();
        let mut times = next.map(Hour::start).chain([self.mintime, self.collected_from]);
        if !times.all(is_in_range) {
            return Some("a timestamp is out of range");
        }
        if self.window.as_ref().is_some_and(|window| !window.is_sound()) {
            return Some("the read position is outside the window");
        }
        let reading = self.reconciliation.reading.as_ref();
        // Only collected spans are reconciled.
        reading
            .is_some_and(|reading| !reading.is_sound() || reading.span.to > self.mintime)
            .then_some("the reconciliation state is invalid")
    }
}

#[cfg(test)]
mod tests {
    use super::Checkpoint;
    use crate::model::Millis;
    use crate::storage::{Document as _, Unreadable};

    fn stored() -> Checkpoint {
        Checkpoint::first(Millis(1_795_348_800_000), Millis(1_795_348_900_000))
    }

    #[test]
    fn a_checkpoint_survives_a_round_trip() {
        let checkpoint = stored();
        assert_eq!(Checkpoint::from_json(&checkpoint.to_json()).unwrap(), checkpoint);
    }

    #[test]
    fn fields_of_a_later_release_survive_a_rewrite() {
        let mut json: serde_json::Value = serde_json::from_slice(&stored().to_json()).unwrap();
        json["version"] = 2.into();
        json["seals"] = serde_json::json!({"next": 7});
        let read = Checkpoint::from_json(json.to_string().as_bytes()).unwrap();
        let rewritten: serde_json::Value = serde_json::from_slice(&read.to_json()).unwrap();
        assert_eq!(rewritten, json);
    }

    #[test]
    fn a_checkpoint_that_requires_a_newer_reader_is_refused() {
        let mut json: serde_json::Value = serde_json::from_slice(&stored().to_json()).unwrap();
        json["min_reader"] = 2.into();
        let error = Checkpoint::from_json(json.to_string().as_bytes()).unwrap_err();
        assert!(matches!(error, Unreadable::Newer { min_reader: 2, .. }), "{error}");
    }

    #[test]
    fn a_checkpoint_with_contradictory_values_is_damaged() {
        let mut json: serde_json::Value = serde_json::from_slice(&stored().to_json()).unwrap();
        let window = serde_json::json!({
            "mintime": "2026-11-22T11:00:00Z", "maxtime": "2026-11-22T11:59:59.999Z", "from": "2026-11-22T11:30:00Z"
        });
        json["window"] = window.clone();
        json["reconciliation"]["reading"] = serde_json::json!({
            "from": "2026-11-22T11:00:00Z", "to": "2026-11-22T12:00:00Z", "stage": 5,
            "began_at": "2026-11-22T13:00:00Z", "window": window
        });
        assert!(Checkpoint::from_json(json.to_string().as_bytes()).is_ok());
        for (pointer, value) in [
            ("/mintime", serde_json::json!("9026-11-22T12:00:00Z")),
            ("/reconciliation/next/3", "-9026-11-22T12".into()),
            ("/window/from", "2036-11-22T11:30:00Z".into()),
            ("/reconciliation/reading/stage", 6.into()),
            ("/reconciliation/reading/from", "2006-11-22T11:00:00Z".into()),
            ("/reconciliation/reading/to", "2026-11-22T11:00:00Z".into()),
            ("/reconciliation/reading/to", "2026-11-22T13:00:00Z".into()),
            ("/reconciliation/reading/window/maxtime", "2026-11-22T11:00:00Z".into()),
        ] {
            let mut damaged = json.clone();
            *damaged.pointer_mut(pointer).unwrap() = value;
            let error = Checkpoint::from_json(damaged.to_string().as_bytes()).unwrap_err();
            assert!(matches!(error, Unreadable::Damaged(_)), "{pointer}: {error}");
        }
    }

    #[test]
    fn times_between_1960_and_2160_are_in_range() {
        let with = |mintime: &str| {
            let mut json: serde_json::Value = serde_json::from_slice(&stored().to_json()).unwrap();
            json["mintime"] = mintime.into();
            Checkpoint::from_json(json.to_string().as_bytes()).is_ok()
        };
        assert!(!with("1959-12-31T23:59:59.999Z"));
        assert!(with("1960-01-01T00:00:00.000Z"));
        assert!(with("2159-12-31T23:59:59.999Z"));
        assert!(!with("2160-01-01T00:00:00.000Z"));
    }

    #[test]
    fn the_error_for_a_damaged_checkpoint_does_not_quote_it() {
        for damaged in [
            &b""[..],
            b"{",
            b"[]",
            b"{\"min_reader\":1}",
            b"\xff\xfe",
            b"{\"min_reader\":\"hunter2\"}",
        ] {
            let error = Checkpoint::from_json(damaged).unwrap_err();
            assert!(matches!(error, Unreadable::Damaged(_)), "{error}");
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }
}
