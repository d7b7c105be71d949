//! The stored place of one log, and its JSON form.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::bucket::{ACCOUNT_SHARE, Bucket};
use super::ending::ParkCause;
use super::stored::{self, Unreadable};
use super::sweep::{Span, Sweeps};
use super::window::Window;
use crate::model::{Hour, Millis};

/// Version of the checkpoint format this release writes.
const VERSION: u32 = 1;
/// Between these lies every place that a log can have, also one that a wrong clock set: 1960 and 2160.
const EARLIEST: Millis = Millis(-315_619_200_000);
const LATEST: Millis = Millis(5_995_814_400_000);

/// Everything that one log needs to go on where it stopped, whoever goes on with it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// Version of the format this was written in.
    pub version: u32,
    /// Oldest reader version that understands it; a higher one than ours is refused, never overwritten.
    pub min_reader: u32,
    /// First moment that is not collected yet: the end of the last closed window plus one millisecond, or for
    /// the seconds-based logs the second that is read again inclusively.
    pub mintime: Millis,
    /// Where collection began; nothing before it is ever asked for.
    pub collected_from: Millis,
    /// The window being paged through, if a run ended inside one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
    /// Runs that committed something; every fifth re-reads the last 15 minutes.
    #[serde(default)]
    pub runs: u64,
    /// Whether Duo ever answered this log with events or an empty page.
    #[serde(default)]
    pub answered: bool,
    /// Set while Duo refuses a log that never answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unavailable: Option<Unavailable>,
    /// Set while the log waits for Duo or Azure Monitor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parked: Option<Parked>,
    /// What is left of the rate limits.
    pub rate: Rates,
    /// The instance that is at work on this log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<Claim>,
    /// Where the rows last went.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination: Option<Destination>,
    /// How far the checks of closed hours have come; missing in what an earlier release stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sweeps: Option<Sweeps>,
    /// Time of the newest event that Azure Monitor accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest_event: Option<Millis>,
    /// Fields of a later release, kept as they are.
    #[serde(flatten)]
    pub unknown: Map<String, Value>,
}

/// A log that Duo refuses and that never answered: the permission or the edition lacks it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Unavailable {
    /// When Duo first refused it.
    pub since: Millis,
    /// When it was last asked; asked again an hour later.
    pub asked_at: Millis,
    /// When it was last reported; reported once a day.
    pub reported_at: Millis,
}

/// A pause that outlives the run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Parked {
    /// No call before this time.
    pub not_before: Millis,
    /// Parkings in a row without a success between them; lengthens the next one.
    pub strikes: u32,
    /// Why the log waits.
    pub cause: ParkCause,
}

/// Calls left for this log and for the account as this log last saw it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rates {
    /// This log's own bucket.
    pub log: Bucket,
    /// The account's bucket.
    pub account: Bucket,
}

