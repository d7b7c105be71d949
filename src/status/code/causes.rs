//! The code of each error of the core.

use super::Code;
use crate::model::{FetchErrorKind, SendErrorKind};
use crate::sync::{BackOffCause, Failure};

impl Code {
    pub(crate) const fn of_fetch(kind: FetchErrorKind) -> Self {
        match kind {
            FetchErrorKind::Throttled { .. } => Self::DuoThrottled,
            FetchErrorKind::Unreachable | FetchErrorKind::TimedOut => Self::DuoUnreachable,
            FetchErrorKind::Credentials => Self::DuoCredentials,
            FetchErrorKind::Forbidden => Self::DuoForbidden,
            FetchErrorKind::Gone => Self::DuoGone,
            FetchErrorKind::Malformed => Self::DuoGarbled,
            FetchErrorKind::Rejected | FetchErrorKind::Fatal => Self::DuoRefused,
        }
    }

    pub(crate) const fn of_send(kind: SendErrorKind) -> Self {
        match kind {
            SendErrorKind::Throttled { .. } => Self::AzureThrottled,
            SendErrorKind::Unreachable | SendErrorKind::TimedOut => Self::AzureUnreachable,
            SendErrorKind::Credentials => Self::AzureCredentials,
            SendErrorKind::NoToken { .. } => Self::AzureNoToken,
            SendErrorKind::BadRecord
            | SendErrorKind::TooLarge
            | SendErrorKind::Intercepted
            | SendErrorKind::Fatal => Self::AzureRefused,
        }
    }

    pub(crate) const fn of_back_off(cause: BackOffCause) -> Self {
        match cause {
            BackOffCause::DuoThrottled => Self::DuoThrottled,
            BackOffCause::DuoUnreachable => Self::DuoUnreachable,
            BackOffCause::DuoCredentials => Self::DuoCredentials,
            BackOffCause::AzureThrottled => Self::AzureThrottled,
            BackOffCause::AzureUnreachable => Self::AzureUnreachable,
            BackOffCause::StorageUnreachable => Self::State,
            BackOffCause::Unknown => Self::Unknown,
        }
    }

    pub(crate) const fn of_failure(failure: Failure) -> Self {
        match failure {
            Failure::Duo => Self::DuoRefused,
            Failure::Reconciliation => Self::DuoChecksRefused,
            Failure::AzureMonitor => Self::AzureRefused,
            Failure::RecordsRefused => Self::RecordsRefused,
            Failure::Storage => Self::State,
            Failure::Future => Self::Future,
            Failure::OtherDestination { .. } => Self::OtherDestination,
            Failure::Window(_) => Self::DuoPaging,
        }
    }
}
