//! Reading a posted body as far as the service does: is it JSON, are the rows objects, are the
//! property names allowed.

use std::borrow::Cow;
use std::fmt;

use chrono::DateTime;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// Names the service keeps for itself.
const RESERVED: [&str; 3] = ["tenant", "TimeGenerated", "RawData"];

/// Counts the rows in a body, one object or an array of them.
///
/// With a `time_field` each row must have that field with a time in ISO 8601.
pub(super) fn count(body: &str, time_field: Option<&str>) -> Result<u64, serde_json::Error> {
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
    type Value = u64;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<u64, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Body<'_> {
    type Value = u64;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an array of objects, or one object")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<u64, A::Error> {
        let mut count = 0;
        while rows.next_element_seed(Row(self))?.is_some() {
            count += 1;
        }
        Ok(count)
    }

    fn visit_map<A: MapAccess<'de>>(self, properties: A) -> Result<u64, A::Error> {
        Row(self).visit_map(properties).map(|()| 1)
    }
}

struct Row<'a>(Body<'a>);

impl<'de> DeserializeSeed<'de> for Row<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Row<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut properties: A) -> Result<(), A::Error> {
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
                properties.next_value::<IgnoredAny>()?;
            }
        }
        if timed {
            Ok(())
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
        assert_eq!(count("[]", None).unwrap(), 0);
        assert_eq!(count("{\"a\":1}", None).unwrap(), 1);
        assert_eq!(
            count("[{\"a\":\"\\ud800\"},{\"\\u0061\":{\"x y\":[]}}]", None).unwrap(),
            2
        );
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
