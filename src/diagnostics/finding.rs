use serde::Serialize;

use crate::model::{FetchError, SendError};
use crate::status::{Cause, Code, Problem};
use crate::storage::StorageError;
use crate::{duo, ingestion};

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    pub subject: String,
    pub ok: bool,
    pub message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
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

    /// With a hint that is more precise than that of the code, if there is one.
    pub(super) fn with_hint(self, hint: Option<impl Into<String>>) -> Self {
        let hint = hint.map(Into::into).or(self.hint);
        Self { hint, ..self }
    }

    pub(super) fn of_duo(subject: impl Into<String>, error: &FetchError) -> Self {
        Self {
            http_status: error.status,
            ..Self::problem(subject, Code::of_fetch(error.kind), error.to_string())
        }
        .with_hint(duo::hint(error))
    }

    pub(super) fn of_azure_monitor(subject: impl Into<String>, error: &SendError) -> Self {
        Self {
            http_status: error.status,
            ..Self::problem(subject, Code::of_send(error.kind), error.to_string())
        }
        .with_hint(ingestion::hint(error))
    }

    pub(super) fn of_storage(subject: impl Into<String>, error: StorageError) -> Self {
        let message = error.to_string();
        Self::problem(subject, Code::State, message).with_hint(error.hint)
    }

    /// What is stored of a problem: no text of another service, and no name of a resource.
    pub(super) fn stored(&self) -> Problem {
        let cause = Cause { code: self.code, http_status: self.http_status };
        Problem { subject: self.subject.clone(), cause }
    }
}
