//! Values that are larger than the service keeps: found, cut at a character boundary and named.
//!
//! The service would cut them too, and say nothing. It makes a column of every value of an object, whatever its depth, and
//! names it by the path, joined with `_`; an array becomes one column, which holds its JSON text. So a text is cut, and
//! an array is replaced by the first part of its JSON text, which goes into the same column.
//! <https://learn.microsoft.com/azure/azure-monitor/logs/data-collector-api#data-limits>

use std::borrow::Cow;

use bytes::BytesMut;

use super::quoted;
use crate::json::{NotJson, Scanner, unescaped};
use crate::model::{Truncation, position};

/// Objects in objects that are followed; below, an object is treated like an array. Duo's records have four of them.
pub(super) const DEEPEST: usize = 16;
/// Longest part of a path that is kept, in characters.
const LONGEST_NAME: usize = 100;
/// Longest list of names in `truncated_fields`, in bytes; what does not fit is left out and marked.
const LONGEST_LIST: usize = 1000;
/// Where `raw_record` is too large, it is the name of the cut field.
pub(super) const RAW_RECORD: &str = "raw_record";

/// The values of an object that are larger than `largest`, in bytes, in their order.
pub(super) fn of_object(text: &str, largest: usize) -> Vec<Truncation> {
    let mut search = Search { text, largest, cuts: Vec::new() };
    search.look_at(text, "", 0);
    search.cuts
}

/// The cut of a record that goes out as one text.
pub(super) fn of_text(text: &str, largest: usize) -> Vec<Truncation> {
    if text.len() <= largest {
        return Vec::new();
    }
    let kept = whole_characters(text.as_bytes(), largest);
    vec![Truncation { place: 0..text.len(), kept, is_text: false, field: RAW_RECORD.to_owned() }]
}

/// The part of the JSON that is kept, where the value is no text.
pub(super) fn kept_json<'a>(truncation: &Truncation, text: &'a str) -> &'a str {
    &text[truncation.place.clone()][..truncation.kept]
}

pub(super) fn write(truncation: &Truncation, out: &mut BytesMut, text: &str) {
    if truncation.is_text {
        let value = meaning(&text[truncation.place.clone()]);
        let kept = std::str::from_utf8(&value[..truncation.kept]);
        quoted(out, kept.expect("truncated between characters"));
    } else {
        quoted(out, kept_json(truncation, text));
    }
}

/// How many bytes longer than the value what is written for it may be.
pub(super) fn longest_growth(truncation: &Truncation) -> usize {
    if truncation.is_text {
        // No character needs more escapes than Duo gave it.
        0
    } else {
        // A quotation mark, a backslash or a line break becomes two bytes.
        (2 * truncation.kept + 2).saturating_sub(truncation.place.len())
    }
}

/// The value of `truncated_fields`: the names of the cut fields, comma-separated.
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

/// Upper bound of the bytes of `truncated_fields` in a row, with its name.
pub(super) fn longest_list<'a>(fields: impl Iterator<Item = &'a str>) -> usize {
    // Each byte is at most escaped.
    let names: usize = fields.map(|field| 6 * field.len() + 1).sum();
    match names {
        0 => 0,
        names => names.min(6 * (LONGEST_LIST + 8)) + 32,
    }
}

struct Search<'a> {
    text: &'a str,
    largest: usize,
    cuts: Vec<Truncation>,
}

impl Search<'_> {
    /// Looks at one value, whose JSON is a part of the text.
    fn look_at(&mut self, value: &str, path: &str, depth: usize) {
        // What a value means, or holds, is never longer than its JSON.
        if value.len() <= self.largest {
            return;
        }
        match value.as_bytes()[0] {
            b'"' => {
                let meaning = meaning(value);
                if meaning.len() > self.largest {
                    self.cut(value, path, true, whole_characters(&meaning, self.largest));
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
                    self.look_at(value, &path, depth + 1);
                    Ok::<_, NotJson>(())
                });
                debug_assert!(walked.is_ok(), "the record was read before");
            }
            b'{' | b'[' => {
                let kept = whole_characters(value.as_bytes(), self.largest);
                self.cut(value, path, false, kept);
            }
            // A number goes into a column of eight bytes, however it is spelt.
            _ => {}
        }
    }

    fn cut(&mut self, value: &str, path: &str, is_text: bool, kept: usize) {
        let (place, field) = (position(self.text, value), path.to_owned());
        self.cuts.push(Truncation { place, kept, is_text, field });
    }
}

/// The text that a JSON string means, in UTF-8 except for lone surrogates.
fn meaning(value: &str) -> Cow<'_, [u8]> {
    unescaped(&value[1..value.len() - 1])
}

/// The most bytes, up to `most`, that are whole characters of Unicode.
fn whole_characters(text: &[u8], most: usize) -> usize {
    let kept = &text[..most.min(text.len())];
    std::str::from_utf8(kept).map_or_else(|fault| fault.valid_up_to(), str::len)
}

#[cfg(test)]
mod tests;
