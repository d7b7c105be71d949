//! Writing JSON text by hand: the exact spelling of numbers and escapes is part of an event.

use std::fmt::{Display, Write as _};

use chrono::DateTime;

/// Writes the members of one JSON object.
pub(super) struct Object<'a> {
    out: &'a mut String,
    first: bool,
}

/// Appends one JSON object whose members `fill` writes.
pub(super) fn object(out: &mut String, fill: impl FnOnce(&mut Object<'_>)) {
    out.push('{');
    fill(&mut Object { out, first: true });
    out.push('}');
}

impl Object<'_> {
    fn key(&mut self, key: &str) -> &mut String {
        if !self.first {
            self.out.push(',');
        }
        self.first = false;
        self.out.push('"');
        self.out.push_str(key);
        self.out.push_str("\":");
        self.out
    }

    /// A member whose value is this JSON text, or a number or truth value.
    pub(super) fn raw(&mut self, key: &str, json: impl Display) {
        let out = self.key(key);
        write!(out, "{json}").expect("writing to a String cannot fail");
    }

    /// A member whose value is null.
    pub(super) fn null(&mut self, key: &str) {
        self.key(key).push_str("null");
    }

    /// A string member; `escaped` already is the inside of a JSON string.
    pub(super) fn text(&mut self, key: &str, escaped: &str) {
        let out = self.key(key);
        out.push('"');
        out.push_str(escaped);
        out.push('"');
    }

    /// A string member made from several pieces; each already is the inside of a JSON string.
    pub(super) fn joined(&mut self, key: &str, escaped: &[&str]) {
        let out = self.key(key);
        out.push('"');
        out.extend(escaped.iter().copied());
        out.push('"');
    }

    /// A string member, or null.
    pub(super) fn text_or_null(&mut self, key: &str, escaped: Option<&str>) {
        match escaped {
            Some(escaped) => self.text(key, escaped),
            None => self.null(key),
        }
    }

    /// An object member.
    pub(super) fn object(&mut self, key: &str, fill: impl FnOnce(&mut Object<'_>)) {
        object(self.key(key), fill);
    }

    /// A string member that holds the JSON text of an object.
    pub(super) fn json_text(&mut self, key: &str, fill: impl FnOnce(&mut Object<'_>)) {
        let mut inner = String::with_capacity(200);
        object(&mut inner, fill);
        let out = self.key(key);
        out.push('"');
        for character in inner.chars() {
            if matches!(character, '"' | '\\') {
                out.push('\\');
            }
            out.push(character);
        }
        out.push('"');
    }
}

/// RFC 3339 with an offset: `2026-11-22T11:55:01.234567+00:00`, with `digits` behind the point.
pub(super) fn iso_time(microsecond: i64, digits: Digits) -> String {
    let time = DateTime::from_timestamp_micros(microsecond)
        .expect("times of events lie between two times that chrono could hold");
    let format = match digits {
        Digits::None => "%Y-%m-%dT%H:%M:%S+00:00",
        Digits::Milliseconds => "%Y-%m-%dT%H:%M:%S%.3f+00:00",
        Digits::Microseconds => "%Y-%m-%dT%H:%M:%S%.6f+00:00",
    };
    time.format(format).to_string()
}

/// How fine a time is written.
#[derive(Clone, Copy)]
pub(super) enum Digits {
    None,
    Milliseconds,
    Microseconds,
}
