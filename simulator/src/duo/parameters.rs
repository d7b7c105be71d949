//! Query parameters: decoding, canonical form for signatures, and rules for times.

use super::response::Refusal;
use crate::form;

/// Retention of Duo and maximum window, in days.
const RETENTION_MILLISECONDS: i64 = 180 * 24 * 3_600 * 1_000;

/// The decoded parameters of a request, in the order of arrival.
#[derive(Clone, Debug)]
pub(super) struct Parameters(Vec<(String, String)>);

/// `mintime` to `maxtime` in milliseconds, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) mintime: i64,
    pub(super) maxtime: i64,
}

impl Parameters {
    pub(super) fn of_query(query: &str) -> Self {
        Self(form::pairs(query))
    }

    /// The lines that may have been signed. Official clients differ only in whether the values of
    /// a repeated key are sorted too.
    pub(super) fn canonical_forms(&self) -> [String; 2] {
        let mut pairs: Vec<_> =
            self.0.iter().map(|(key, value)| (encode(key), encode(value))).collect();
        pairs.sort_by(|left, right| left.0.cmp(&right.0));
        let in_order = join(&pairs);
        pairs.sort();
        [join(&pairs), in_order]
    }

    /// All values of a key.
    pub(super) fn all(&self, key: &str) -> Vec<&str> {
        self.0.iter().filter(|(name, _)| name == key).map(|(_, value)| value.as_str()).collect()
    }

    /// The value of a key that may occur once.
    pub(super) fn one(&self, key: &str) -> Result<Option<&str>, Refusal> {
        match self.all(key).as_slice() {
            [] => Ok(None),
            [value] => Ok(Some(value)),
            _ => Err(Refusal::parameter(key)),
        }
    }

    /// `mintime` and `maxtime` in milliseconds.
    pub(super) fn window(&self, now: i64) -> Result<Window, Refusal> {
        let [mintime, maxtime] = ["mintime", "maxtime"].map(|key| self.milliseconds(key));
        let window = Window { mintime: mintime?, maxtime: maxtime? };
        if window.maxtime <= window.mintime {
            let detail = "'maxtime' must be strictly greater than 'mintime'";
            return Err(Refusal::parameter(detail));
        }
        if window.mintime < now - RETENTION_MILLISECONDS {
            return Err(Refusal::parameter("mintime must be within the past 180 days"));
        }
        if window.maxtime - window.mintime > RETENTION_MILLISECONDS {
            return Err(Refusal::parameter("maxtime must be within 180 days of mintime"));
        }
        Ok(window)
    }

    fn milliseconds(&self, key: &str) -> Result<i64, Refusal> {
        let text = self.one(key)?.ok_or_else(|| Refusal::parameter(key))?;
        (text.len() == 13).then(|| whole_number(text)).flatten().ok_or_else(|| {
            Refusal::parameter(format!("'{key}' must be a timestamp in milliseconds"))
        })
    }

    /// `limit`, clamped to `largest`.
    pub(super) fn limit(&self, default: usize, largest: usize) -> Result<usize, Refusal> {
        let Some(text) = self.one("limit")? else {
            return Ok(default.min(largest));
        };
        let limit = whole_number(text).filter(|limit| *limit >= 1);
        let limit = limit.ok_or_else(|| Refusal::parameter("limit"))?;
        Ok(usize::try_from(limit).map_or(largest, |limit| limit.min(largest)))
    }
}

/// A number written with decimal digits alone.
pub(super) fn whole_number(text: &str) -> Option<i64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

fn join(pairs: &[(String, String)]) -> String {
    let parts: Vec<_> = pairs.iter().map(|(key, value)| format!("{key}={value}")).collect();
    parts.join("&")
}

fn encode(text: &str) -> String {
    let encoded = text.bytes().map(|byte| match byte {
        b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
        _ if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    });
    encoded.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_795_348_920_000;

    fn window(query: &str) -> Result<Window, String> {
        let refused = |refusal: Refusal| refusal.detail.unwrap_or_default();
        Parameters::of_query(query).window(NOW).map_err(refused)
    }

    #[test]
    fn invalid_times_are_refused_with_the_messages_of_duo() {
        let good = window("mintime=1795348800000&maxtime=1795348920000").unwrap();
        assert_eq!(good, Window { mintime: 1_795_348_800_000, maxtime: NOW });
        let cases = [
            ("maxtime=1795348920000", "mintime"),
            ("mintime=1795348800000", "maxtime"),
            (
                "mintime=1795348800&maxtime=1795348920000",
                "'mintime' must be a timestamp in milliseconds",
            ),
            (
                "mintime=1795348800000&maxtime=-795348920000",
                "'maxtime' must be a timestamp in milliseconds",
            ),
            (
                "mintime=1795348800000&maxtime=1795348800000",
                "'maxtime' must be strictly greater than 'mintime'",
            ),
            (
                "mintime=1779796919999&maxtime=1795348800000",
                "mintime must be within the past 180 days",
            ),
        ];
        for (query, detail) in cases {
            assert_eq!(window(query).unwrap_err(), detail, "{query}");
        }
    }
}
