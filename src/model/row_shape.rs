use std::fmt;
use std::ops::Range;

use bytes::BytesMut;
use smallvec::SmallVec;

/// How the text of a record becomes a row.
#[derive(Clone, Debug, Default)]
pub enum RowShape {
    /// As it is, with the values at these places (`true`, `false`) put in quotation marks. A device has three of them.
    Object(SmallVec<[Range<usize>; 3]>),
    /// One member per column.
    Flattened(Box<FlatRow>),
    /// As one text in `raw_record`, because it is no object, or has a field that the row or the service reserves.
    #[default]
    Wrapped,
}

/// A record as one member per column, for the Logs Ingestion API.
#[derive(Clone, Default)]
pub struct FlatRow {
    /// The members of the row, each with a comma behind it.
    pub members: BytesMut,
    /// Paths without a declared column, or with a value that fits no column of theirs.
    pub unmapped: Vec<String>,
    /// Paths without a column for which `AdditionalFields` had no room.
    pub left_out: Vec<String>,
}

impl fmt::Debug for FlatRow {
    /// Without what the record says.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("FlatRow")
            .field("bytes", &self.members.len())
            .finish_non_exhaustive()
    }
}

/// A value of which only the beginning goes into the row.
#[derive(Clone, Debug)]
pub struct Truncation {
    /// Where the value stands in the text of the record.
    pub place: Range<usize>,
    /// Bytes that are kept: of the text that the value means, or of its JSON.
    pub kept: usize,
    /// Whether the value is a text, and not JSON that becomes one.
    pub is_text: bool,
    /// Its path, as the service names the column, without the suffix.
    pub field: String,
}
