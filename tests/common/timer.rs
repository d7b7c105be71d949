//! The body that the host sends when a timer fires.

use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};

/// The body of an invocation.
#[derive(Clone, Debug)]
pub(crate) enum Body {
    /// A timer that fired on time.
    Timer,
    /// A timer that has missed ticks.
    PastDue,
    /// The first invocation of a timer: the year of its last run is 1.
    FirstEver,
    /// A timer without schedule monitoring.
    NoScheduleStatus,
    /// Arbitrary bytes.
    Raw(Vec<u8>),
}

impl Body {
    pub(crate) fn bytes(self, function: &str, binding: &str) -> Vec<u8> {
        let now = moment(TimeDelta::zero());
        let last = moment(TimeDelta::minutes(1));
        let status = |last: &str| json!({"Last": last, "Next": now, "LastUpdated": last});
        let value = match self {
            Self::Timer => timer(&status(&last), false),
            Self::PastDue => timer(&status(&last), true),
            Self::FirstEver => timer(&status("0001-01-01T00:00:00"), false),
            Self::NoScheduleStatus => timer(&Value::Null, false),
            Self::Raw(bytes) => return bytes,
        };
        let data = json!({binding: value});
        let system = json!({"MethodName": function, "UtcNow": now, "RandGuid": "5f3c9d0e-3a2e-4f43-9a0c-0b6a3a9d6f11"});
        json!({"Data": data, "Metadata": {"sys": system}}).to_string().into_bytes()
    }
}

/// The timer's value: an object, unlike the values of other triggers.
pub(crate) fn timer(schedule_status: &Value, is_past_due: bool) -> Value {
    json!({
        "Schedule": {"AdjustForDST": true},
        "ScheduleStatus": schedule_status,
        "IsPastDue": is_past_due,
    })
}

/// A time with seven decimals of a second, as .NET writes it.
fn moment(ago: TimeDelta) -> String {
    #[expect(clippy::disallowed_methods, reason = "the host's own clock")]
    let time = Utc::now() - ago;
    time.format("%Y-%m-%dT%H:%M:%S%.6f1+00:00").to_string()
}
