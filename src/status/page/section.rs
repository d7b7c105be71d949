//! The section of one log.

use maud::{Markup, html};

use super::super::{LogStatus, State};
use super::chart::{completeness, events};
use super::{badge, is_known, log_name, moment, problem, table};
use crate::model::{Millis, Span, number};

pub(super) fn section(log: &LogStatus, now: Millis) -> Markup {
    html! {
        section.log id=(log.log_type) aria-labelledby={ (log.log_type) "-name" } {
            h2 id={ (log.log_type) "-name" } { (log_name(log.log_type)) " " (badge(log.state)) }
            (problem(log.state.tone(), None, log.cause))
            @if is_known(log) {
                (facts(log))
                (events(log, now))
                (completeness(log))
                (spans("Gaps", &log.gaps))
                (spans("Completeness unknown", &log.unknown))
            } @else if log.state == State::New {
                p { "No run is recorded yet." }
            }
            (last_errors(log))
        }
    }
}

fn facts(log: &LogStatus) -> Markup {
    let done = &log.activity.counts;
    let counts = [
        ("Late events", done.late),
        ("Deduplicated", done.deduplicated),
        ("Dead letters", done.dead_letters),
        ("Requests to Duo", done.requests),
        ("Times throttled", done.throttled),
    ];
    html! {
        dl {
            @for (name, time) in [
                ("Delivered up to", log.collected_to),
                ("In this state since", log.since),
                ("Continues at", log.retry_at),
            ] {
                @if let Some(time) = time { div { dt { (name) } dd { (moment(time)) } } }
            }
        }
        h3 { "In the last 7 days" }
        dl.counts {
            @for (name, count) in counts {
                div { dt { (name) } dd { (number(count)) } }
            }
        }
    }
}

fn spans(heading: &str, spans: &[Span]) -> Markup {
    html! {
        @if !spans.is_empty() {
            h3 { (heading) }
            ul {
                @for span in spans {
                    li { (moment(span.from)) " to " (moment(span.to)) }
                }
            }
        }
    }
}

fn last_errors(log: &LogStatus) -> Markup {
    let label = format!("Last errors: {}", log_name(log.log_type));
    let headings =
        [("Error", ""), ("Last", ""), ("First", ""), ("Runs", "number"), ("What to do", "")];
    html! {
        @if !log.last_errors.is_empty() {
            details {
                summary { "Last errors" }
                (table(&label, headings, &html! {
                    @for error in &log.last_errors {
                        tr {
                            td.long { (error.code.sentence()) @if let Some(status) = error.http_status { " HTTP " (status) } }
                            td { (moment(error.last_at)) }
                            td { (moment(error.first_at)) }
                            td.number { (number(error.runs)) }
                            td.long { (error.code.hint()) }
                        }
                    }
                }))
            }
        }
    }
}
