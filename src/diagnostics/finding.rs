//! What was found about one thing.

use serde::Serialize;

use crate::duo;
use crate::ingestion;
use crate::model::{FetchError, SendError};
use crate::status::{Code, Found};
use crate::storage::StorageError;

/// What was found about one thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at.
    pub subject: String,
    /// Whether it is in order.
    pub ok: bool,
    /// What was found.
    pub message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// What is wrong, as a known code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
    /// HTTP status of the answer behind it, where there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_status: Option<u16>,
}

impl Finding {
    pub(super) fn ok(subject: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            subject: subject.into(),
            ok: true,
            message: message.into(),
            hint: None,
            code: None,
            http_status: None,
        }
    }

    pub(super) fn problem(
        subject: impl Into<String>,
        code: Code,
        message: impl Into<String>,
    ) -> Self {
        Self {
            ok: false,
            code: Some(code),
            hint: Some(code.hint().to_owned()),
            ..Self::ok(subject, message)
        }
    }

    /// With what is known to help better than the remedy of the code, where there is such a hint.
    pub(super) fn with_hint(self, hint: Option<String>) -> Self {
        Self {
            hint: hint.or(self.hint),
            ..self
        }
    }

    pub(super) fn of_duo(subject: impl Into<String>, fault: &FetchError) -> Self {
        Self {
            http_status: fault.status,
            ..Self::problem(subject, Code::of_fetch(fault.kind), fault.to_string())
        }
        .with_hint(duo::hint(fault))
    }

    pub(super) fn of_sink(subject: impl Into<String>, fault: &SendError) -> Self {
        let code = Code::of_send(fault.kind);
        Self {
            http_status: fault.status,
            ..Self::problem(subject, code, fault.to_string())
        }
        .with_hint(ingestion::hint(fault).map(str::to_owned))
    }

    pub(super) fn of_state(subject: impl Into<String>, fault: StorageError) -> Self {
        let message = fault.to_string();
        Self::problem(subject, Code::State, message).with_hint(fault.hint)
    }

    /// What is stored of it: no text of another service, and no place.
    pub(super) fn found(&self) -> Found {
        Found {
            subject: self.subject.clone(),
            code: self.code,
            http_status: self.http_status,
        }
    }
}
