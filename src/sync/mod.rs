//! The pure core: what to ask next, when a window closes, what is new, what to commit, when to park.
//!
//! Nothing here does I/O, reads a clock or draws from a hidden source of chance. [`LogRun`] is one run of one
//! log: it is told what happened ([`Event`]) and at what time, and answers with the one thing to do next
//! ([`Action`]). The shell in [`crate::collect`] does it and reports back. A kill is then simply a run that is
//! never stepped again, and every interleaving can be tried without a socket.
//!
//! The order of the actions is the promise: a page is fetched, the sink accepts a call, the ledger records
//! that call's ids, and only after the last call of the page does the checkpoint move. What a row lacks of its record,
//! and a record that is refused, is set aside before the ledger names it.

mod bucket;
mod checkpoint;
mod dead_letter;
mod ending;
mod event;
mod field_counts;
mod hours;
mod page;
mod run;
pub(crate) mod stored;
mod sweep;
#[cfg(test)]
mod tests;
mod window;

pub use bucket::{ACCOUNT_SHARE, Bucket};
pub use checkpoint::{Checkpoint, Claim, Destination, Parked, Rates, Unavailable};
pub use dead_letter::{DeadLetter, Why};
pub use ending::{DeadLetterTally, Ending, Failure, Notice, ParkCause, Tally, WindowFault};
pub use event::{
    Action, Conclusion, Event, FetchFault, IngestKind, Limits, PageRequest, PageSeen, RowId, Seen,
    SendFault, Shipment,
};
pub use field_counts::FieldCounts;
pub use hours::{DayResults, HourResult, HourState, KEPT_DAYS};
pub use run::LogRun;
pub use stored::Unreadable;
pub use sweep::{Due, Reading, Span, Sweeps};
pub use window::{Reread, Window};
