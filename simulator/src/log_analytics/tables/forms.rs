//! Texts that mean more than a text: GUIDs and moments.

use chrono::{DateTime, NaiveDateTime, Utc};
use uuid::Uuid;

/// The GUID that a text is, with dashes and in lower case; 32 digits without dashes are one too.
pub(crate) fn guid(text: &str) -> Option<String> {
    // In braces it is none here.
    let uuid = matches!(text.len(), 32 | 36).then(|| Uuid::try_parse(text).ok());
    uuid.flatten().map(|uuid| uuid.to_string())
}

/// The moment that an ISO 8601 date-time with a `T` means; without a zone it is taken as UTC.
pub(crate) fn moment(text: &str) -> Option<DateTime<Utc>> {
    if text.as_bytes().get(10) != Some(&b'T') {
        return None;
    }
    let zoned = DateTime::parse_from_rfc3339(text).ok();
    let zoned = zoned.map(|time| time.with_timezone(&Utc));
    zoned.or_else(|| {
        NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").ok().map(|time| time.and_utc())
    })
}

/// The one spelling of a moment in a table: UTC, seven digits behind the seconds.
pub(crate) fn spelled(time: DateTime<Utc>) -> String {
    let ticks = time.timestamp_subsec_nanos() / 100 % 10_000_000;
    format!("{}.{ticks:07}Z", time.format("%Y-%m-%dT%H:%M:%S"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guids_are_told_with_and_without_dashes() {
        let dashed = "8909cd1c-4b50-4f76-8f60-1a5c7d3d0a11";
        assert_eq!(guid(dashed).as_deref(), Some(dashed));
        assert_eq!(guid("8909CD1C4B504F768F601A5C7D3D0A11").as_deref(), Some(dashed));
        for other in [
            "",
            "8909cd1c4b504f768f601a5c7d3d0a1",
            "8909cd1c-4b50-4f76-8f60-1a5c7d3d0a1g",
            "8909cd1c-4b50-4f768-f60-1a5c7d3d0a11",
            "8909cd1c4b504f768f601a5c7d3d0a118909cd1c",
            "{8909cd1c-4b50-4f76-8f60-1a5c7d3d0a11}",
        ] {
            assert_eq!(guid(other), None, "{other}");
        }
    }

    #[test]
    fn moments_have_one_spelling() {
        let spelled = |text| moment(text).map(super::spelled);
        for (text, expected) in [
            ("2020-01-23T16:18:58.780775+00:00", "2020-01-23T16:18:58.7807750Z"),
            ("2020-01-23T17:18:58.780775+01:00", "2020-01-23T16:18:58.7807750Z"),
            ("2016-05-12T20:00:00.625Z", "2016-05-12T20:00:00.6250000Z"),
            ("2016-05-12T20:00:00", "2016-05-12T20:00:00.0000000Z"),
        ] {
            assert_eq!(spelled(text).as_deref(), Some(expected), "{text}");
        }
        for other in [
            "2016-05-12",
            "2016-05-12 20:00:00Z",
            "2016-05-12T20: 00: 00+00:00",
            "2016-13-12T20:00:00Z",
            "1.24.0",
            "2022.07.19.001",
        ] {
            assert_eq!(spelled(other), None, "{other}");
        }
    }
}
