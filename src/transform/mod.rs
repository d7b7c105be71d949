//! From a record of Duo's to a row of `CiscoDuo_CL`: identity, time, and the fields that are added.
//!
//! A record is never rebuilt: its text is copied as Duo sent it, and the added fields are put behind its last
//! one. Only what identity and time need is read, by serde, and nothing is kept of the rest. What the service would not
//! keep whole is cut, and named.

mod cut;
mod device;
mod flat;
mod identity;
mod probe;
mod row;
mod scan;

use std::ops::Range;

use smallvec::SmallVec;

use crate::duo::RecordReader;
use crate::model::{IngestionApi, LogType, Millis};
use crate::sync::{RowId, Seen};

use cut::Cut;
use device::{AccessDevice, SurfacedAuth};
use flat::{Flat, Flattener};
use identity::Identities;
use probe::Fields;

pub use row::{Call, RowWriter};

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

/// What the rows of a call may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowForm {
    /// The API that they go to.
    pub api: IngestionApi,
    /// Largest value of a column, in bytes.
    pub largest_value: usize,
    /// Largest row, in bytes: values are cut shorter where it would be larger.
    pub largest_row: usize,
}

impl From<IngestionApi> for RowForm {
    fn from(api: IngestionApi) -> Self {
        Self {
            api,
            largest_value: api.largest_value(),
            largest_row: api.largest_row(),
        }
    }
}

/// Below this a value is never cut, whatever the size of its row.
const NEVER_CUT: usize = 1000;

/// How the text of a record becomes a row.
#[derive(Debug)]
enum Form {
    /// As it is, with these parts (`true`, `false`) put in quotation marks.
    Object(Parts),
    /// As one member for each column.
    Flattened(Flat),
    /// As a text in `raw_record`, because it is no object, or has a field that the row or the service reserves.
    Wrapped,
}

/// Reads the records of one page while it is parsed.
#[derive(Debug)]
pub struct Records<'h> {
    log_type: LogType,
    host: &'h str,
    identities: Identities<'h>,
    form: RowForm,
    flattener: Flattener,
}

impl<'h> Records<'h> {
    /// A reader for one page. `host` is the API hostname, part of a row and so of the identity of records that Duo gives
    /// no id.
    pub fn new(log_type: LogType, host: &'h str, form: impl Into<RowForm>) -> Self {
        Self {
            log_type,
            host,
            identities: Identities::new(log_type, host),
            form: form.into(),
            flattener: Flattener::default(),
        }
    }
}

impl RecordReader for Records<'_> {
    type Fields<'a> = Fields<'a, AccessDevice<'a>, SurfacedAuth<'a>>;
    type Record = Record;

    fn read<'a>(&mut self, text: &'a str, fields: Option<Self::Fields<'a>>) -> Record {
        let probe = probe::probe(self.log_type, text, fields);
        let mut record = Record {
            id: self.identities.of(text, &probe),
            time_micros: probe.time_micros,
            form: probe.form,
            cuts: Vec::new(),
        };
        let RowForm { api, .. } = self.form;
        let mut largest_value = self.form.largest_value;
        record.shape(text, api, largest_value, &mut self.flattener);
        while record.longest_row(text, self.host) > self.form.largest_row
            && largest_value > NEVER_CUT
        {
            largest_value /= 2;
            record.shape(text, api, largest_value, &mut self.flattener);
        }
        record
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
            is_cut: self.is_cut(),
        }
    }

    /// Fields that are larger than the service keeps, so that the row has the beginning of them only, or nothing; named
    /// like their columns, without the suffix.
    pub fn cut_fields(&self) -> impl Iterator<Item = &str> {
        let left_out = match &self.form {
            Form::Flattened(flat) => &flat.left_out[..],
            Form::Object(_) | Form::Wrapped => &[],
        };
        let cut = self.cuts.iter().map(|cut| cut.field.as_str());
        cut.chain(left_out.iter().map(String::as_str))
    }

    /// Whether the row lacks a part of the record.
    pub fn is_cut(&self) -> bool {
        self.cut_fields().next().is_some()
    }

    /// Fields that nobody knew of, or whose value fits no column of theirs, by their paths; none where the service makes
    /// the columns.
    pub fn without_column(&self) -> &[String] {
        match &self.form {
            Form::Flattened(flat) => &flat.without_column,
            Form::Object(_) | Form::Wrapped => &[],
        }
    }

    /// Brings it into the form for an API, with values of at most so many bytes.
    fn shape(
        &mut self,
        text: &str,
        api: IngestionApi,
        largest_value: usize,
        flattener: &mut Flattener,
    ) {
        let is_wrapped = matches!(self.form, Form::Wrapped);
        // A small record cannot hold a large value.
        self.cuts = if text.len() <= largest_value {
            Vec::new()
        } else if is_wrapped {
            cut::of_text(text, largest_value)
        } else {
            cut::of_object(text, largest_value)
        };
        if api == IngestionApi::LogsIngestion && !is_wrapped {
            self.form = Form::Flattened(flattener.flatten(text, &self.cuts, largest_value));
        }
    }
}

/// Reads a record that stands alone; see [`Records::new`].
pub fn read_record(log_type: LogType, host: &str, form: impl Into<RowForm>, text: &str) -> Record {
    Records::new(log_type, host, form).read(text, serde_json::from_str(text).ok())
}

/// The records with these texts, as of one page.
#[cfg(test)]
fn read_records<'a>(
    log_type: LogType,
    host: &str,
    form: impl Into<RowForm>,
    texts: impl IntoIterator<Item = &'a str>,
) -> Vec<Record> {
    let mut reader = Records::new(log_type, host, form);
    let texts = texts.into_iter();
    texts
        .map(|text| reader.read(text, serde_json::from_str(text).ok()))
        .collect()
}
