//! Two pictures a log, as plain SVG: events of each hour, and what is known of each hour.
//!
//! Each colour is one path, so that a page with thousands of hours stays small. What a picture shows is told in words beside it.

use std::fmt::Write as _;

use maud::{Markup, html};

use super::super::{Day, LogStatus, Mark};
use super::words::log_name;
use crate::model::{Hour, Millis, number};
use crate::status::Activity;

/// Hours that are drawn, the last one at the right.
const HOURS: i64 = 7 * 24;
/// Height of the bars, in the picture's own units; an hour is one wide.
const HEIGHT: u64 = 40;
/// Size of the square of an hour, with the space around it.
const CELL: usize = 10;
/// Space for the date at the left of a day.
const LABEL: usize = 52;

/// Events of each of the last hours.
pub(super) fn events(log: &LogStatus, now: Millis) -> Markup {
    let last = Hour::of(now);
    let of = |hour: Hour| log.hours.get(&hour).copied().unwrap_or_default();
    let hours: Vec<(Hour, Activity)> = (0..HOURS)
        .map(|ago| last.after(ago - HOURS + 1))
        .map(|hour| (hour, of(hour)))
        .collect();
    let most = hours
        .iter()
        .map(|(_, activity)| activity.events)
        .max()
        .unwrap_or(0);
    // Stored counts can be damaged, so that no sum or product of them may overflow.
    let total = hours.iter().fold(0_u64, |sum, (_, activity)| {
        sum.saturating_add(activity.events)
    });
    let (mut delivered, mut throttled) = (String::new(), String::new());
    for (place, (_, activity)) in hours.iter().enumerate() {
        // At least one unit, so that a single event is seen.
        let height = (u128::from(activity.events) * u128::from(HEIGHT))
            .checked_div(u128::from(most))
            .unwrap_or(0)
            .max(u128::from(activity.events > 0));
        if height > 0 {
            write!(
                delivered,
                "M{place} {}h.8v{height}h-.8z",
                u128::from(HEIGHT) - height
            )
            .expect("a text takes everything");
        }
        if activity.throttled > 0 {
            write!(throttled, "M{place} {}h.8v2h-.8z", HEIGHT + 1)
                .expect("a text takes everything");
        }
    }
    let told = format!(
        "Events delivered in each of the last {HOURS} hours: {} in all, at most {} in one hour.",
        number(total),
        number(most)
    );
    html! {
        figure {
            figcaption { "Events of each hour: " (number(total)) " in all, at most " (number(most)) " in one" }
            svg.bars role="img" aria-label=(told) viewBox={ "0 0 " (HOURS) " " (HEIGHT + 4) } preserveAspectRatio="none" {
                path.axis d={ "M0 " (HEIGHT) "h" (HOURS) "v.5h-" (HOURS) "z" } {}
                @for (place, (hour, _)) in hours.iter().enumerate() {
                    @if *hour == hour.day() { path.day d={ "M" (place) " 0v" (HEIGHT) } {} }
                }
                path.delivered d=(delivered) {}
                path.throttled d=(throttled) {}
            }
            div.ends { span { (hours.first().map_or_else(String::new, |(hour, _)| hour.date())) } span { "now" } }
        }
    }
}

/// What is known of each hour: a row a day, a square an hour.
pub(super) fn completeness(log: &LogStatus) -> Markup {
    if log.days.is_empty() {
        return html! {};
    }
    let squares = |wanted: Mark| {
        let mut path = String::new();
        for (row, day) in log.days.iter().enumerate() {
            for (column, _) in day
                .hours
                .iter()
                .enumerate()
                .filter(|(_, mark)| **mark == wanted)
            {
                let (x, y, shape) = (LABEL + column * CELL, row * CELL, wanted.shape());
                write!(path, "M{x} {y}{shape}").expect("a text takes everything");
            }
        }
        path
    };
    let marks = &log.completeness;
    let told = format!(
        "Hours of the last {} days: {} verified, {} verified late, {} count matched, {} pending, {} unknown, {} with a gap.",
        log.days.len(),
        marks.verified,
        marks.verified_late,
        marks.count_matched,
        marks.pending,
        marks.unknown,
        marks.gap
    );
    let (width, height) = (LABEL + 24 * CELL, log.days.len() * CELL);
    html! {
        figure {
            figcaption { "What is known of each hour (UTC), 14 days" }
            svg.hours role="img" aria-label=(told) viewBox={ "0 0 " (width) " " (height) } {
                @for (row, day) in log.days.iter().enumerate() {
                    text x="0" y=(row * CELL + 8) { (day.date) }
                }
                @for mark in Mark::ALL {
                    @let path = squares(mark);
                    @if !path.is_empty() { path class=(mark.class()) d=(path) {} }
                }
            }
            p.told { (told) }
            (by_day(log))
        }
    }
}