/// One worker a log: the instance that may post its rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The process that holds the claim.
    pub owner: String,
    /// When the claim ends if it is not renewed.
    pub until: Millis,
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
            version: VERSION,
            min_reader: VERSION,
            mintime,
            collected_from: mintime,
            window: None,
            runs: 0,
            answered: false,
            unavailable: None,
            parked: None,
            rate: Rates {
                log: Bucket::full(1, now),
                account: Bucket::full(ACCOUNT_SHARE, now),
            },
            claim: None,
            destination: None,
            sweeps: Some(Sweeps {
                // What is read now need not be read again at once.
                reread_at: Some(now),
                ..Sweeps::begin(mintime)
            }),
            newest_event: None,
            unknown: Map::new(),
        }
    }

    /// The checkpoint of a backfill of which nothing was read yet: its hours count as collected and unchecked.
    pub(super) fn of_backfill(span: Span, now: Millis) -> Self {
        Self {
            mintime: span.to,
            answered: true,
            sweeps: Some(Sweeps::begin(span.from)),
            ..Self::first(span.from, now)
        }
    }

    /// Reads a stored checkpoint. One that says what no release ever wrote counts as damaged: no run could go on from it.
    pub fn from_json(bytes: &[u8]) -> Result<Self, Unreadable> {
        let read: Self = stored::from_json(bytes, VERSION)?;
        match read.contradiction() {
            Some(what) => Err(Unreadable::Damaged(what.to_owned())),
            None => Ok(read),
        }
    }

    fn contradiction(&self) -> Option<&'static str> {
        let of_this_world = |time: Millis| (EARLIEST..LATEST).contains(&time);
        let next = self.sweeps.iter().flat_map(|sweeps| sweeps.next);
        let mut times = next
            .map(Hour::start)
            .chain([self.mintime, self.collected_from]);
        if !times.all(of_this_world) {
            return Some("a time is out of this world");
        }
        if self
            .window
            .as_ref()
            .is_some_and(|window| !window.is_sound())
        {
            return Some("the place lies outside of its window");
        }
        let sweeps = self.sweeps.as_ref();
        let reading = sweeps.and_then(|sweeps| sweeps.reading.as_ref());
        // Only what was collected is ever read again.
        reading
            .is_some_and(|reading| !reading.is_sound() || reading.span.to > self.mintime)
            .then_some("a check of closed hours cannot be")
    }

    /// How far the checks have come, to be changed; where an earlier release stored nothing of them, from the beginning.
    pub(super) fn sweeps_mut(&mut self) -> &mut Sweeps {
        let begin = Sweeps::begin(self.collected_from);
        self.sweeps.get_or_insert(begin)
    }

    /// The stored form.
    pub fn to_json(&self) -> Vec<u8> {
        stored::to_json(self)
    }
}

#[cfg(test)]
mod tests {
    use super::Checkpoint;
    use crate::model::Millis;
    use crate::sync::stored::Unreadable;

    fn stored() -> Checkpoint {
        Checkpoint::first(Millis(1_795_348_800_000), Millis(1_795_348_900_000))
    }

    #[test]
    fn a_checkpoint_comes_back_as_it_was_stored() {
        let mut checkpoint = stored();
        // One of the numbers that are easily read wrong by one in their last digit.
        checkpoint.rate.log.tokens = 1.909_055_081_041_019_8;
        assert_eq!(
            Checkpoint::from_json(&checkpoint.to_json()).unwrap(),
            checkpoint
        );
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
        assert!(
            matches!(fault, Unreadable::Newer { min_reader: 2, .. }),
            "{fault}"
        );
    }

    #[test]
    fn what_no_run_could_go_on_from_is_damaged() {
        let mut json: serde_json::Value = serde_json::from_slice(&stored().to_json()).unwrap();
        let window = serde_json::json!({
            "mintime": "2026-11-22T11:00:00Z", "maxtime": "2026-11-22T11:59:59.999Z", "from": "2026-11-22T11:30:00Z"
        });
        json["window"] = window.clone();
        json["sweeps"]["reading"] = serde_json::json!({
            "from": "2026-11-22T11:00:00Z", "to": "2026-11-22T12:00:00Z", "check": 3,
            "began_at": "2026-11-22T13:00:00Z", "window": window
        });
        assert!(Checkpoint::from_json(json.to_string().as_bytes()).is_ok());
        for (place, value) in [
            ("/mintime", serde_json::json!("9026-11-22T12:00:00Z")),
            ("/sweeps/next/3", "-9026-11-22T12".into()),
            ("/window/from", "2036-11-22T11:30:00Z".into()),
            ("/sweeps/reading/check", 4.into()),
            ("/sweeps/reading/to", "2026-11-22T11:00:00Z".into()),
            ("/sweeps/reading/to", "2026-11-22T13:00:00Z".into()),
            (
                "/sweeps/reading/window/maxtime",
                "2026-11-22T11:00:00Z".into(),
            ),
        ] {
            let mut damaged = json.clone();
            *damaged.pointer_mut(place).unwrap() = value;
            let fault = Checkpoint::from_json(damaged.to_string().as_bytes()).unwrap_err();
            assert!(matches!(fault, Unreadable::Damaged(_)), "{place}: {fault}");
        }
    }

    #[test]
    fn places_of_two_centuries_are_of_this_world() {
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
