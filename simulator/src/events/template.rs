//! Records generated from templates; `records.txt` contains them and describes their syntax.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::iter::Peekable;
use std::str::Chars;
use std::sync::LazyLock;

use chrono::DateTime;

use super::Event;
use super::identity::{sekey, uuid};
use crate::LogType;
use crate::random::Random;

const MICROSECONDS_PER_HOUR: i64 = 3_600_000_000;

static TEMPLATES: LazyLock<BTreeMap<String, Vec<Part>>> = LazyLock::new(|| {
    let lines = include_str!("records.txt").lines();
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    let mut texts: Vec<(String, String)> = Vec::new();
    for line in lines {
        if let (Some(more), Some((_, text))) = (line.strip_prefix(' '), texts.last_mut()) {
            text.push_str(more);
        } else {
            let (name, text) = line.split_once(": ").expect("a template has a name");
            texts.push((name.to_owned(), text.to_owned()));
        }
    }
    let parsed = |(name, text): (String, String)| (name, parts(&mut text.chars().peekable()));
    texts.into_iter().map(parsed).collect()
});

enum Part {
    Text(String),
    /// One of these, by weight; in an oversized event the one with weight 0.
    One(Vec<(u64, Vec<Part>)>),
    Quoted(Vec<Part>),
    Named(String, usize),
}

/// Parses to the end, or to the end of an alternative or a quotation.
fn parts(rest: &mut Peekable<Chars<'_>>) -> Vec<Part> {
    let (mut parts, mut text) = (Vec::new(), String::new());
    while let Some(&next) = rest.peek() {
        if matches!(next, '¦' | '⟩' | '⟫') {
            break;
        }
        rest.next();
        let part = match next {
            '⟨' => Part::One(alternatives(rest)),
            '⟪' => {
                let inner = self::parts(rest);
                rest.next();
                Part::Quoted(inner)
            }
            '§' => named(rest),
            _ => {
                text.push(next);
                continue;
            }
        };
        parts.push(Part::Text(std::mem::take(&mut text)));
        parts.push(part);
    }
    parts.push(Part::Text(text));
    parts
}

fn alternatives(rest: &mut Peekable<Chars<'_>>) -> Vec<(u64, Vec<Part>)> {
    let mut all = Vec::new();
    loop {
        let mut parts = parts(rest);
        let mut weight = 1;
        if let Some(Part::Text(text)) = parts.first_mut()
            && let Some((number, behind)) = text.split_once('×')
        {
            weight = number.parse().expect("a weight is a number");
            *text = behind.to_owned();
        }
        all.push((weight, parts));
        if rest.next() != Some('¦') {
            return all;
        }
    }
}

fn named(rest: &mut Peekable<Chars<'_>>) -> Part {
    let mut take = |allowed: fn(&char) -> bool| {
        let mut text = String::new();
        while let Some(next) = rest.next_if(allowed) {
            text.push(next);
        }
        text
    };
    let name = take(|next| next.is_ascii_lowercase() || *next == '_');
    let mut argument = 0;
    if !take(|next| *next == '(').is_empty() {
        argument = take(char::is_ascii_digit).parse().expect("a number");
        take(|next| *next == ')');
    }
    Part::Named(name, argument)
}

/// Appends a record of this log.
pub(super) fn write(log: LogType, event: &Event<'_>, random: &mut Random, out: &mut String) {
    let hours = i64::try_from(1 + random.below(20)).expect("the number is at most 20");
    let earlier = event.microsecond - hours * MICROSECONDS_PER_HOUR;
    Writer { event, random, earlier }.template(log.name(), out);
}

struct Writer<'w> {
    event: &'w Event<'w>,
    random: &'w mut Random,
    /// A time some hours before the event.
    earlier: i64,
}

impl Writer<'_> {
    fn template(&mut self, name: &str, out: &mut String) {
        let parts = TEMPLATES.get(name);
        let parts = parts.unwrap_or_else(|| panic!("no template {name}"));
        self.parts(parts, out);
    }

    fn parts(&mut self, parts: &[Part], out: &mut String) {
        for part in parts {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::One(all) => self.one(all, out),
                Part::Quoted(inner) => {
                    let mut text = String::new();
                    self.parts(inner, &mut text);
                    for character in text.chars() {
                        if matches!(character, '"' | '\\') {
                            out.push('\\');
                        }
                        out.push(character);
                    }
                }
                Part::Named(name, argument) => self.named(name, *argument, out),
            }
        }
    }

    fn one(&mut self, all: &[(u64, Vec<Part>)], out: &mut String) {
        let position = self.random.below(all.iter().map(|(weight, _)| weight).sum());
        let oversized = all.iter().find(|(weight, _)| *weight == 0);
        if let Some((_, parts)) = oversized.filter(|_| self.event.oversized.is_some()) {
            return self.parts(parts, out);
        }
        let mut end = 0;
        let chosen = all.iter().find(|(weight, _)| {
            end += weight;
            position < end
        });
        self.parts(&chosen.expect("the position is below the sum").1, out);
    }

    fn named(&mut self, name: &str, argument: usize, out: &mut String) {
        let Event { microsecond, id, host, oversized } = *self.event;
        let second = |time: i64| time.div_euclid(1_000_000);
        let mut number = || self.random.next();
        let written = match name {
            "id" => out.write_str(&uuid(id)),
            "sekey" => out.write_str(&sekey(id)),
            "host" => out.write_str(host),
            "time" => out.write_str(&iso_time(microsecond, argument)),
            "blank_time" => out.write_str(&iso_time(microsecond, 0).replace(':', ": ")),
            "second" => write!(out, "{}", second(microsecond)),
            "millisecond" => write!(out, "{}", microsecond.div_euclid(1_000)),
            "earlier" => out.write_str(&iso_time(self.earlier, argument)),
            "earlier_second" => write!(out, "{}", second(self.earlier)),
            "uuid" => out.write_str(&uuid(u128::from(number()) << 64 | u128::from(number()))),
            "below" => write!(out, "{}", number() % argument as u64),
            "digits" => {
                let most =
                    10_u64.pow(u32::try_from(argument).expect("the number of digits is small"));
                write!(out, "{:0argument$}", number() % most)
            }
            "hex" => write!(out, "{:02x}", number() % 256),
            "oversized" => out.write_str(&"\u{e9}x".repeat(oversized.unwrap_or(0) / 3)),
            _ => {
                self.template(name, out);
                Ok(())
            }
        };
        written.expect("writing to a String cannot fail");
    }
}

/// RFC 3339 with an offset and `digits` decimals: `2026-11-22T11:55:01.234567+00:00`.
fn iso_time(microsecond: i64, digits: usize) -> String {
    let time = DateTime::from_timestamp_micros(microsecond)
        .expect("chrono can represent the times of events");
    let format = match digits {
        0 => "%Y-%m-%dT%H:%M:%S+00:00",
        3 => "%Y-%m-%dT%H:%M:%S%.3f+00:00",
        _ => "%Y-%m-%dT%H:%M:%S%.6f+00:00",
    };
    time.format(format).to_string()
}
