//! A clock that runs ahead, for the demo and for tests: a day cannot be waited for.

use super::reader::Reader;

/// How far the clock of runs is ahead of this machine's, in milliseconds. Only where the simulators are built in; the
/// deployed program does not read it.
pub(super) fn offset(reader: &mut Reader<'_>) -> i64 {
    if cfg!(feature = "demo") {
        reader.number("CISCO_DUO_DEMO_CLOCK_SECONDS", 0..=400 * 24 * 60 * 60, 0)
            * crate::model::SECOND
    } else {
        0
    }
}
