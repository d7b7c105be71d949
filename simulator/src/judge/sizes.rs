//! Values that are larger than the service keeps.

use crate::json::{Json, Members};

use crate::log_analytics::tables::LARGEST_COLLECTED;

/// How many values of a row the service cuts. Objects become a column for each member, arrays one column.
pub(crate) fn values_cut(members: &Members<'_>) -> u64 {
    members.iter().map(|(_, value)| of_value(value)).sum()
}

fn of_value(value: &Json<'_>) -> u64 {
    match value {
        Json::Object(members) => values_cut(members),
        Json::Text(text) => u64::from(text.len() > LARGEST_COLLECTED),
        Json::Array(array) => u64::from(array.text.len() > LARGEST_COLLECTED),
        Json::Null | Json::Truth(_) | Json::Number(_) => 0,
    }
}
