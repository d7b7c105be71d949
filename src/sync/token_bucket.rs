//! The token bucket that keeps requests below Duo's rate limits without sleeping.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use crate::model::{MINUTE, Millis};

/// Requests that may follow one another at once before the rate applies.
const BURST: f64 = 10.0;
/// The account's bucket is this many times that of one log, because Duo limits the account as a whole too.
pub(crate) const ACCOUNT_SHARE: u32 = 3;

/// Requests that may still be made. Kept in the checkpoint, so that the limit holds over runs and restarts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TokenBucket {
    /// Whole and part requests left at `at`.
    pub tokens: f64,
    /// When `tokens` was counted.
    pub at: Millis,
}

impl TokenBucket {
    /// A bucket from which nothing was taken yet, for `share` times one log's rate.
    pub fn full(share: u32, now: Millis) -> Self {
        Self { tokens: BURST * f64::from(share), at: now }
    }

    /// Takes one request; where there is none, the error is how long to wait for the next one. `requests_per_minute` is one
    /// log's rate, 0 for no limit; `share` as in [`TokenBucket::full`].
    pub fn take(
        &mut self,
        requests_per_minute: u32,
        share: u32,
        now: Millis,
    ) -> Result<(), TimeDelta> {
        if requests_per_minute == 0 {
            return Ok(());
        }
        self.refill(requests_per_minute, share, now);
        if self.tokens >= 1.0 {
            self.tokens -= 1.0;
            return Ok(());
        }
        let per_millisecond = Self::per_millisecond(requests_per_minute, share);
        #[expect(clippy::cast_possible_truncation, reason = "at most a minute in milliseconds")]
        let wait = ((1.0 - self.tokens) / per_millisecond).ceil() as i64;
        Err(TimeDelta::milliseconds(wait.max(1)))
    }

    /// Puts an unused request back.
    pub fn give_back(&mut self, share: u32) {
        self.tokens = (self.tokens + 1.0).min(BURST * f64::from(share));
    }

    /// The lower of two accounts of the same bucket, each brought up to `now`.
    #[must_use]
    pub fn lower(
        mut self,
        mut other: Self,
        requests_per_minute: u32,
        share: u32,
        now: Millis,
    ) -> Self {
        self.refill(requests_per_minute, share, now);
        other.refill(requests_per_minute, share, now);
        self.tokens = self.tokens.min(other.tokens);
        self
    }

    fn per_millisecond(requests_per_minute: u32, share: u32) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a minute in milliseconds is exact")]
        let minute = MINUTE.num_milliseconds() as f64;
        f64::from(requests_per_minute) * f64::from(share) / minute
    }

    fn refill(&mut self, requests_per_minute: u32, share: u32, now: Millis) {
        // A clock set back must not freeze the bucket until it catches up: time then restarts from `now`.
        #[expect(
            clippy::cast_precision_loss,
            reason = "milliseconds since the last request, far below 2^52"
        )]
        let elapsed = (now - self.at).num_milliseconds().max(0) as f64;
        let refilled =
            elapsed.mul_add(Self::per_millisecond(requests_per_minute, share), self.tokens);
        self.tokens = refilled.clamp(0.0, BURST * f64::from(share));
        self.at = now;
    }
}

#[cfg(test)]
mod tests {
    use super::TokenBucket;
    use crate::model::{MINUTE, Millis};
    use chrono::TimeDelta;

    const fn ms(milliseconds: i64) -> TimeDelta {
        TimeDelta::milliseconds(milliseconds)
    }

    #[test]
    fn ten_calls_go_at_once_and_the_eleventh_waits_six_seconds() {
        let now = Millis(1_000_000);
        let mut bucket = TokenBucket::full(1, now);
        for _ in 0..10 {
            bucket.take(10, 1, now).unwrap();
        }
        assert_eq!(bucket.take(10, 1, now), Err(ms(6000)));
        assert_eq!(bucket.take(10, 1, now + ms(6000)), Ok(()));
        assert!(bucket.take(10, 1, now + ms(6001)).is_err());
    }

    #[test]
    fn the_accounts_bucket_holds_thirty_calls_and_no_more() {
        let now = Millis(1_000_000);
        let mut bucket = TokenBucket::full(3, now);
        bucket.give_back(3);
        let granted = |bucket: &mut TokenBucket, now| {
            let calls = (0..100).take_while(|_| bucket.take(10, 3, now).is_ok());
            calls.count()
        };
        assert_eq!(granted(&mut bucket, now), 30);
        bucket.give_back(3);
        assert_eq!(granted(&mut bucket, now), 1);
        assert_eq!(granted(&mut bucket, now + MINUTE), 30);
    }

    #[test]
    fn the_wait_is_for_what_is_missing_of_a_call() {
        let mut bucket = TokenBucket { tokens: 0.75, at: Millis(0) };
        assert_eq!(bucket.take(10, 1, Millis(0)), Err(ms(1500)));
        assert_eq!(bucket.take(10, 1, Millis(1499)), Err(ms(1)));
        assert_eq!(bucket.take(10, 1, Millis(1500)), Ok(()));
    }

    #[test]
    fn the_lower_of_two_accounts_counts_both_brought_up_to_now() {
        let account = |tokens, at| TokenBucket { tokens, at: Millis(at) };
        // Six seconds bring one call.
        let (old, new) = (account(2.0, 0), account(4.0, 18_000));
        let now = Millis(18_000);
        assert_eq!(old.lower(new, 10, 1, now), account(4.0, 18_000));
        assert_eq!(new.lower(account(1.0, 0), 10, 1, now), account(4.0, 18_000));
        let now = Millis(24_000);
        let lower = account(3.0, 24_000);
        assert_eq!(new.lower(account(3.0, 24_000), 10, 1, now), lower);
        assert_eq!(account(3.0, 24_000).lower(new, 10, 1, now), lower);
    }

    #[test]
    fn a_minute_never_grants_more_than_rate_and_burst_together() {
        let start = Millis(0);
        let mut bucket = TokenBucket::full(1, start);
        let granted = (0..MINUTE.num_milliseconds())
            .filter(|elapsed| bucket.take(10, 1, start + ms(*elapsed)).is_ok())
            .count();
        assert!((19..=20).contains(&granted), "{granted}");
    }

    #[test]
    fn a_clock_set_back_does_not_freeze_the_bucket() {
        let mut bucket = TokenBucket { tokens: 0.0, at: Millis(1_000_000_000) };
        assert!(bucket.take(10, 1, Millis(0)).is_err());
        assert_eq!(bucket.take(10, 1, Millis(6000)), Ok(()));
    }

    #[test]
    fn zero_means_no_limit() {
        let mut bucket = TokenBucket { tokens: 0.0, at: Millis(0) };
        assert_eq!(bucket.take(0, 1, Millis(0)), Ok(()));
    }
}
