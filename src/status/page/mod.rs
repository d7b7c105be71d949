//! The status page: one page without scripts, for people.
//!
//! It shows states, times, counts and codes: no secret, no event, and no text of another service.

mod chart;
mod check;
mod words;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest as _, Sha256};

use super::{LogStatus, Mark, State, Status};
use crate::health::Code;
use crate::model::{IngestionApi, Millis, number, span};
use chart::{completeness, events};
use check::check;
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
            (legend())
        }
        (footer(status))
    };
    document(content).into_string()
}

/// The page where nothing can be told.
pub fn page_of_fault(sentence: &str, remedy: &str) -> String {
    let content = html! {
        header {
            p.product { "duo-sentinel" }
            h1 { "Cisco Duo logs in Microsoft Sentinel" }
            p.verdict.failing { strong { (sentence) } }
        }
        main { p { (remedy) } }
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

/// The whole in one word and one sentence.
fn verdict(status: &Status) -> (&'static str, String) {
    let count = |wanted: &[State]| {
        status
            .logs
            .iter()
            .filter(|log| wanted.contains(&log.state))
            .count()
    };
    let logs = |count: usize| {
        if count == 1 {
            "1 log".to_owned()
        } else {
            format!("{count} logs")
        }
    };
    let gaps: usize = status.logs.iter().map(|log| log.gaps.len()).sum();
    let acting = count(&[State::Failing, State::Silent, State::Unreadable]);
    let moving = count(&[State::Waiting, State::CatchingUp, State::New]);
    let problems = status
        .check
        .as_ref()
        .map_or(0, |check| check.problems.len());
    match (acting, gaps, moving) {
        (0, 0, 0) if problems > 0 => (
            "waiting",
            "Everything that Duo shows is delivered, but the last check found a problem; see below.".to_owned(),
        ),
        (0, 0, 0) => (
            "working",
            "Everything that Duo shows is delivered.".to_owned(),
        ),
        (0, 0, _) => (
            "waiting",
            format!("{} will catch up; nobody has to act.", logs(moving)),
        ),
        (0, _, _) => (
            "failing",
            "A part of the last 14 days is missing; see the gaps below.".to_owned(),
        ),
        (_, _, _) => (
            "failing",
            format!("{} need somebody; see what to do below.", logs(acting)),
        ),
    }
}

fn overview(status: &Status) -> Markup {
    html! {
        section {
            h2 { "Logs" }
            div.scroll tabindex="0" role="region" aria-label="Logs" {
                table {
                    thead { tr {
                        th scope="col" { "Log" }
                        th scope="col" { "State" }
                        th scope="col" { "Behind" }
                        th scope="col" { "Last success" }
                        th.number scope="col" { "Events, 7 days" }
                        th.number scope="col" { "Hours proved, 14 days" }
                    } }
                    tbody {
                        @for log in &status.logs {
                            tr {
                                th scope="row" { a href={ "#" (log.log_type) } { (words::log_name(log.log_type)) } }
                                td { (badge(log.state)) }
                                td { (log.lag_seconds.map_or_else(|| "–".to_owned(), |lag| span(lag.max(0)))) }
                                td { (log.succeeded_at.map_or_else(|| html! { "–" }, moment)) }
                                td.number { (number(log.activity.events)) }
                                td.number {
                                    (log.completeness.proved + log.completeness.late) " of "
                                    (log.completeness.count() - log.completeness.pending)
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn badge(state: State) -> Markup {
    let class = match state {
        State::Working => "working",
        State::NotGiven | State::New => "idle",
        State::CatchingUp | State::Waiting => "waiting",
        State::Silent | State::Unreadable | State::Failing => "failing",
    };
    html! { span class={ "badge " (class) } { (state.as_str()) } }
}

fn section(log: &LogStatus, now: Millis) -> Markup {
    html! {
        section.log id=(log.log_type) aria-labelledby={ (log.log_type) "-name" } {
            h2 id={ (log.log_type) "-name" } { (words::log_name(log.log_type)) " " (badge(log.state)) }
            (trouble(log))
            (facts(log))
            (events(log, now))
            (completeness(log))
            (gaps(log))
            (troubles(log))
        }
    }
}

fn trouble(log: &LogStatus) -> Markup {
    let silent =
        (log.state == State::Silent).then_some((Code::NoRun.sentence(), Code::NoRun.remedy()));
    let told = log.message.zip(log.remedy);
    html! {
        @for (message, remedy) in silent.into_iter().chain(told) {
            div.trouble {
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
                ("Standing so since", log.since),
                ("Goes on at", log.parked_until),
            ] {
                @if let Some(time) = time { div { dt { (name) } dd { (moment(time)) } } }
            }
            @for (name, count) in counts {
                div { dt { (name) ", 7 days" } dd { (number(count)) } }
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
                                    td { (trouble.code.sentence()) @if let Some(status) = trouble.http_status { " HTTP " (status) } }
                                    td { (moment(trouble.last_at)) }
                                    td { (moment(trouble.first_at)) }
                                    td.number { (number(trouble.runs)) }
                                    td { (trouble.code.remedy()) }
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
                    div { dt { span class={ "key " (mark.class()) } {} (mark.as_str()) } dd { (mark.about()) } }
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
