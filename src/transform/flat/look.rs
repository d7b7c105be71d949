//! Detects the type of a text as the Data Collector API does, which names the column by it.

use chrono::{DateTime, Datelike as _, NaiveDateTime};

/// Limits of a `datetime` column: it has no earlier year, no second 60 and no larger UTC offset.
/// <https://learn.microsoft.com/kusto/query/scalar-data-types/datetime>
const FIRST_YEAR: i32 = 1;
const FURTHEST_ZONE: i32 = 14 * 60 * 60;
/// Maximum text of a number in a column, in bytes.
const LONGEST_NUMBER: usize = 100;

/// Whether a text is a GUID, with or without dashes; `inside` excludes the quotation marks.
pub(in crate::transform) fn is_guid(inside: &str) -> bool {
    let bytes = inside.as_bytes();
    match bytes.len() {
        32 => bytes.iter().all(u8::is_ascii_hexdigit),
        36 => is_dashed(bytes),
        _ => false,
    }
}

pub(in crate::transform) fn is_time(inside: &str) -> bool {
    let bytes = inside.as_bytes();
    (19..=40).contains(&bytes.len())
        && (bytes[4], bytes[10]) == (b'-', b'T')
        && bytes[17..19] != *b"60"
        && (DateTime::parse_from_rfc3339(inside).is_ok_and(|time| {
            let offset = time.offset().local_minus_utc();
            offset.abs() <= FURTHEST_ZONE && time.naive_utc().year() >= FIRST_YEAR
        }) || NaiveDateTime::parse_from_str(inside, "%Y-%m-%dT%H:%M:%S%.f")
            .is_ok_and(|time| time.year() >= FIRST_YEAR))
}

/// Whether a number fits into a `real` column.
pub(super) fn is_number(inside: &str) -> bool {
    inside.len() <= LONGEST_NUMBER && serde_json::from_str::<f64>(inside).is_ok_and(f64::is_finite)
}

fn is_dashed(bytes: &[u8]) -> bool {
    (0..).zip(bytes).all(|(index, byte)| match index {
        8 | 13 | 18 | 23 => *byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    })
}

/// Adds the dashes to a GUID without, as Azure Monitor stores it.
pub(super) fn dashed(inside: &str) -> Option<String> {
    (inside.len() == 32).then(|| {
        let parts = [0..8, 8..12, 12..16, 16..20, 20..32];
        parts.map(|part| &inside[part]).join("-")
    })
}

#[cfg(test)]
mod tests {
    use super::{LONGEST_NUMBER, dashed, is_guid, is_number, is_time};

    #[test]
    fn guids_and_times_are_distinguished_from_other_texts() {
        for guid in [
            "340a23e3-23f3-4e9d-9a1d-2b1f0a7c9b11",
            "340a23e323f34e9d9a1d2b1f0a7c9b11",
            "340A23E323F34E9D9A1D2B1F0A7C9B11",
        ] {
            assert!(is_guid(guid) && !is_time(guid), "{guid}");
        }
        for time in [
            "2026-11-22T11:55:01.234567+00:00",
            "2026-11-22T11:55:01Z",
            "2026-11-22T11:55:01",
            "2026-11-22T11:55:01.5-05:00",
        ] {
            assert!(is_time(time) && !is_guid(time), "{time}");
        }
        for text in [
            "",
            "alice",
            "340a23e3-23f3-4e9d-9a1d-2b1f0a7c9b1",
            "340a23e3-23f3-4e9d-9a1d-2b1f0a7c9b1g",
            "340a23e3023f304e9d09a1d02b1f0a7c9b11",
            "340a23e323f34e9d9a1d2b1f0a7c9b11340a23e3",
            "2026-11-22",
            "2026-11-22 11:55:01Z",
            "2026-11-22T11: 55: 01+00: 00",
            "2026-13-22T11:55:01Z",
            "1795348501",
            "0000-01-01T00:00:00Z",
            "2026-11-22T11:55:60Z",
            "2026-11-22T11:55:60",
            "2026-11-22T11:55:01+23:59",
        ] {
            assert!(!is_guid(text) && !is_time(text), "{text}");
        }
    }

    #[test]
    fn numbers_must_fit_into_a_column() {
        for number in ["0", "-1.5e3", "1795348501", "0.1"] {
            assert!(is_number(number), "{number}");
        }
        let long = "1".repeat(LONGEST_NUMBER + 1);
        for text in ["1e999", "-1e999", "", "one", "1,5", "true", &long] {
            assert!(!is_number(text), "{text}");
        }
    }

    #[test]
    fn a_guid_without_dashes_gets_them() {
        assert_eq!(
            dashed("340a23e323f34e9d9a1d2b1f0a7c9b11").as_deref(),
            Some("340a23e3-23f3-4e9d-9a1d-2b1f0a7c9b11")
        );
        assert_eq!(dashed("340a23e3-23f3-4e9d-9a1d-2b1f0a7c9b11"), None);
    }
}
