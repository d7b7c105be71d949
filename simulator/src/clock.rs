//! The simulators' time: real time plus an offset.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, Duration, Utc};

/// The clock of all simulators, for visibility, the `Date` header and the age of a signature.
///
/// Clones share one offset.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    offset_microseconds: Arc<AtomicI64>,
}

impl Clock {
    /// The simulated time.
    pub fn now(&self) -> DateTime<Utc> {
        #[expect(
            clippy::disallowed_methods,
            reason = "the one place where simulated time meets the clock"
        )]
        let now = Utc::now();
        now + self.offset()
    }

    /// How far the simulated time is ahead of the real one (negative: behind).
    pub fn offset(&self) -> Duration {
        Duration::microseconds(self.offset_microseconds.load(Ordering::SeqCst))
    }

    /// Sets how far the simulated time is ahead of the real one.
    ///
    /// An offset that overflows 64-bit microseconds counts as zero.
    pub fn set_offset(&self, offset: Duration) {
        let microseconds = offset.num_microseconds().unwrap_or(0);
        self.offset_microseconds.store(microseconds, Ordering::SeqCst);
    }

    /// Moves the simulated time forward by `step` (back, if negative).
    pub fn advance(&self, step: Duration) {
        let microseconds = step.num_microseconds().unwrap_or(0);
        self.offset_microseconds.fetch_add(microseconds, Ordering::SeqCst);
    }

    /// The simulated time in milliseconds since 1970.
    pub(crate) fn now_milliseconds(&self) -> i64 {
        self.now().timestamp_millis()
    }
}

/// The `Date` form of RFC 9110, always GMT.
pub(crate) fn http_date(time: DateTime<Utc>) -> String {
    time.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// Parses a mail or HTTP date; `-0000`, `+0000` and `GMT` all mean UTC here.
pub(crate) fn parse_date(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc2822(text).ok().map(|time| time.with_timezone(&Utc))
}
