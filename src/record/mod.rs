//! From a record of Duo's to a row of `CiscoDuo_CL`: identity, time, and the fields that are added.
//!
//! A record is never rebuilt: its text is copied as Duo sent it, and the added fields are put behind its last
//! one. Only what identity and time need is read, by serde, and nothing is kept of the rest. What the service would not
//! keep whole is cut, and named.

mod cut;
mod device;
mod identity;
mod probe;
mod row;

use std::ops::Range;

use smallvec::SmallVec;

use crate::duo::RecordReader;
use crate::model::{LogType, Millis};
use crate::plan::{RowId, Seen};

use cut::Cut;
use device::{AccessDevice, SurfacedAuth};
use identity::Identities;
use probe::Fields;

pub use row::RowWriter;

/// One record of a page, read as far as needed.
#[derive(Debug)]
pub struct Record {
    /// Identity of the row.
    pub id: RowId,
    /// Event time in microseconds since 1970; `None` where the record has none that can be read.
    pub time_micros: Option<i64>,
    /// How its text becomes a row.
    form: Form,
    /// Values of which only the beginning goes into the row, in their order.
    cuts: Vec<Cut>,
}

/// Places in the text of a record. A device has three of them.
type Parts = SmallVec<[Range<usize>; 3]>;

/// How the text of a record becomes a row.
#[derive(Debug)]
enum Form {
    /// As it is, with these parts (`true`, `false`) put in quotation marks.
    Object(Parts),
    /// As a text in `raw_record`, because it is no object, or has a field that the row or the service reserves.
    Wrapped,
}

/// Reads the records of one page while it is parsed.
#[derive(Debug)]
pub struct Records<'h> {
    log_type: LogType,
    identities: Identities<'h>,
    largest_value: usize,
}

impl<'h> Records<'h> {
    /// A reader for one page. `host` is the API hostname, part of a row and so of the identity of records that Duo gives
    /// no id. `largest_value` is what the service keeps of a value, in bytes.
    pub fn new(log_type: LogType, host: &'h str, largest_value: usize) -> Self {
        Self {
            log_type,
            identities: Identities::new(log_type, host),
            largest_value,
        }
    }
}

impl RecordReader for Records<'_> {
    type Fields<'a> = Fields<'a, AccessDevice<'a>, SurfacedAuth<'a>>;
    type Record = Record;

    fn read<'a>(&mut self, text: &'a str, fields: Option<Self::Fields<'a>>) -> Record {
        let probe = probe::probe(self.log_type, text, fields);
        // A small record cannot hold a large value.
        let cuts = if text.len() <= self.largest_value {
            Vec::new()
        } else {
            match probe.form {
                Form::Object(_) => cut::of_object(text, self.largest_value),
                Form::Wrapped => cut::of_text(text, self.largest_value),
            }
        };
        Record {
            id: self.identities.of(text, &probe),
            time_micros: probe.time_micros,
            form: probe.form,
            cuts,
        }
    }
}

impl Record {
    /// Event time as the newer endpoints count it, rounded down.
    pub fn time(&self) -> Option<Millis> {
        self.time_micros
            .map(|micros| Millis(micros.div_euclid(1000)))
    }

    /// What the core needs to know of it; `text` is the record's own, `host` the API hostname.
    pub fn seen(&self, text: &str, host: &str) -> Seen {
        Seen {
            id: self.id,
            time: self.time(),
            bytes: self.longest_row(text, host),
            is_cut: !self.cuts.is_empty(),
        }
    }

    /// Fields that are larger than the service keeps, so that the row has the beginning of them only; named like their
    /// columns, without the suffix.
    pub fn cut_fields(&self) -> impl ExactSizeIterator<Item = &str> {
        self.cuts.iter().map(|cut| cut.field.as_str())
    }
}

/// Reads a record that stands alone; see [`Records::new`].
pub fn read_record(log_type: LogType, host: &str, largest_value: usize, text: &str) -> Record {
    Records::new(log_type, host, largest_value).read(text, serde_json::from_str(text).ok())
}

/// The records with these texts, as of one page.
#[cfg(test)]
fn read_records<'a>(
    log_type: LogType,
    host: &str,
    largest_value: usize,
    texts: impl IntoIterator<Item = &'a str>,
) -> Vec<Record> {
    let mut reader = Records::new(log_type, host, largest_value);
    let texts = texts.into_iter();
    texts
        .map(|text| reader.read(text, serde_json::from_str(text).ok()))
        .collect()
}
