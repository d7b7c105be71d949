//! Two charts per log, as plain SVG: the events and the completeness of each hour.
//!
//! Each colour is one path, which keeps the page small. Each chart has a text alternative.

use maud::{Markup, html};
use strum::EnumProperty as _;

use super::super::{Activity, Day, HourStatus, LogStatus};
use super::{log_name, table};
use crate::model::{Hour, Millis, number};

/// Number of hours, the last one at the right.
const HOURS: i64 = 7 * 24;
/// Height of the bars in SVG units; an hour is one unit wide.
const HEIGHT: u64 = 40;
/// Size of the cell of an hour.
const CELL: usize = 10;
/// Width of the date column.
const LABEL: usize = 52;

pub(super) fn events(log: &LogStatus, now: Millis) -> Markup {
    let last = Hour::of(now);
    let of = |hour: Hour| log.hours.get(&hour).copied().unwrap_or_default();
    let hours: Vec<(Hour, Activity)> =
        (1 - HOURS..=0).map(|number| last.after(number)).map(|hour| (hour, of(hour))).collect();
    let events = || hours.iter().map(|(_, activity)| activity.counts.events);
    let most = events().max().unwrap_or(0);
    // Stored counts may be damaged: their sums and products must not overflow.
    let total = events().fold(0, u64::saturating_add);
    // At least one unit, so that a single event is visible.
    let height = |events: u64| {
        let height = (u128::from(events) * u128::from(HEIGHT)).div_ceil(u128::from(most.max(1)));
        u64::try_from(height).expect("at most HEIGHT")
    };
    let bars = events().map(height).enumerate();
    let (total_text, most_text) = (number(total), number(most));
    let label = format!(
        "Events delivered in each of the last {HOURS} hours: {total_text} in total, at most {most_text} in one hour."
    );
    html! {
        figure {
            figcaption { "Events per hour: " (total_text) " in total, at most " (most_text) " in one hour" }
            svg.bars role="img" aria-label=(label) viewBox={ "0 0 " (HOURS) " " (HEIGHT + 4) } preserveAspectRatio="none" {
                path.axis d={ "M0 " (HEIGHT) "h" (HOURS) "v.5h-" (HOURS) "z" } {}
                @for (x, (hour, _)) in hours.iter().enumerate() {
                    @if *hour == hour.day() { path.day d={ "M" (x) " 0v" (HEIGHT) } {} }
                }
                path.delivered d={
                    @for (x, height) in bars.filter(|(_, height)| *height > 0) {
                        "M" (x) " " (HEIGHT - height) "h.8v" (height) "h-.8z"
                    }
                } {}
                path.throttled d={
                    @for (x, _) in hours.iter().enumerate().filter(|(_, (_, activity))| activity.counts.throttled > 0) {
                        "M" (x) " " (HEIGHT + 1) "h.8v2h-.8z"
                    }
                } {}
            }
            div.ends { span { (last.after(1 - HOURS).date()) } span { "now" } }
        }
    }
}

/// The status of each hour: one row per day, one mark per hour.
pub(super) fn completeness(log: &LogStatus) -> Markup {
    if log.days.is_empty() {
        return html! {};
    }
    let label = format!("Hours of the last {} days: {}.", log.days.len(), log.completeness);
    let (width, height) = (LABEL + 24 * CELL, log.days.len() * CELL);
    html! {
        figure {
            figcaption { "Completeness of each hour (UTC), 14 days" }
            svg.hours role="img" aria-label=(label) viewBox={ "0 0 " (width) " " (height) } {
                @for (row, day) in log.days.iter().enumerate() {
                    text x="0" y=(row * CELL + 8) { (day.date) }
                }
                @for mark in HourStatus::all() {
                    @if log.days.iter().any(|day| day.hours.contains(&mark)) {
                        path class=(mark.class()) d={
                            @for (row, day) in log.days.iter().enumerate() {
                                @for hour in hours(day, mark) { "M" (LABEL + hour * CELL) " " (row * CELL) (shape(mark)) }
                            }
                        } {}
                    }
                }
            }
            p.caption { (label) }
            (by_day(log))
        }
    }
}

fn hours(day: &Day, mark: HourStatus) -> impl Iterator<Item = usize> {
    (0..24).filter(move |hour| day.hours[*hour] == mark)
}

fn shape(mark: HourStatus) -> &'static str {
    mark.get_str("shape").unwrap_or_default()
}

/// A mark for the legend.
pub(super) fn key(mark: HourStatus) -> Markup {
    html! {
        svg.key aria-hidden="true" viewBox={ "0 0 " (CELL) " " (CELL) } {
            path class=(mark.class()) d={ "M0 0" (shape(mark)) } {}
        }
    }
}

/// The hours as text, for screen readers.
fn by_day(log: &LogStatus) -> Markup {
    let label = format!("Hours by day: {}", log_name(log.log_type));
    let headings = HourStatus::all().map(HourStatus::name);
    let headings = ["Day".to_owned()].into_iter().chain(headings);
    html! {
        details {
            summary { "By day" }
            (table(&label, headings.map(|heading| (heading, "")), &html! {
                @for day in &log.days {
                    tr { th scope="row" { (day.date) } @for mark in HourStatus::all() { td { (spans(day, mark)) } } }
                }
            }))
        }
    }
}

/// The hours of a day with a status: `00–07, 09`.
fn spans(day: &Day, mark: HourStatus) -> String {
    let hours: Vec<usize> = hours(day, mark).collect();
    let spans = hours.chunk_by(|one, next| one + 1 == *next).map(|span| match span {
        [first, .., last] => format!("{first:02}–{last:02}"),
        hour => format!("{:02}", hour[0]),
    });
    let spans = spans.collect::<Vec<_>>().join(", ");
    if spans.is_empty() { "–".to_owned() } else { spans }
}
