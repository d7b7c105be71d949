//! Invented people, places and things; each text already is the inside of a JSON string.

use super::writer::Object;
use crate::random::Random;

/// People, with every kind of character that has broken a log pipeline before.
pub(super) const PEOPLE: &[&str] = &[
    "ada",
    "grace",
    "linus",
    "maria.silva",
    "Zo\u{eb}",
    "Bj\u{f6}rn \u{c5}s",
    "\u{674e}\u{96f7}",
    "Ren\\u00e9e",
    "O\\\"Brien",
    "\u{5d0}\u{5d1}\u{5d9}",
    "\u{645}\u{631}\u{64a}\u{645}",
    "smile \u{1f600}",
    "smile \\ud83d\\ude00",
    "CORP\\\\kim",
    "a\\/b",
    "tab\\tname",
    "two\\nlines",
    "e\u{301}ric",
    "z\\u0000nul",
    "line\u{2028}separator",
    "'; DROP TABLE--",
    "<b>bold</b>",
    "x@example.com",
    "\u{110}\u{1ead}t Nguy\u{1ec5}n",
];

/// Groups, one with the quotes that directory sync puts there.
pub(super) const GROUPS: &[&str] = &[
    "Staff",
    "Staff (from AD sync \\\"Corp\\\")",
    "Admins",
    "Ops \u{2014} night",
    "\u{7814}\u{7a76}",
    "Contractors (2026)",
];

/// City, state, country.
pub(super) const PLACES: &[[&str; 3]] = &[
    ["Oslo", "Oslo", "Norway"],
    ["Ann Arbor", "Michigan", "United States"],
    ["S\u{e3}o Paulo", "S\u{e3}o Paulo", "Brazil"],
    ["Shanghai", "Shanghai", "China"],
    ["M\\u00fcnchen", "Bayern", "Germany"],
    [
        "Newcastle upon Tyne",
        "Newcastle upon Tyne",
        "United Kingdom",
    ],
];

/// Applications that are protected.
pub(super) const APPLICATIONS: &[&str] = &[
    "Example IdP",
    "Example VPN",
    "Example Windows Logon",
    "SSO \u{2013} Caf\u{e9}",
    "RDP (\\\"old\\\")",
];

/// Operating system and version.
pub(super) const SYSTEMS: &[[&str; 2]] = &[
    ["Mac OS X", "15.1"],
    ["Windows", "11"],
    ["Linux", "6.12"],
    ["iOS", "26.1"],
    ["Android", "16"],
];

/// Browser and version.
pub(super) const BROWSERS: &[[&str; 2]] = &[
    ["Chrome", "142.0.0.0"],
    ["Firefox", "145.0"],
    ["Safari", "26.1"],
    ["Edge", "142.0.3595.53"],
];

/// A made-up key: a prefix of two letters and eighteen more characters, as Duo's have.
pub(super) fn key(prefix: &str, number: u64) -> String {
    format!("{prefix}FAKE{:014}", number % 100_000)
}

/// A telephone number from the range kept free for fiction.
pub(super) fn phone(random: &mut Random) -> String {
    format!("+1555555{:04}", 100 + random.below(100))
}

/// An address in one of the spellings seen, from the ranges kept free for documentation.
pub(super) fn address(random: &mut Random) -> String {
    let last = 1 + random.below(254);
    match random.below(24) {
        0 => "0.0.0.0".to_owned(),
        1 => format!("203.0.113.{last}:1234"),
        2 => format!("[2001:db8::{last:x}]:1234"),
        3 => format!("2001:db8::{last:x}#1234"),
        4 => format!("2001:db8::{last:x} port 1234"),
        5 => format!("2001:db8::{last:x}"),
        6..=12 => format!("198.51.100.{last}"),
        _ => format!("192.0.2.{last}"),
    }
}

/// Writes a `location`; its members may be null or a dash.
pub(super) fn location(fields: &mut Object<'_>, random: &mut Random) {
    let form = random.below(12);
    let [city, state, country] = random.pick(PLACES);
    fields.object("location", |location| {
        for (name, text) in [("city", city), ("country", country), ("state", state)] {
            match form {
                0 => location.null(name),
                1 => location.text(name, "-"),
                _ => location.text(name, text),
            }
        }
    });
}

/// A list of groups, possibly empty.
pub(super) fn groups(random: &mut Random) -> String {
    let count = random.below(4);
    let names: Vec<String> = (0..count)
        .map(|_| format!("\"{}\"", random.pick(GROUPS)))
        .collect();
    format!("[{}]", names.join(","))
}
