//! The status page: one page without scripts, for people.
//!
//! It shows states, times, counts and codes: no secret, no event, and no text of another service.

mod chart;
mod check;
mod verdict;
mod words;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest as _, Sha256};

use super::{LogStatus, Mark, State, Status};
use crate::model::{IngestionApi, Millis, number, span};
use chart::{completeness, events};
use check::check;
use verdict::{badge, tone, verdict};
use words::{clock, moment};

const STYLE: &str = include_str!("style.css");

/// The content security policy of the page: nothing but its own style.
pub fn content_security_policy() -> String {
    let style = STANDARD.encode(Sha256::digest(STYLE));
    format!(
        "default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}

/// The page.
pub fn page(status: &Status) -> String {
    let (word, sentence) = verdict(status);
    let content = html! {
        header {
            p.product { "duo-sentinel" }
            h1 { "Cisco Duo logs in Microsoft Sentinel" }
            p class={ "verdict " (word) } { strong { (sentence) } }
        }
        main {
            (overview(status))
            @for log in &status.logs { (section(log, status.generated_at)) }
            (check(status))
            @if status.logs.iter().any(|log| is_known(log) && !log.days.is_empty()) { (legend()) }
        }
        (footer(status))
    };
    document(content).into_string()
}

/// The page where nothing can be told but why: `what: this | that`, or one sentence.
pub fn page_of_fault(sentence: &str, told: &str) -> String {
    let content = html! {
        header {
            p.product { "duo-sentinel" }
            h1 { "Cisco Duo logs in Microsoft Sentinel" }
            p.verdict.failing { strong { (sentence) } }
        }
        main {
            section {
                h2 { "What to do" }
                @if let Some((head, list)) = told.split_once(": ") {
                    p { (head) ":" }
                    ul { @for fault in list.split(" | ") { li { (fault) } } }
                } @else {
                    p { (told) }
                }
            }
        }
    };
    document(content).into_string()
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "markup is made to be put into markup"
)]
fn document(content: Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex";
                title { "duo-sentinel: status" }
                style { (PreEscaped(STYLE)) }
            }
            body { (content) }
        }
    }
}

fn overview(status: &Status) -> Markup {
    html! {
        section {
            h2 { "Logs" }
            div.scroll tabindex="0" role="region" aria-label="Logs" {
                table.lines {
                    thead { tr {
                        th scope="col" { "Log" }
                        th scope="col" { "State" }
                        th scope="col" { "Behind" }
                        th scope="col" { "Last success" }
                        th.number scope="col" { "Events, 7 days" }
                        th.number scope="col" { "Hours verified, 14 days" }
                    } }
                    tbody {
                        @for log in &status.logs {
                            @let known = is_known(log);
                            tr {
                                th scope="row" { a href={ "#" (log.log_type) } { (words::log_name(log.log_type)) } }
                                td { (badge(log.state)) }
                                td { (log.lag_seconds.filter(|_| known).map_or_else(|| "–".to_owned(), |lag| span(lag.max(0)))) }
                                td { (log.succeeded_at.map_or_else(|| html! { "–" }, moment)) }
                                @if known {
                                    td.number { (number(log.activity.events)) }
                                    td.number {
                                        (log.completeness.verified + log.completeness.verified_late) " of "
                                        (log.completeness.count() - log.completeness.pending)
                                    }
                                } @else {
                                    td.number { "–" }
                                    td.number { "–" }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Whether there is anything to count: where nothing was collected or can be read, a zero would say too much.
fn is_known(log: &LogStatus) -> bool {
    !matches!(log.state, State::NotGiven | State::New | State::Unreadable)
}

fn section(log: &LogStatus, now: Millis) -> Markup {
    html! {
        section.log id=(log.log_type) aria-labelledby={ (log.log_type) "-name" } {
            h2 id={ (log.log_type) "-name" } { (words::log_name(log.log_type)) " " (badge(log.state)) }
            (trouble(log))
            @if is_known(log) {
                (facts(log))
                (events(log, now))
                (completeness(log))
                (gaps(log))
            } @else if log.state == State::New {
                p { "No run is recorded yet." }
            }
            (troubles(log))
        }
    }
}

fn trouble(log: &LogStatus) -> Markup {
    html! {
        @if let Some((message, remedy)) = log.message.zip(log.remedy) {
            div class={ "trouble " (tone(log.state)) } {
                p { strong { (message) } @if let Some(status) = log.http_status { " (HTTP " (status) ")" } }
                p { (remedy) }
            }
        }
    }
}

fn facts(log: &LogStatus) -> Markup {
    let activity = &log.activity;
    let counts = [
        ("Late events", activity.late),
        ("Duplicates dropped", activity.duplicates_dropped),
        ("Dead letters", activity.dead_letters),
        ("Calls to Duo", activity.requests),
        ("Times throttled", activity.throttled),
    ];
    html! {
        dl {
            @for (name, time) in [
                ("Delivered up to", log.collected_to),
                ("In this state since", log.since),
                ("Goes on at", log.parked_until),
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

fn gaps(log: &LogStatus) -> Markup {
    html! {
        @if !log.gaps.is_empty() {
            h3 { "Missing" }
            ul {
                @for gap in &log.gaps {
                    li { (moment(gap.from)) " to " (moment(gap.to)) }
                }
            }
        }
    }
}

fn troubles(log: &LogStatus) -> Markup {
    html! {
        @if !log.troubles.is_empty() {
            details {
                summary { "What went wrong last" }
                div.scroll tabindex="0" role="region" aria-label={ "What went wrong last: " (words::log_name(log.log_type)) } {
                    table {
                        thead { tr {
                            th scope="col" { "What" }
                            th scope="col" { "Last" }
                            th scope="col" { "First" }
                            th.number scope="col" { "Runs" }
                            th scope="col" { "What to do" }
                        } }
                        tbody {
                            @for trouble in &log.troubles {
                                tr {
                                    td.long { (trouble.code.sentence()) @if let Some(status) = trouble.http_status { " HTTP " (status) } }
                                    td { (moment(trouble.last_at)) }
                                    td { (moment(trouble.first_at)) }
                                    td.number { (number(trouble.runs)) }
                                    td.long { (trouble.code.hint()) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn legend() -> Markup {
    html! {
        section {
            h2 { "How to read the hours" }
            dl.legend {
                @for mark in Mark::ALL {
                    div { dt { (chart::key(mark)) (mark.as_str()) } dd { (mark.about()) } }
                }
            }
        }
    }
}

fn footer(status: &Status) -> Markup {
    let road = match status.ingestion_api {
        IngestionApi::DataCollector => "HTTP Data Collector API",
        IngestionApi::LogsIngestion => "Logs Ingestion API",
    };
    html! {
        footer {
            p {
                "duo-sentinel " (status.program) ", rows go through the " (road) ". As stored at "
                (clock(status.generated_at)) "; times are UTC. The same as JSON: add " code { "format=json" } " to the address."
            }
            @if let Some(sha256) = status.sha256 { p { "SHA-256 of the program: " code { (sha256) } } }
        }
    }
}
