//! Truncates values that exceed the API's limits, at a character boundary, and names their fields.
//!
//! Azure Monitor would truncate them silently. It creates a column for every value of an object at
//! any depth, named by the path joined with `_`; an array becomes one column with its JSON text. So
//! a text is truncated, and an array is replaced by the beginning of its JSON text, in the same
//! column. <https://learn.microsoft.com/azure/azure-monitor/logs/data-collector-api#data-limits>

use std::borrow::Cow;

use bytes::BytesMut;

use super::quoted;
use crate::json::{NotJson, Scanner, unescaped};
use crate::model::{Truncation, position};

/// Maximum depth of nested objects; deeper ones are treated like arrays. Duo's records have four.
pub(super) const DEEPEST: usize = 16;
/// Maximum length of a name in a path, in characters.
const LONGEST_NAME: usize = 100;
/// Maximum length of `truncated_fields`, in bytes; further names are omitted and marked with `…`.
const LONGEST_LIST: usize = 1000;
/// The field name if `raw_record` is truncated.
pub(super) const RAW_RECORD: &str = "raw_record";

/// The values of an object larger than `largest` bytes, in order.
pub(super) fn of_object(text: &str, largest: usize) -> Vec<Truncation> {
    let mut search = Search { text, largest, truncations: Vec::new() };
    search.visit(text, "", 0);
    search.truncations
}

/// The truncation of a record that is sent as one text.
pub(super) fn of_text(text: &str, largest: usize) -> Vec<Truncation> {
    if text.len() <= largest {
        return Vec::new();
    }
    let kept = whole_characters(text.as_bytes(), largest);
    vec![Truncation { range: 0..text.len(), kept, is_text: false, field: RAW_RECORD.to_owned() }]
}

/// The kept part of the JSON, if the value is not a string.
pub(super) fn kept_json<'a>(truncation: &Truncation, text: &'a str) -> &'a str {
    &text[truncation.range.clone()][..truncation.kept]
}

pub(super) fn write(truncation: &Truncation, out: &mut BytesMut, text: &str) {
    if truncation.is_text {
        let value = decoded(&text[truncation.range.clone()]);
        let kept = std::str::from_utf8(&value[..truncation.kept]);
        quoted(out, kept.expect("truncated between characters"));
    } else {
        quoted(out, kept_json(truncation, text));
    }
}

/// Maximum bytes by which the written value exceeds the original.
pub(super) fn longest_growth(truncation: &Truncation) -> usize {
    if truncation.is_text {
        // Escapes are never longer than Duo's.
        0
    } else {
        // A quotation mark, a backslash or a line break becomes two bytes.
        (2 * truncation.kept + 2).saturating_sub(truncation.range.len())
    }
}

/// The value of `truncated_fields`: field names, comma-separated.
pub(super) fn list<'a>(fields: impl Iterator<Item = &'a str>) -> String {
    let mut list = String::new();
    for field in fields {
        if list.len() + field.len() > LONGEST_LIST {
            list.push_str(if list.is_empty() { "…" } else { ",…" });
            break;
        }
        if !list.is_empty() {
            list.push(',');
        }
        list.push_str(field);
    }
    list
}

/// Upper bound for `truncated_fields` in a row including its name, in bytes.
pub(super) fn longest_list<'a>(fields: impl Iterator<Item = &'a str>) -> usize {
    // At most every byte is escaped.
    let names: usize = fields.map(|field| 6 * field.len() + 1).sum();
    match names {
        0 => 0,
        names => names.min(6 * (LONGEST_LIST + 8)) + 32,
    }
}

struct Search<'a> {
    text: &'a str,
    largest: usize,
    truncations: Vec<Truncation>,
}

impl Search<'_> {
    /// Visits one value, whose JSON is a part of the text.
    fn visit(&mut self, value: &str, path: &str, depth: usize) {
        // A decoded value is never longer than its JSON.
        if value.len() <= self.largest {
            return;
        }
        match value.as_bytes()[0] {
            b'"' => {
                let decoded = decoded(value);
                if decoded.len() > self.largest {
                    self.add(value, path, true, whole_characters(&decoded, self.largest));
                }
            }
            b'{' if depth < DEEPEST => {
                let walked = Scanner::new(value).object(|scanner, name| {
                    let value = scanner.value()?;
                    let name = unescaped(name);
                    let name = String::from_utf8_lossy(&name);
                    let name: String = name.chars().take(LONGEST_NAME).collect();
                    let separator = if path.is_empty() { "" } else { "_" };
                    let path = format!("{path}{separator}{name}");
                    self.visit(value, &path, depth + 1);
                    Ok::<_, NotJson>(())
                });
                debug_assert!(walked.is_ok(), "the record is valid JSON");
            }
            b'{' | b'[' => {
                let kept = whole_characters(value.as_bytes(), self.largest);
                self.add(value, path, false, kept);
            }
            // A number takes eight bytes in its column.
            _ => {}
        }
    }

    fn add(&mut self, value: &str, path: &str, is_text: bool, kept: usize) {
        let (range, field) = (position(self.text, value), path.to_owned());
        self.truncations.push(Truncation { range, kept, is_text, field });
    }
}

/// The decoded text of a JSON string, in UTF-8 except for lone surrogates.
fn decoded(value: &str) -> Cow<'_, [u8]> {
    unescaped(&value[1..value.len() - 1])
}

/// The number of bytes up to `most` that are whole Unicode characters.
fn whole_characters(text: &[u8], most: usize) -> usize {
    let kept = &text[..most.min(text.len())];
    std::str::from_utf8(kept).map_or_else(|error| error.valid_up_to(), str::len)
}

#[cfg(test)]
mod tests;
