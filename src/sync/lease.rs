//! The lease of a log in its checkpoint: only the instance that holds it sends rows.

use chrono::TimeDelta;

use super::checkpoint::{Destination, Lease};
use super::ports::Ports;
use super::state::Run;
use super::stop::Stop;

/// Time that a lease lasts beyond the timeout of a request.
const LEASE_MARGIN: TimeDelta = TimeDelta::seconds(60);
/// Time that the lease must last beyond a request's timeout, for the ledger write.
const LEASE_RESERVE: TimeDelta = TimeDelta::seconds(30);

impl<P: Ports> Run<'_, P> {
    /// Takes the lease, or renews it if it could expire during a request that starts now.
    pub(super) async fn hold_lease(&mut self) -> Result<(), Stop> {
        let needed_until = self.now() + self.timeout() + LEASE_RESERVE;
        let lease = self.checkpoint.lease.as_ref();
        if self.has_lease && lease.is_some_and(|lease| lease.expires_at >= needed_until) {
            return Ok(());
        }
        self.renew_lease();
        self.save().await?;
        self.has_lease = true;
        Ok(())
    }

    pub(super) fn renew_lease(&mut self) {
        let expires_at = self.now() + self.timeout() + LEASE_MARGIN;
        self.checkpoint.lease = Some(Lease { owner: self.config.owner.clone(), expires_at });
        self.sign_destination();
    }

    /// Records the destination of the rows, even if the run sends none.
    pub(super) fn sign_destination(&mut self) {
        let fingerprint = self.config.destination.clone();
        self.checkpoint.destination = Some(Destination { fingerprint, used_at: self.now() });
    }

    fn timeout(&self) -> TimeDelta {
        TimeDelta::from_std(self.checkpoint.timeout()).expect("at most two minutes")
    }

    pub(super) fn holds_lease(&self) -> bool {
        let lease = self.checkpoint.lease.as_ref();
        lease.is_some_and(|lease| lease.owner == self.config.owner)
    }
}
