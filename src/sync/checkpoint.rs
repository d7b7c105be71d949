//! Where a log stands, as it is stored.

use std::time::Duration;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use strum::EnumMessage;

use super::schedule::ReconciliationState;
use super::token_bucket::TokenBucket;
use super::window::Window;
use crate::model::{Hour, Millis, Span};
use crate::storage::{Document, Header};

/// Between these lies every time that a checkpoint can have, also one that a wrong clock set: 1960 and 2160.
const EARLIEST: Millis = Millis(-315_619_200_000);
const LATEST: Millis = Millis(5_995_814_400_000);
const FIRST_TIMEOUT_S: u32 = 30;
const LONGEST_TIMEOUT_S: u32 = 120;

/// Everything that one log needs to continue where it stopped, in any instance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Checkpoint {
    #[serde(flatten)]
    header: Header,
    /// First moment that is not collected yet: the end of the last closed window plus one millisecond, or for
    /// the seconds-based logs the second that is read again inclusively.
    pub mintime: Millis,
    /// Where collection began; nothing before it is ever requested.
    pub collected_from: Millis,
    /// The window being paged through, if a run ended inside one.
    pub window: Option<Window>,
    /// Whether Duo ever answered this log with events or an empty page.
    #[serde(default)]
    pub answered: bool,
    /// Set while Duo refuses a log that never answered.
    pub unavailable: Option<Unavailable>,
    /// Set while the log backs off.
    pub back_off: Option<BackOff>,
    /// What is left of the rate config.
    pub rate: Rates,
    /// Seconds that a request of this log may take: 30, doubled up to 120 while requests time out.
    pub timeout_s: u32,
    /// The instance that may send rows of this log.
    pub lease: Option<Lease>,
    /// Where the rows last went.
    pub destination: Option<Destination>,
    /// How far reconciliation has come.
    pub reconciliation: ReconciliationState,
    /// Time of the newest event that Azure Monitor accepted.
    pub newest_event: Option<Millis>,
}

/// A log that Duo refuses and that never answered: the permission or the edition lacks it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Unavailable {
    pub since: Millis,
    /// When it was last requested; requested again an hour later.
    pub requested_at: Millis,
    /// When it was last reported; reported once a day.
    pub reported_at: Millis,
}

/// Why a log backs off. The comment of a cause is what is reported where no error says more.
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
        self.get_documentation().expect("every cause has a comment")
    }
}

/// A pause that outlives the run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BackOff {
    /// No request before this time.
    pub retry_at: Millis,
    /// Pauses in a row without a success between them; lengthens the next one.
    pub count: u32,
    /// Why the log backs off.
    pub cause: BackOffCause,
}

/// Requests left for this log and for the account as this log last saw it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rates {
    pub log: TokenBucket,
    pub account: TokenBucket,
}

/// The exclusive right to send rows of a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    pub owner: String,
    pub expires_at: Millis,
}

/// Where the rows of this state go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Destination {
    /// Fingerprint of the workspace or rule.
    pub fingerprint: String,
    /// When rows were last sent there under this state.
    pub used_at: Millis,
}

impl Checkpoint {
    /// The checkpoint of a log that was never collected.
    pub fn first(mintime: Millis, now: Millis) -> Self {
        Self {
            header: Header::default(),
            mintime,
            collected_from: mintime,
            window: None,
            answered: false,
            unavailable: None,
            back_off: None,
            rate: Rates { log: TokenBucket::full(now), account: TokenBucket::full(now) },
            timeout_s: FIRST_TIMEOUT_S,
            lease: None,
            destination: None,
            reconciliation: ReconciliationState {
                // What is read now need not be read again at once.
                reread_at: Some(now),
                ..ReconciliationState::begin(mintime)
            },
            newest_event: None,
        }
    }

    /// Until when the log backs off, because Duo throttled requests.
    pub(crate) fn throttled_until(&self, now: Millis) -> Option<Millis> {
        let back_off =
            self.back_off.filter(|back_off| back_off.cause == BackOffCause::DuoThrottled);
        back_off.map(|back_off| back_off.retry_at).filter(|retry_at| *retry_at > now)
    }

    /// The checkpoint of a backfill of which nothing was read yet: its hours count as collected and not reconciled.
    pub(super) fn of_backfill(span: Span, now: Millis) -> Self {
        Self {
            mintime: span.to,
            answered: true,
            reconciliation: ReconciliationState::begin(span.from),
            ..Self::first(span.from, now)
        }
    }

    /// How long a request of this log may take.
    pub fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout_s.clamp(FIRST_TIMEOUT_S, LONGEST_TIMEOUT_S).into())
    }

    pub(super) fn lengthen_timeout(&mut self) {
        self.timeout_s = self.timeout_s.saturating_mul(2).clamp(FIRST_TIMEOUT_S, LONGEST_TIMEOUT_S);
    }

    /// Shortens the timeout again after a request that took `elapsed`, where half of it would have been ample.
    pub(super) fn shorten_timeout(&mut self, elapsed: TimeDelta) {
        let timeout_s = self.timeout_s.clamp(FIRST_TIMEOUT_S, LONGEST_TIMEOUT_S);
        if elapsed < TimeDelta::seconds(i64::from(timeout_s / 4)) {
            self.timeout_s = (timeout_s / 2).max(FIRST_TIMEOUT_S);
        }
    }
}

/// A checkpoint that says what no release ever wrote counts as damaged: no run could continue from it.
impl Document for Checkpoint {
    fn contradiction(&self) -> Option<&'static str> {
        let is_in_range = |time: Millis| (EARLIEST..LATEST).contains(&time);
        let next = self.reconciliation.next.into_iter();
        let mut times = next.map(Hour::start).chain([self.mintime, self.collected_from]);
        if !times.all(is_in_range) {
            return Some("a timestamp is out of range");
        }
        if self.window.as_ref().is_some_and(|window| !window.is_sound()) {
            return Some("the moment reached lies outside of its window");
        }
        let reading = self.reconciliation.reading.as_ref();
        // Only what was collected is ever read again.
        reading
            .is_some_and(|reading| !reading.is_sound() || reading.span.to > self.mintime)
            .then_some("a reading of closed hours is impossible")
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
    fn a_checkpoint_comes_back_as_it_was_stored() {
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
    fn state_that_asks_for_a_newer_reader_is_refused() {
        let mut json: serde_json::Value = serde_json::from_slice(&stored().to_json()).unwrap();
        json["min_reader"] = 2.into();
        let fault = Checkpoint::from_json(json.to_string().as_bytes()).unwrap_err();
        assert!(matches!(fault, Unreadable::Newer { min_reader: 2, .. }), "{fault}");
    }

    #[test]
    fn what_no_run_could_go_on_from_is_damaged() {
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
        for (place, value) in [
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
            *damaged.pointer_mut(place).unwrap() = value;
            let fault = Checkpoint::from_json(damaged.to_string().as_bytes()).unwrap_err();
            assert!(matches!(fault, Unreadable::Damaged(_)), "{place}: {fault}");
        }
    }

    #[test]
    fn times_of_two_centuries_are_in_range() {
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
    fn a_damaged_checkpoint_is_named_without_its_content() {
        for damaged in [
            &b""[..],
            b"{",
            b"[]",
            b"{\"min_reader\":1}",
            b"\xff\xfe",
            b"{\"min_reader\":\"hunter2\"}",
        ] {
            let fault = Checkpoint::from_json(damaged).unwrap_err();
            assert!(matches!(fault, Unreadable::Damaged(_)), "{fault}");
            assert!(!fault.to_string().contains("hunter2"), "{fault}");
        }
    }
}
