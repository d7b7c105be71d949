//! A token bucket that keeps requests below Duo's rate limits without sleeping.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use crate::model::Millis;

const MINUTE_MS: u32 = 60_000;
/// Requests allowed at once before the rate applies.
const BURST: u32 = 10;
/// The account's bucket is this many times that of one log, because Duo also limits the account.
pub(crate) const ACCOUNT_SHARE: u32 = 3;

/// Remaining requests. Stored in the checkpoint, so that the limit holds across runs and restarts.
///
/// Stores the time at which it is full again; each request delays it by the interval of the rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TokenBucket {
    /// Time at which the bucket is full again.
    pub full_at: Millis,
}

impl TokenBucket {
    /// A full bucket.
    pub const fn full(now: Millis) -> Self {
        Self { full_at: now }
    }

    /// Takes one token; the error is the time until the next one. `requests_per_minute` is the rate
    /// per log, 0 for no limit; `share` multiplies rate and burst.
    pub fn take(
        &mut self,
        requests_per_minute: u32,
        share: u32,
        now: Millis,
    ) -> Result<(), TimeDelta> {
        let Some(rate) = requests_per_minute.checked_mul(share).filter(|rate| *rate > 0) else {
            return Ok(());
        };
        // Rounded up, to stay within Duo's limit.
        let per_request = TimeDelta::milliseconds(MINUTE_MS.div_ceil(rate).into());
        let empty_for = per_request * (BURST * share).cast_signed();
        self.full_at = self.full_at.max(now);
        if self.full_at > now + empty_for {
            // The clock was set back, or the rate was raised. One token remains, so that the run
            // continues and stores the bucket; otherwise every run would wait for the clock.
            self.full_at = now + empty_for - per_request;
        }
        let wait = self.full_at - now + per_request - empty_for;
        if wait > TimeDelta::zero() {
            return Err(wait);
        }
        self.full_at = self.full_at + per_request;
        Ok(())
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
    fn ten_requests_are_granted_at_once_and_the_eleventh_waits_six_seconds() {
        let now = Millis(1_000_000);
        let mut bucket = TokenBucket::full(now);
        for _ in 0..10 {
            bucket.take(10, 1, now).unwrap();
        }
        assert_eq!(bucket.take(10, 1, now), Err(ms(6000)));
        assert_eq!(bucket.take(10, 1, now + ms(6000)), Ok(()));
        assert!(bucket.take(10, 1, now + ms(6001)).is_err());
    }

    #[test]
    fn the_accounts_bucket_holds_thirty_requests_and_no_more() {
        let now = Millis(1_000_000);
        let mut bucket = TokenBucket::full(now);
        let granted = |bucket: &mut TokenBucket, now| {
            let requests = (0..100).take_while(|_| bucket.take(10, 3, now).is_ok());
            requests.count()
        };
        assert_eq!(granted(&mut bucket, now), 30);
        assert_eq!(granted(&mut bucket, now + ms(2000)), 1);
        assert_eq!(granted(&mut bucket, now + MINUTE + ms(2000)), 30);
    }

    #[test]
    fn the_wait_lasts_until_one_token_is_available() {
        let mut bucket = TokenBucket { full_at: Millis(55_500) };
        assert_eq!(bucket.take(10, 1, Millis(0)), Err(ms(1500)));
        assert_eq!(bucket.take(10, 1, Millis(1499)), Err(ms(1)));
        assert_eq!(bucket.take(10, 1, Millis(1500)), Ok(()));
    }

    #[test]
    fn a_minute_never_grants_more_than_rate_and_burst_together() {
        let start = Millis(0);
        for (rate, most) in [(10, 20), (7, 17), (600, 610)] {
            let mut bucket = TokenBucket::full(start);
            let granted = (0..MINUTE.num_milliseconds())
                .filter(|elapsed| bucket.take(rate, 1, start + ms(*elapsed)).is_ok())
                .count();
            assert!((most - 1..=most).contains(&granted), "{granted}");
        }
    }

    #[test]
    fn a_clock_set_back_does_not_freeze_the_bucket() {
        let mut bucket = TokenBucket { full_at: Millis(1_000_000_000) };
        assert_eq!(bucket.take(10, 1, Millis(0)), Ok(()));
        assert_eq!(bucket.take(10, 1, Millis(0)), Err(ms(6000)));
        assert_eq!(bucket.take(10, 1, Millis(6000)), Ok(()));
    }

    #[test]
    fn zero_means_no_limit() {
        let mut bucket = TokenBucket { full_at: Millis(1_000_000_000) };
        assert_eq!(bucket.take(0, 1, Millis(0)), Ok(()));
    }
}
