//! Delivered rows, by event.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::DateTime;
use serde_json::Value;

use super::compare::{ADDED, Expected, TRUNCATED, difference};
use super::identify::Found;
use super::stream::{self, Stream};
use crate::events::{Events, World};
use crate::json::Members;
use crate::log_analytics::tables::{FittedRow, Origin, TableRow};
use crate::{Config, LogReport, LogType, Report};

/// Maximum number of problems that are described; more are only counted.
const MOST_PROBLEMS: usize = 20;

/// Deliveries of every event, and whether each was unaltered.
#[derive(Debug)]
pub(super) struct Ledger {
    pub(super) world: Arc<World>,
    host: String,
    verify: bool,
    /// The streams into the table, by name.
    streams: BTreeMap<String, Stream>,
    pub(super) counts: BTreeMap<LogType, LogCounts>,
    unknown_rows: u64,
    altered_rows: u64,
    problems: Vec<String>,
}

/// Deliveries of one log, by index of the event.
#[derive(Debug)]
pub(super) struct LogCounts {
    pub(super) deliveries: Vec<u16>,
    /// 64 bits of each event's `event_uid`; 0 if unknown.
    pub(super) uids: Vec<u64>,
    /// Each event's `event_content`.
    pub(super) contents: Vec<u32>,
}

impl Ledger {
    pub(super) fn new(config: &Config, world: Arc<World>) -> Self {
        let tally = |log| {
            let count = world.events(log).count() as usize;
            (
                log,
                LogCounts {
                    deliveries: vec![0; count],
                    uids: vec![0; count],
                    contents: vec![0; count],
                },
            )
        };
        Self {
            counts: LogType::ALL.map(tally).into(),
            host: config.signed_host.clone(),
            verify: config.verify,
            streams: Stream::all(config),
            unknown_rows: 0,
            altered_rows: 0,
            problems: Vec::new(),
            world,
        }
    }

    /// Counts a row and, if configured, compares it with its event.
    pub(super) fn row(&mut self, members: &Members<'_>, origin: &Origin) {
        // Removed temporarily, so that `self` can be borrowed.
        let Some((name, mut stream)) = self.streams.remove_entry(stream::name(origin)) else {
            return;
        };
        let row = stream.read(members);
        let (added, own): (TableRow, TableRow) = row
            .row
            .iter()
            .map(|(name, value)| (name.clone(), value.clone()))
            .partition(|(name, _)| stream.is_added(name));
        let text = |name: &str| added_text(&added, name);
        let found = self.identify(&mut stream, &added, &own);
        let problem = match found {
            Found::Event(log, index) if self.verify => {
                self.row_problem(log, index, &stream, &row, &own, &added)
            }
            _ => None,
        };
        let key = text("event_uid").zip(text("event_content"));
        self.count(found, key, text("eventtype"), problem);
        self.streams.insert(name, stream);
    }

    /// Counts a row, with a problem if it has one.
    fn count(
        &mut self,
        found: Found,
        key: Option<(&str, &str)>,
        claimed: Option<&str>,
        problem: Option<String>,
    ) {
        match found {
            Found::Event(log, index) => {
                let tally = self.counts.get_mut(&log).expect("all logs have one");
                let position = index as usize;
                tally.deliveries[position] = tally.deliveries[position].saturating_add(1);
                if tally.uids[position] == 0 {
                    let bits =
                        key.and_then(|(uid, content)| uid_bits(uid).zip(content_bits(content)));
                    (tally.uids[position], tally.contents[position]) = bits.unwrap_or_default();
                }
                if let Some(problem) = problem {
                    self.altered_rows += 1;
                    self.problem(format!("{log} event {index}: {problem}"));
                }
            }
            Found::Nothing => {
                self.unknown_rows += 1;
                let known = LogType::ALL.map(LogType::name);
                let claimed = claimed.filter(|name| known.contains(name));
                let claimed = claimed.unwrap_or("unknown");
                self.problem(format!("a row with the log {claimed} is not an event"));
            }
        }
    }

    pub(super) fn problem(&mut self, text: String) {
        if self.problems.len() < MOST_PROBLEMS {
            self.problems.push(text);
        }
    }

    /// The first problem of a row, if any.
    fn row_problem(
        &self,
        log: LogType,
        index: u32,
        stream: &Stream,
        row: &FittedRow,
        own: &TableRow,
        added: &TableRow,
    ) -> Option<String> {
        if let Some(column) = row.dropped.keys().next() {
            return Some(format!("{column} is not declared, and was dropped"));
        }
        if let Some(column) = row.misfits.first() {
            return Some(format!("the value of {column} does not fit it, and was dropped"));
        }
        if let Some(column) = row.truncated.first() {
            return Some(format!("{column} is larger than the service keeps, and was truncated"));
        }
        if let Some(column) = row.twice.first() {
            return Some(format!("{column} occurs twice"));
        }
        let truncated = added_text(added, TRUNCATED);
        if truncated == Some("") {
            return Some(format!("{TRUNCATED} names nothing"));
        }
        let truncated = truncated.unwrap_or_default();
        let additional = stream.additional.as_ref();
        let additional = additional.map(|name| row.row.get(name).unwrap_or(&Value::Null));
        let differs = |record: &str| {
            let expected = Expected::of(record, stream);
            let rest = || additional.and_then(|found| expected.left_out(found, truncated));
            difference(&expected, own, truncated, stream.largest).or_else(rest)
        };
        let events = self.world.events(log);
        let corrupted = self.world.was_corrupted(log, index);
        if let Some(column) = differs(&events.record(index))
            && !(corrupted && differs(&events.corrupted_record(index)).is_none())
        {
            return Some(format!("{column} differs"));
        }
        if let Some(absent) = ADDED.iter().find(|name| added_text(added, name).is_none()) {
            return Some(format!("{absent} is absent"));
        }
        self.added_problem(log, index, |name| added_text(added, name))
    }

