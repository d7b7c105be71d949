use serde::Serialize;

use crate::collector::Explanation;
use crate::status::{Cause, CheckError, Code};
use crate::sync::RunError;

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    pub subject: String,
    /// Whether there is no error.
    pub ok: bool,
    /// Whether an operator may have to act although collection works.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub warning: bool,
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
            warning: false,
            message: message.into(),
            hint: None,
            code: None,
            http_status: None,
        }
    }

    pub(super) fn error(
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

    /// Replaces the hint of the code with a more precise one, if any.
    pub(super) fn with_hint(self, hint: Option<impl Into<String>>) -> Self {
        let hint = hint.map(Into::into).or(self.hint);
        Self { hint, ..self }
    }

    /// An error of a service or of storage, with its own hint or that of its code.
    pub(super) fn of(subject: impl Into<String>, error: impl Into<RunError>) -> Self {
        let Explanation { code, http_status, message, hint } = (&error.into()).into();
        let hint = hint.or(code.map(|code| code.hint().to_owned()));
        let message = message.unwrap_or_default();
        Self { ok: false, code, http_status, hint, ..Self::ok(subject, message) }
    }

    /// The stored form of a problem, without text of other services and names of resources.
    pub(super) fn stored(&self) -> CheckError {
        let cause = Cause { code: self.code, http_status: self.http_status };
        CheckError { subject: self.subject.clone(), cause }
    }
}
