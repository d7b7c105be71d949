//! Converts Duo records to rows of `CiscoDuo_CL`: identity, time, and the added fields.
//!
//! A record is not rebuilt: its text is copied as Duo sent it, and the added fields are appended.
//! Values that Azure Monitor would truncate are truncated, and their fields named.

mod content;
mod cut;
mod fields;
mod flat;
mod nested;
mod probe;
mod row;

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::sync::Arc;

use bytes::{BufMut as _, BytesMut};
use sha2::{Digest as _, Sha256};
use smallvec::SmallVec;

use crate::json::{NotJson, Scanner};
use crate::model::{IngestionApi, LogType, Record, RecordKey, RowShape};
use crate::schema::Node;

use content::{Content, Reading, content};
use fields::Fields;
use flat::Flattener;
use nested::Mover;
use probe::Probe;

pub use nested::MAX_UNMAPPED_COLUMNS;
pub use row::{BatchFields, RowWriter};

/// Ranges in the text of a record. A device has three.
type Parts = SmallVec<[Range<usize>; 3]>;

/// Size limits of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowLimits {
    /// The ingestion API.
    pub api: IngestionApi,
    /// Maximum value of a column, in bytes.
    pub largest_value: usize,
    /// Maximum row, in bytes; values are truncated further if it is exceeded.
    pub largest_row: usize,
}

impl From<IngestionApi> for RowLimits {
    fn from(api: IngestionApi) -> Self {
        Self { api, largest_value: api.largest_value(), largest_row: api.largest_row() }
    }
}

/// Values up to this size are never truncated, whatever the size of the row.
const NEVER_TRUNCATED: usize = 1000;

/// Parses the records of one response in order.
#[derive(Debug)]
pub struct Records<'h> {
    log_type: LogType,
    host: &'h str,
    identities: Identities<'h>,
    limits: RowLimits,
    flattener: Flattener,
    mover: Mover<'h>,
}

impl<'h> Records<'h> {
    /// Creates a parser for one response. `host`: the API hostname, part of every row and identity.
    pub fn new(log_type: LogType, host: &'h str, limits: impl Into<RowLimits>) -> Self {
        Self {
            log_type,
            host,
            identities: Identities::new(log_type, host),
            limits: limits.into(),
            flattener: Flattener::default(),
            mover: Mover::new(const { &BTreeSet::new() }),
        }
    }

    /// Gives unmapped fields these columns, for the Data Collector API: path and suffix of the type.
    #[must_use]
    pub fn with_columns(self, columns: &'h BTreeSet<String>) -> Self {
        Self { mover: Mover::new(columns), ..self }
    }

    /// Further columns that the records read so far would have, first come, first served: as many as
    /// are free. Their values are in `AdditionalFields` until the records are reshaped.
    pub fn wanted_columns(&self) -> &[String] {
        self.mover.wanted()
    }

    /// Converts a record of another parser again, with the columns of this one.
    pub fn reshape(&mut self, record: &mut Record) {
        if !matches!(record.shape, RowShape::Rewritten(_)) {
            return;
        }
        let page = Arc::clone(&record.page);
        let text = &page[record.range.clone()];
        if let Ok(reading) = self.reading(&mut Scanner::new(text)) {
            record.shape = Probe::new(self.log_type, &reading).shape;
            self.fit(record, text, reading.is_declared);
        }
    }

    /// Parses the next record of the page.
    ///
    /// # Errors
    ///
    /// No JSON value follows.
    pub fn read(
        &mut self,
        page: &Arc<String>,
        scanner: &mut Scanner<'_>,
    ) -> Result<Record, NotJson> {
        let begin = scanner.at();
        let reading = self.reading(scanner)?;
        Ok(self.record(page, begin..scanner.at(), &reading))
    }