    /// The first problem of the added fields, which are all present.
    fn added_problem<'t>(
        &self,
        log: LogType,
        index: u32,
        text: impl Fn(&str) -> Option<&'t str>,
    ) -> Option<String> {
        let events = self.world.events(log);
        let corrupted = self.world.was_corrupted(log, index);
        if text("eventtype") != Some(log.name()) {
            return Some("eventtype is not the log's name".to_owned());
        }
        if text("host") != Some(&self.host) {
            return Some("host is not the API host name".to_owned());
        }
        if text("event_time").and_then(microsecond) != Some(events.microsecond(index)) {
            return Some("event_time is not the event's time".to_owned());
        }
        if !matches!(text("ingest_kind"), Some("live" | "late" | "update" | "backfill")) {
            return Some("ingest_kind is none of live, late, update, backfill".to_owned());
        }
        let Some(uid) = text("event_uid").and_then(uid_bits) else {
            return Some("event_uid is not 40 lower-case hexadecimal digits".to_owned());
        };
        if text("event_content").and_then(content_bits).is_none() {
            return Some("event_content is not 8 lower-case hexadecimal digits".to_owned());
        }
        if (text("ingest_kind") == Some("update")) != text("event_replaces").is_some() {
            return Some("only an update has event_replaces".to_owned());
        }
        let known = self.counts[&log].uids[index as usize];
        // The uid of an event without identifier depends on its content, which a surrogate changes.
        let changed = known != 0 && known != uid && !(corrupted && log.is_v1());
        changed.then(|| "event_uid is another than before".to_owned())
    }

    /// The report on events visible at `now` (milliseconds).
    pub(super) fn report(&self, now: i64) -> Report {
        let mut report = Report {
            logs: BTreeMap::new(),
            unknown_rows: self.unknown_rows,
            altered_rows: self.altered_rows,
            first_problems: self.problems.clone(),
        };
        for (log, tally) in &self.counts {
            let events = self.world.events(*log);
            report.logs.insert(*log, tally.report(events, now));
        }
        if self.verify {
            self.report_shared_keys(&mut report);
        }
        report
    }

    /// Reports events with equal uid and content, which would be removed as duplicates.
    fn report_shared_keys(&self, report: &mut Report) {
        let mut all: Vec<((u64, u32), LogType, u32)> = Vec::new();
        for (log, tally) in &self.counts {
            let keys = tally.uids.iter().copied().zip(tally.contents.iter().copied());
            let known = (0_u32..).zip(keys).filter(|(_, (uid, _))| *uid != 0);
            all.extend(known.map(|(index, key)| (key, *log, index)));
        }
        all.sort_unstable();
        for two in all.windows(2).filter(|two| two[0].0 == two[1].0) {
            report.altered_rows += 1;
            if report.first_problems.len() < MOST_PROBLEMS {
                let (_, log, index) = two[1];
                let text = format!(
                    "{log} event {index}: event_uid and event_content are those of another event"
                );
                report.first_problems.push(text);
            }
        }
    }
}

impl LogCounts {
    fn report(&self, events: &Events, now: i64) -> LogReport {
        let mut report = LogReport::default();
        for (index, deliveries) in (0_u32..).zip(&self.deliveries) {
            let arrived = u64::from(*deliveries > 0);
            report.delivered += arrived;
            report.duplicates += u64::from(deliveries.saturating_sub(1));
            if events.is_visible(index, now) {
                report.shown += 1;
                report.missing += 1 - arrived;
            }
        }
        report
    }
}

pub(super) fn microsecond(text: &str) -> Option<i64> {
    DateTime::parse_from_rfc3339(text).ok().map(|time| time.timestamp_micros())
}

/// 64 bits of a uid, never 0; `None` unless it is 40 lower-case hexadecimal digits.
pub(super) fn uid_bits(text: &str) -> Option<u64> {
    let bits = has_digits(text, 40).then(|| u64::from_str_radix(&text[..16], 16));
    bits?.ok().map(|bits| bits.max(1))
}

/// The bits of a content fingerprint; `None` unless it is 8 lower-case hexadecimal digits.
pub(super) fn content_bits(text: &str) -> Option<u32> {
    let bits = has_digits(text, 8).then(|| u32::from_str_radix(text, 16));
    bits?.ok()
}

fn has_digits(text: &str, count: usize) -> bool {
    let digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    text.len() == count && text.bytes().all(digit)
}

/// The text of an added column, by its name without suffix.
pub(super) fn added_text<'r>(added: &'r TableRow, name: &str) -> Option<&'r str> {
    let mut values = ["_s", "_t"].iter().filter_map(|suffix| added.get(&format!("{name}{suffix}")));
    values.next().and_then(Value::as_str)
}