/// A mark as it is drawn, for the words beside it.
pub(super) fn key(mark: Mark) -> Markup {
    html! {
        svg.key aria-hidden="true" viewBox={ "0 0 " (CELL) " " (CELL) } {
            path class=(mark.class()) d={ "M0 0" (mark.shape()) } {}
        }
    }
}

/// The same for those who cannot see the picture, or want the hours themselves.
fn by_day(log: &LogStatus) -> Markup {
    html! {
        details {
            summary { "By day" }
            div.scroll tabindex="0" role="region" aria-label={ "Hours by day: " (log_name(log.log_type)) } {
                table {
                    thead { tr { th scope="col" { "Day" } @for mark in Mark::ALL { th scope="col" { (mark.as_str()) } } } }
                    tbody {
                        @for day in &log.days {
                            tr { th scope="row" { (day.date) } @for mark in Mark::ALL { td { (spans(day, mark)) } } }
                        }
                    }
                }
            }
        }
    }
}

/// The hours of a day with a mark: `00–07, 09`.
fn spans(day: &Day, wanted: Mark) -> String {
    let mut spans: Vec<(usize, usize)> = Vec::new();
    for (hour, _) in day
        .hours
        .iter()
        .enumerate()
        .filter(|(_, mark)| **mark == wanted)
    {
        match spans.last_mut() {
            Some((_, last)) if *last + 1 == hour => *last = hour,
            _ => spans.push((hour, hour)),
        }
    }
    if spans.is_empty() {
        return "–".to_owned();
    }
    let span = |(first, last): &(usize, usize)| {
        if first == last {
            format!("{first:02}")
        } else {
            format!("{first:02}–{last:02}")
        }
    };
    spans.iter().map(span).collect::<Vec<_>>().join(", ")
}

impl Mark {
    /// Its class in the style.
    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Pending => "pending",
            Self::CountMatched => "matched",
            Self::Verified => "verified",
            Self::VerifiedLate => "late",
            Self::Gap => "gap",
            Self::Unknown => "unknown",
        }
    }

    /// Its outline, from the corner of its cell: marks differ in more than their colour.
    const fn shape(self) -> &'static str {
        match self {
            Self::None => "",
            // A square, half of one, a low one, a small one, one on its tip, and a large one with a hole.
            Self::Verified => "m1 1h8v8h-8z",
            Self::VerifiedLate => "m1 1h8l-8 8z",
            Self::CountMatched => "m1 5h8v4h-8z",
            Self::Pending => "m3 3h4v4h-4z",
            Self::Unknown => "m5 0l5 5l-5 5l-5-5z",
            Self::Gap => "m0 0h10v10h-10zm3 3v4h4v-4z",
        }
    }

    /// What it means, in a sentence.
    pub(super) const fn about(self) -> &'static str {
        match self {
            Self::None => "Nothing was collected then.",
            Self::Pending => {
                "Not compared with Duo yet: an hour is reconciled 15 minutes after its end, and again 2, 6, 12, 24 and 48 hours later."
            }
            Self::CountMatched => {
                "Duo's count agrees with what was delivered; the hour is read in full a day after its end."
            }
            Self::Verified => "Read in full: everything that Duo has was delivered.",
            Self::VerifiedLate => {
                "Read in full: everything was delivered, a part of it late, or the hour was read for the first time after a day."
            }
            Self::Gap => "A part was never collected, because Duo no longer keeps it.",
            Self::Unknown => {
                "Completeness is unknown: Duo counts more events than it returns, or no longer keeps the hour."
            }
        }
    }
}