    fn reading<'a>(&self, scanner: &mut Scanner<'a>) -> Result<Reading<'a>, NotJson> {
        // For the Logs Ingestion API, the flattening looks up the columns of every value itself.
        let schema = (self.limits.api == IngestionApi::DataCollector).then(Node::root);
        content::read(scanner, Fields::of(self.log_type), schema)
    }

    /// Parses a single record. Text that is not JSON also becomes a row.
    pub fn read_alone(&mut self, text: &str) -> Record {
        let page = Arc::new(text.to_owned());
        let mut scanner = Scanner::new(&page);
        let record = self.read(&page, &mut scanner);
        record
            .and_then(|record| scanner.end().map(|()| record))
            .unwrap_or_else(|NotJson| self.record(&page, 0..text.len(), &Reading::of_text(text)))
    }

    fn record(&mut self, page: &Arc<String>, range: Range<usize>, reading: &Reading<'_>) -> Record {
        let text = &page[range.clone()];
        let probe = Probe::new(self.log_type, reading);
        let mut record = Record {
            page: Arc::clone(page),
            range,
            key: self.identities.of(reading.content, &probe),
            replaces: None,
            time_micros: probe.time_micros,
            shape: probe.shape,
            truncations: Vec::new(),
            row_bytes: 0,
        };
        self.fit(&mut record, text, reading.is_declared);
        record
    }

    /// Converts a record for its API, with values truncated so that the row is not too large.
    fn fit(&mut self, record: &mut Record, text: &str, is_declared: bool) {
        let mut largest_value = self.limits.largest_value;
        self.shape(record, text, is_declared, largest_value);
        while record.row_bytes > self.limits.largest_row && largest_value > NEVER_TRUNCATED {
            largest_value /= 2;
            self.shape(record, text, is_declared, largest_value);
        }
    }

    /// Converts a record for its API, with values of at most `largest_value` bytes. `is_declared`:
    /// whether every value has a declared column.
    fn shape(&mut self, record: &mut Record, text: &str, is_declared: bool, largest_value: usize) {
        let is_wrapped = matches!(record.shape, RowShape::Wrapped);
        // A small record has no large value.
        record.truncations = if text.len() <= largest_value {
            Vec::new()
        } else if is_wrapped {
            cut::of_text(text, largest_value)
        } else {
            cut::of_object(text, largest_value)
        };
        let rewritten = match self.limits.api {
            _ if is_wrapped => None,
            IngestionApi::DataCollector if is_declared => None,
            IngestionApi::DataCollector => {
                self.mover.rewrite(text, &record.truncations, largest_value)
            }
            IngestionApi::LogsIngestion => {
                Some(self.flattener.flatten(text, &record.truncations, largest_value))
            }
        };
        if let Some(row) = rewritten {
            record.shape = RowShape::Rewritten(Box::new(row));
        }
        record.row_bytes = row::longest_row(record, text, self.host);
    }
}

#[derive(Debug)]
struct Identities<'a> {
    log_type: LogType,
    /// API hostname of the account.
    host: &'a str,
    /// Occurrences of records without an id: two identical ones in a second are two events.
    occurrences: HashMap<Content, u32>,
}

impl<'a> Identities<'a> {
    fn new(log_type: LogType, host: &'a str) -> Self {
        Self { log_type, host, occurrences: HashMap::new() }
    }

    /// The key of a record: a hash of account, log, Duo's id and event time, which Duo pages by.
    /// Without id: time, action, user, object, description, and the index among identical records.
    fn of(&mut self, record: Content, probe: &Probe<'_>) -> RecordKey {
        let mut hash = Sha256::new();
        for part in [self.host, "\n", self.log_type.as_str()] {
            hash.update(part);
        }
        let time = probe.time_micros.map(i64::to_be_bytes);
        if let (Some(id), Some(time)) = (&probe.id, time) {
            hash.update("\nid\n");
            hash.update(id.as_bytes());
            hash.update(time);
        } else {
            let count = self.occurrences.entry(record).or_insert(0);
            hash.update("\naction\n");
            hash.update(time.unwrap_or_default());
            for part in probe.action {
                hash.update(content(part.unwrap_or_default()).to_be_bytes());
            }
            hash.update(count.to_be_bytes());
            *count += 1;
        }
        let uid = hash.finalize();
        RecordKey {
            uid: *uid.first_chunk().expect("a SHA-256 has 32 bytes"),
            content: *record.to_be_bytes().first_chunk().expect("a hash has 8 bytes"),
        }
    }
}

/// Parses a single record; see [`Records::new`]. Text that is not JSON also becomes a row.
pub fn read_record(
    log_type: LogType,
    host: &str,
    limits: impl Into<RowLimits>,
    text: &str,
) -> Record {
    Records::new(log_type, host, limits).read_alone(text)
}

/// Writes a text as a JSON string.
fn quoted(out: &mut BytesMut, text: &str) {
    serde_json::to_writer(out.writer(), text).expect("writing to memory cannot fail");
}

/// Parses texts as the records of one response.
#[cfg(test)]
fn read_records<'a>(
    log_type: LogType,
    host: &str,
    limits: impl Into<RowLimits>,
    texts: impl IntoIterator<Item = &'a str>,
) -> Vec<Record> {
    let mut reader = Records::new(log_type, host, limits);
    let read = |text: &str| {
        let page = Arc::new(text.to_owned());
        reader.read(&page, &mut Scanner::new(&page)).expect("a record is JSON")
    };
    texts.into_iter().map(read).collect()
}

#[cfg(test)]
mod tests;
