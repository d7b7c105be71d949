//! Damage to valid documents, for parsers of JSON, settings and lists.

use std::ops::Range;

/// Stands for a secret: no error text may contain it.
pub(crate) const SECRET: &str = "hunter2";

/// Levels of nesting: within serde's limit, just beyond it, and rarely too many for any stack.
const DEPTHS: [usize; 16] =
    [1, 2, 3, 60, 100, 120, 126, 127, 128, 129, 130, 140, 200, 500, 2_000, 100_000];

/// Replacement values.
const ODD_VALUES: [&str; 32] = [
    "null",
    "true",
    "false",
    "0",
    "-0",
    "-1",
    "1e999",
    "-1e-999",
    "0.1234567890123456789",
    "123456789012345678901234567890",
    "9223372036854775807",
    "-9223372036854775808",
    "18446744073709551615",
    "1795348501.9",
    "NaN",
    "01",
    "\"\"",
    "\"hunter2\"",
    "\"\\ud800\"",
    "\"\\udc00\\ud800\"",
    "\"\\u0000\\u001f\"",
    "\"\u{feff}\u{202e}\"",
    "\"true\"",
    "\"1795348501\"",
    "\"+262142-12-31T23:59:59.999Z\"",
    "\"-262143-01-01T00:00:00Z\"",
    "\"2026-11-22T23:59:60Z\"",
    "\"9999-12-31T23:59:59.999999999+23:59\"",
    "[]",
    "{}",
    "[{\"hunter2\":1}]",
    "{\"hunter2\":{\"a\":1,\"a\":2}}",
];

/// Members to add to objects, with names that have a meaning in rows, state or services.
const ODD_MEMBERS: [&str; 12] = [
    "\"host\":\"hunter2\"",
    "\"TimeGenerated\":null",
    "\"raw_record\":{}",
    "\"event_uid\":1",
    "\"event_\\u0074ime\":1",
    "\"min_reader\":1",
    "\"version\":99",
    "\"\\ud800\":1",
    "\"\":[1,2]",
    "\"a\\\"b\":\"},{\"",
    "\"metadata\":{\"next_offset\":[1,\"hunter2\"]}",
    "\"access_device\":{\"is_password_set\":true}",
];

/// One change: its kind, and two numbers for position and content.
pub(crate) type Damage = (u8, u32, u32);

/// A document after all changes.
pub(crate) fn damaged(document: &[u8], damages: &[Damage]) -> Vec<u8> {
    let mut text = document.to_vec();
    for damage in damages {
        apply(&mut text, *damage);
    }
    text
}

fn apply(text: &mut Vec<u8>, (kind, position, what): Damage) {
    let odd_value = pick(&ODD_VALUES, what).as_bytes();
    match kind % 16 {
        0 => text.truncate(index(position, text.len() + 1)),
        1 if !text.is_empty() => {
            let at = index(position, text.len());
            text[at] ^= 1 << (what % 8);
        }
        2 if !text.is_empty() => {
            let at = index(position, text.len());
            text[at] = what.to_le_bytes()[0];
        }
        3 => insert(text, position, &what.to_le_bytes()),
        4 => insert(text, position, odd_value),
        5 => insert(text, position, SECRET.as_bytes()),
        // Duplicate a part, or remove one.
        6 => {
            let part = text[some_bytes(text, position, what)].to_vec();
            insert(text, what.rotate_left(7), &part);
        }
        7 => {
            text.drain(some_bytes(text, position, what));
        }
        8 => swap_values(text, position, what),
        9 => duplicate_member(text, position),
        10 => add_member(text, position, pick(&ODD_MEMBERS, what)),
        11 => nest(text, position, what),
        12 => escape(text, position),
        _ => replace_value(text, position, odd_value),
    }
}

fn index(position: u32, length: usize) -> usize {
    usize::try_from(position).expect("32 bits fit") % length
}

fn pick<'a>(from: &[&'a str], what: u32) -> &'a str {
    from[index(what, from.len())]
}

fn insert(text: &mut Vec<u8>, position: u32, part: &[u8]) {
    let at = index(position, text.len() + 1);
    text.splice(at..at, part.iter().copied());
}

