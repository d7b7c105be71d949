//! The rate limit of each log endpoint.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use crate::LogType;

const MINUTE_MILLISECONDS: i64 = 60_000;

/// Grants a number of requests in any 60 seconds to each endpoint.
#[derive(Debug)]
pub(super) struct RateLimit {
    requests_per_minute: Option<u32>,
    granted: Mutex<BTreeMap<LogType, VecDeque<i64>>>,
}

impl RateLimit {
    pub(super) fn new(requests_per_minute: Option<u32>) -> Self {
        Self { requests_per_minute, granted: Mutex::default() }
    }

    /// Whether a request at `now` (milliseconds) is granted; a refused one does not count.
    pub(super) fn allows(&self, log: LogType, now: i64) -> bool {
        let Some(most) = self.requests_per_minute else {
            return true;
        };
        let mut granted = self.granted.lock().unwrap_or_else(PoisonError::into_inner);
        let granted = granted.entry(log).or_default();
        // A time ahead of now comes from a clock that was set back.
        granted.retain(|time| (now - MINUTE_MILLISECONDS + 1..=now).contains(time));
        let allowed = granted.len() < most as usize;
        if allowed {
            granted.push_back(now);
        }
        allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_beyond_the_limit_is_granted_when_the_first_is_a_minute_old() {
        let rate = RateLimit::new(Some(2));
        let log = LogType::Activity;
        assert!(rate.allows(log, 0) && rate.allows(log, 10));
        assert!(!rate.allows(log, 59_999));
        assert!(rate.allows(LogType::Telephony, 59_999));
        assert!(rate.allows(log, 60_000));
        assert!(!rate.allows(log, 60_009));
    }
}
