//! Which code stands for what the core decides by.

use super::Code;
use crate::sync::{Failure, FetchFault, ParkCause, SendFault};

impl Code {
    /// Of an answer of Duo that is not a page.
    pub const fn of_fetch(fault: FetchFault) -> Self {
        match fault {
            FetchFault::Throttled { .. } => Self::DuoThrottled,
            FetchFault::Unreachable => Self::DuoUnreachable,
            FetchFault::Credentials => Self::DuoCredentials,
            FetchFault::Forbidden => Self::DuoForbidden,
            FetchFault::Gone => Self::DuoGone,
            FetchFault::Garbled => Self::DuoGarbled,
            FetchFault::Rejected | FetchFault::Fatal => Self::DuoRefused,
        }
    }

    /// Of a call that Azure Monitor did not accept.
    pub const fn of_send(fault: SendFault) -> Self {
        match fault {
            SendFault::Throttled { .. } => Self::AzureThrottled,
            SendFault::Unreachable => Self::AzureUnreachable,
            SendFault::Credentials => Self::AzureCredentials,
            SendFault::BadRecord | SendFault::TooLarge | SendFault::Fatal => Self::AzureRefused,
        }
    }

    /// Of a log that waits.
    pub const fn of_park(cause: ParkCause) -> Self {
        match cause {
            ParkCause::DuoThrottled => Self::DuoThrottled,
            ParkCause::DuoUnreachable => Self::DuoUnreachable,
            ParkCause::DuoCredentials => Self::DuoCredentials,
            ParkCause::AzureThrottled => Self::AzureThrottled,
            ParkCause::AzureUnreachable => Self::AzureUnreachable,
            ParkCause::StateUnreachable => Self::State,
            ParkCause::Unknown => Self::Unknown,
        }
    }

    /// Of a log that failed, where no answer says more.
    pub const fn of_failure(failure: Failure) -> Self {
        match failure {
            Failure::Duo => Self::DuoRefused,
            Failure::Check => Self::DuoChecksRefused,
            Failure::AzureMonitor => Self::AzureRefused,
            Failure::RecordsRefused => Self::RecordsRefused,
            Failure::State => Self::State,
            Failure::Future => Self::Future,
            Failure::OtherDestination { .. } => Self::OtherDestination,
            Failure::Window(_) => Self::DuoPaging,
        }
    }
}
