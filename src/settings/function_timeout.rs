//! How long a run may begin new work: below the host's time limit, whatever says it.

use serde_json::Value;

use super::reader::Reader;
use crate::model::{MINUTE, SECOND};

const TIMEOUT: &str = "AzureFunctionsJobHost__functionTimeout";
/// The shortest default of any hosting plan (Consumption), where nothing is said.
const DEFAULT_TIMEOUT: i64 = 5 * MINUTE;
/// How long before the host's limit a run ends, so that it is never killed in the middle of a call.
const MARGIN: i64 = MINUTE;

/// The run budget in milliseconds.
pub(super) fn run_budget(reader: &mut Reader<'_>) -> i64 {
    let wanted = reader.number("CISCO_DUO_RUN_SECONDS", 1..=3600, 50) * SECOND;
    let host_json = reader.environment.host_json.as_deref();
    let limit = match reader.optional(TIMEOUT) {
        Some(text) => {
            let limit = parse(text);
            if limit.is_none() {
                reader.fault(TIMEOUT, format!("\"{text}\" is not of the form hh:mm:ss"));
            }
            limit.unwrap_or(DEFAULT_TIMEOUT)
        }
        // What is wrong with host.json is the host's to report.
        None => host_json
            .and_then(|text| serde_json::from_str::<Value>(text).ok())
            .and_then(|json| parse(json.get("functionTimeout")?.as_str()?))
            .unwrap_or(DEFAULT_TIMEOUT),
    };
    // A limit that leaves no margin leaves at least half of itself.
    wanted.min((limit - MARGIN).max(limit / 2))
}

/// Reads `hh:mm:ss` or `d.hh:mm:ss` as milliseconds; "-1" is no limit.
fn parse(text: &str) -> Option<i64> {
    if text == "-1" {
        return Some(i64::MAX);
    }
    let (days, clock) = text
        .split_once('.')
        .filter(|(_, rest)| rest.contains(':'))
        .unwrap_or(("0", text));
    let clock = clock.split_once('.').map_or(clock, |(whole, _)| whole);
    let [hours, minutes, seconds] = clock.split(':').collect::<Vec<_>>().try_into().ok()?;
    let number = |text: &str, most: i64| {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse()
            .ok()
            .filter(|number| digits && (0..=most).contains(number))
    };
    let days = number(days, 10_000)?;
    let hours = number(hours, 23)? + 24 * days;
    let total = (hours * 60 + number(minutes, 59)?) * 60 + number(seconds, 59)?;
    (total > 0).then_some(total * SECOND)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn time_limits_are_read_as_the_host_writes_them() {
        assert_eq!(parse("00:10:00"), Some(600_000));
        assert_eq!(parse("1.00:00:30"), Some(86_430_000));
        assert_eq!(parse("00:05:00.0000000"), Some(300_000));
        assert_eq!(parse("-1"), Some(i64::MAX));
        for wrong in ["", "ten", "10", "00:99:00", "-00:10:00", "25:00:00"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
