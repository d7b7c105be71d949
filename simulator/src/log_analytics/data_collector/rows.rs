//! Reading a posted body as far as the service does: is it JSON, are the rows objects, are the
//! property names allowed.

use std::borrow::Cow;
use std::fmt;

use chrono::DateTime;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::judge::values_cut_in;
use crate::log_analytics::tables::LARGEST_COLLECTED;

/// Names the service keeps for itself.
const RESERVED: [&str; 3] = ["tenant", "TimeGenerated", "RawData"];

/// What a body holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Rows {
    pub(super) count: u64,
    /// Values that are larger than the service keeps.
    pub(super) values_cut: u64,
}

/// Counts the rows in a body, one object or an array of them.
///
/// With a `time_field` each row must have that field with a time in ISO 8601.
pub(super) fn count(body: &str, time_field: Option<&str>) -> Result<Rows, serde_json::Error> {
    let mut json = serde_json::Deserializer::from_str(body);
    let rows = Body { time_field }.deserialize(&mut json)?;
    json.end()?;
    Ok(rows)
}

#[derive(Clone, Copy)]
struct Body<'a> {
    time_field: Option<&'a str>,
}

impl<'de> DeserializeSeed<'de> for Body<'_> {
    type Value = Rows;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Rows, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Body<'_> {
    type Value = Rows;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an array of objects, or one object")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<Rows, A::Error> {
        let mut all = Rows::default();
        while let Some(values_cut) = rows.next_element_seed(Row(self))? {
            all.count += 1;
            all.values_cut += values_cut;
        }
        Ok(all)
    }

    fn visit_map<A: MapAccess<'de>>(self, properties: A) -> Result<Rows, A::Error> {
        let values_cut = Row(self).visit_map(properties)?;
        Ok(Rows {
            count: 1,
            values_cut,
        })
    }
}

struct Row<'a>(Body<'a>);

impl<'de> DeserializeSeed<'de> for Row<'_> {
    /// Values that are larger than the service keeps.
    type Value = u64;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<u64, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Row<'_> {
    type Value = u64;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut properties: A) -> Result<u64, A::Error> {
        let mut values_cut = 0;
        let mut timed = self.0.time_field.is_none();
        while let Some(Name(name)) = properties.next_key()? {
            if RESERVED.contains(&name.as_ref()) {
                return Err(Error::custom(format!(
                    "the property name {name} is reserved"
                )));
            }
            if name.is_empty()
                || !name
                    .bytes()
                    .all(|it| it.is_ascii_alphanumeric() || it == b'_')
            {
                let rule = "property names hold letters, digits and underscores alone";
                return Err(Error::custom(format!("{rule}: {name}")));
            }
            if self.0.time_field == Some(name.as_ref()) {
                timed = is_time(properties.next_value::<&RawValue>()?);
            } else {
                let value = properties.next_value::<&RawValue>()?.get();
                // A small value holds no large one.
                if value.len() > LARGEST_COLLECTED {
                    values_cut += values_cut_in(value);
                }
            }
        }
        if timed {
            Ok(values_cut)
        } else {
            Err(Error::custom("the time-generated-field holds no time"))
        }
    }
}

fn is_time(value: &RawValue) -> bool {
    let text: Option<&str> = serde_json::from_str(value.get()).ok();
    text.is_some_and(|text| DateTime::parse_from_rfc3339(text).is_ok())
}

/// A property name, borrowed where it has no escapes.
struct Name<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> serde::Deserialize<'de> for Name<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Name<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a property name")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Borrowed(text)))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_counted_and_bad_bodies_refused() {
        let rows = |body| super::count(body, None).unwrap().count;
        assert_eq!(rows("[]"), 0);
        assert_eq!(rows("{\"a\":1}"), 1);
        assert_eq!(rows("[{\"a\":\"\\ud800\"},{\"\\u0061\":{\"x y\":[]}}]"), 2);
        for bad in [
            "",
            "[1]",
            "\"x\"",
            "[{}",
            "[{}] x",
            "[{\"TimeGenerated\":1}]",
            "[{\"a b\":1}]",
            "[null]",
        ] {
            assert!(count(bad, None).is_err(), "{bad}");
        }
        assert!(count("[{\"t\":\"2026-11-22T11:55:01.234567Z\"}]", Some("t")).is_ok());
        assert!(count("[{\"t\":\"2026-11-22T11:55:01Z\"},{}]", Some("t")).is_err());
        assert!(count("[{\"t\":5}]", Some("t")).is_err());
    }
}
