//! A Duo record, from its page to its row.

use std::ops::Range;
use std::sync::Arc;

use bytes::BytesMut;
use smallvec::SmallVec;

use super::{Hour, Millis};

/// Identity of an event: the first 20 bytes of a SHA-256, shown as 40 hex digits in `event_uid`.
pub(crate) type EventUid = [u8; 20];
/// Fingerprint of a record's content: 4 bytes of a hash, shown as 8 hex digits in `event_content`.
pub(crate) type EventContent = [u8; 4];

/// Identity of a record: records with equal keys are one event, delivered once.
///
/// Displayed as `{event_uid}-{event_content}`, the name of a dead letter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, derive_more::Display)]
#[display("{}-{}", hex::encode(uid), hex::encode(content))]
pub struct RecordKey {
    /// Identity of the event, from Duo's id and the event time.
    pub uid: EventUid,
    /// Fingerprint of the record's content.
    pub content: EventContent,
}

/// A record: Duo's text and the values parsed from it. `Debug` does not show the text.
#[derive(Clone, Default, derive_more::Debug)]
#[debug("Record({key}, {} bytes)", range.len())]
pub struct Record {
    /// The page with the text; its memory is shared by the records of the page.
    pub page: Arc<String>,
    /// Range of the text in the page.
    pub range: Range<usize>,
    /// Identity of the record.
    pub key: RecordKey,
    /// Content of the same event that this record replaces, if Duo changed it in place.
    pub replaces: Option<EventContent>,
    /// Event time in microseconds since 1970; `None` if the record has no valid time.
    pub time_micros: Option<i64>,
    /// How the text is converted to a row.
    pub shape: RowShape,
    /// Truncated values, in text order.
    pub truncations: Vec<Truncation>,
    /// Upper bound of the encoded row, in bytes.
    pub row_bytes: usize,
}

impl Record {
    /// Duo's JSON text.
    pub fn text(&self) -> &str {
        &self.page[self.range.clone()]
    }

    /// Copies the text, so that the record does not keep its page in memory.
    #[must_use]
    pub fn detached(self) -> Self {
        let text = self.text().to_owned();
        Self { range: 0..text.len(), page: Arc::new(text), ..self }
    }

    /// Event time in milliseconds, rounded down.
    pub fn time(&self) -> Option<Millis> {
        self.time_micros.map(|micros| Millis(micros.div_euclid(1000)))
    }

    /// The hour under which its ledger entry is stored.
    pub fn hour(&self) -> Hour {
        self.time().map_or(Hour::UNDATED, Hour::of)
    }

    /// Truncated or omitted fields, named like their columns without the suffix.
    pub fn truncated_fields(&self) -> impl Iterator<Item = &str> {
        let left_out = match &self.shape {
            RowShape::Rewritten(flat) => &flat.left_out[..],
            RowShape::Object(_) | RowShape::Wrapped => &[],
        };
        let truncated = || self.truncations.iter().map(|truncation| truncation.field.as_str());
        let left_out = left_out.iter().map(String::as_str);
        truncated().chain(left_out.filter(move |name| !truncated().any(|other| other == *name)))
    }

    /// Whether values of the row are truncated or omitted.
    pub fn is_truncated(&self) -> bool {
        self.truncated_fields().next().is_some()
    }

    /// Paths of the values in `AdditionalFields`: unmapped fields, and values that do not fit their
    /// column.
    pub fn unmapped_fields(&self) -> &[String] {
        match &self.shape {
            RowShape::Rewritten(flat) => &flat.unmapped,
            RowShape::Object(_) | RowShape::Wrapped => &[],
        }
    }
}

/// The range of a part within the text from which it must be borrowed, as serde does.
pub(crate) fn position(whole: &str, part: &str) -> Range<usize> {
    let start = (part.as_ptr() as usize).wrapping_sub(whole.as_ptr() as usize);
    start..start.wrapping_add(part.len())
}

/// How the text of a record is converted to a row.
#[derive(Clone, Debug, Default)]
pub enum RowShape {
    /// Duo's text with the values at these ranges (`true`, `false`) quoted. A device has three.
    Object(SmallVec<[Range<usize>; 3]>),
    /// Members that differ from Duo's text: other columns, or values moved to `AdditionalFields`.
    Rewritten(Box<RewrittenRow>),
    /// The whole text in `raw_record`, because it is not an object or has a reserved field.
    #[default]
    Wrapped,
}

/// The members of a row: one per column for the Logs Ingestion API; Duo's without those that have no
/// column for the Data Collector API; and `AdditionalFields`. `Debug` does not show them.
#[derive(Clone, Default, derive_more::Debug)]
#[debug("RewrittenRow({} bytes)", members.len())]
pub struct RewrittenRow {
    /// The members of the row, each followed by a comma.
    pub members: BytesMut,
    /// Paths of values in `AdditionalFields`.
    pub unmapped: Vec<String>,
    /// Paths without a column that did not fit into `AdditionalFields`.
    pub left_out: Vec<String>,
}

/// A truncated value.
#[derive(Clone, Debug)]
pub struct Truncation {
    /// Range of the value in the record's text.
    pub range: Range<usize>,
    /// Bytes kept: of the decoded text, or of the JSON.
    pub kept: usize,
    /// Whether the value is a JSON string.
    pub is_text: bool,
    /// Its path, named like the column without the suffix.
    pub field: String,
}

#[cfg(test)]
mod tests {
    use super::position;

    #[test]
    fn the_position_of_a_borrowed_part_is_its_range() {
        let whole = "true true";
        assert_eq!(position(whole, &whole[5..]), 5..9);
    }
}