fn some_bytes(text: &[u8], position: u32, what: u32) -> Range<usize> {
    let start = index(position, text.len() + 1);
    let length = index(what, 64).min(text.len() - start);
    start..start + length
}

/// A value in the text, if there is one.
fn some_value(text: &[u8], position: u32) -> Option<Range<usize>> {
    let values = values(text);
    (!values.is_empty()).then(|| values[index(position, values.len())].clone())
}

fn replace_value(text: &mut Vec<u8>, position: u32, by: &[u8]) {
    if let Some(value) = some_value(text, position) {
        text.splice(value, by.iter().copied());
    }
}

fn swap_values(text: &mut Vec<u8>, position: u32, what: u32) {
    if let (Some(one), Some(other)) = (some_value(text, position), some_value(text, what)) {
        let other = text[other].to_vec();
        text.splice(one, other);
    }
}

/// Duplicates a key with its value.
fn duplicate_member(text: &mut Vec<u8>, position: u32) {
    let values = values(text);
    let keys = values.windows(2).filter(|pair| {
        let between = text.get(pair[0].end..pair[1].start);
        between.is_some_and(|between| between.trim_ascii() == b":")
    });
    let members: Vec<Range<usize>> = keys.map(|pair| pair[0].start..pair[1].end).collect();
    if !members.is_empty() {
        let member = members[index(position, members.len())].clone();
        let twice = [&text[member.clone()], b",", &text[member.clone()]].concat();
        text.splice(member, twice);
    }
}

fn add_member(text: &mut Vec<u8>, position: u32, member: &str) {
    let braces: Vec<usize> = (0..text.len()).filter(|&at| text[at] == b'{').collect();
    if !braces.is_empty() {
        let at = braces[index(position, braces.len())] + 1;
        let rest = text[at..].trim_ascii_start();
        let comma = if rest.starts_with(b"}") { "" } else { "," };
        text.splice(at..at, format!("{member}{comma}").into_bytes());
    }
}

/// Nests a value in many arrays or objects, closed or left open.
fn nest(text: &mut Vec<u8>, position: u32, what: u32) {
    let depth = DEPTHS[index(what, DEPTHS.len())];
    let (open, close) = [("[", "]"), ("{\"a\":", "}")][index(what / 16, 2)];
    if let Some(value) = some_value(text, position) {
        let close = if what % 96 < 64 { close } else { "" };
        let inside = String::from_utf8_lossy(&text[value.clone()]).into_owned();
        let nested = [&open.repeat(depth), inside.as_str(), &close.repeat(depth)].concat();
        text.splice(value, nested.into_bytes());
    }
}

/// Replaces a character by its escape, which is the same JSON text in other bytes.
fn escape(text: &mut Vec<u8>, position: u32) {
    let letters = (0..text.len()).filter(|&at| text[at].is_ascii_alphanumeric());
    let letters: Vec<usize> = letters.collect();
    if !letters.is_empty() {
        let at = letters[index(position, letters.len())];
        let escaped = format!("\\u{:04x}", text[at]);
        text.splice(at..=at, escaped.into_bytes());
    }
}

/// The ranges of keys and values, by start. Works on invalid JSON as far as possible.
fn values(text: &[u8]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut open = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let start = at;
        match text[at] {
            b'{' | b'[' => open.push(at),
            b'}' | b']' => found.extend(open.pop().map(|start| start..at + 1)),
            b'"' => {
                at += 1;
                while at < text.len() && text[at] != b'"' {
                    at += if text[at] == b'\\' { 2 } else { 1 };
                }
                found.push(start..(at + 1).min(text.len()));
            }
            byte if byte.is_ascii_alphanumeric() || byte == b'-' => {
                let ends = |byte: &u8| b",]}: \n".contains(byte);
                let length = text[at..].iter().position(ends);
                at += length.unwrap_or(text.len() - at) - 1;
                found.push(start..at + 1);
            }
            _ => {}
        }
        at += 1;
    }
    found.sort_by_key(|value| value.start);
    found
}
