//! The status page in HTML, without scripts.
//!
//! It shows states, times, counts and codes, but no secrets, events or text of other services.

mod chart;
mod section;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, Render, html};
use sha2::{Digest as _, Sha256};
use strum::EnumMessage as _;

use super::{Cause, Code, HourStatus, LogStatus, State, Status};
use crate::model::{IngestionApi, LogType, Millis, number, span};
use section::section;

const STYLE: &str = include_str!("style.css");

/// The content security policy of the page: allows only its own style.
pub(crate) fn content_security_policy() -> String {
    let style = STANDARD.encode(Sha256::digest(STYLE));
    format!(
        "default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}

/// Renders the status page.
pub fn page(status: &Status) -> String {
    let (tone, sentence) = verdict(status);
    let content = html! {
        main {
            (overview(status))
            @for log in &status.logs { (section(log, status.generated_at)) }
            (check(status))
            @if status.logs.iter().any(|log| is_known(log) && !log.days.is_empty()) { (legend()) }
        }
        (footer(status))
    };
    document(tone, &sentence, &content)
}

/// Renders an error instead of the status; `headline: this | that` becomes a list.
pub(crate) fn page_of_error(sentence: &str, error: &str) -> String {
    let content = html! {
        main {
            section {
                h2 { "What to do" }
                @if let Some((head, list)) = error.split_once(": ") {
                    p { (head) ":" }
                    ul { @for error in list.split(" | ") { li { (error) } } }
                } @else {
                    p { (error) }
                }
            }
        }
    };
    document("failing", sentence, &content)
}

fn document(tone: &str, verdict: &str, content: &Markup) -> String {
    let document = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex";
                title { "duo-sentinel: status" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    p.product { "duo-sentinel" }
                    h1 { "Cisco Duo logs in Microsoft Sentinel" }
                    p class={ "verdict " (tone) } { strong { (verdict) } }
                }
                (content)
            }
        }
    };
    document.into_string()
}

/// The overall tone and sentence.
fn verdict(status: &Status) -> (&'static str, String) {
    let logs = &status.logs;
    let count = |is: fn(State) -> bool| logs.iter().filter(|log| is(log.state)).count();
    let of = |count: usize, one: &str, many: &str| match count {
        0 => None,
        1 => Some(format!("1 log {one}")),
        _ => Some(format!("{count} logs {many}")),
    };
    let acting = of(count(State::needs_action), "needs attention", "need attention");
    let by_themselves = [
        of(count(|state| state == State::CatchingUp), "is catching up", "are catching up"),
        of(count(|state| state == State::BackingOff), "is backing off", "are backing off"),
        of(count(|state| state == State::New), "has no run yet", "have no run yet"),
    ];
    let moving: Vec<String> = by_themselves.into_iter().flatten().collect();
    let in_tone = |tone: &'static str| move |sentence: &str| (tone, sentence.to_owned());
    let (working, warning, failing) = (in_tone("working"), in_tone("warning"), in_tone("failing"));
    if count(|state| state == State::New) == logs.len() {
        warning("No run is recorded yet; the timer starts one every minute.")
    } else if is_nothing_permitted(logs) {
        failing("Duo permits none of these logs for this application; see what to do below.")
    } else if let Some(acting) = acting {
        failing(&format!("{acting}; see what to do below."))
    } else if logs.iter().any(|log| !log.gaps.is_empty()) {
        failing("A part of the last 14 days is missing; see the gaps below.")
    } else if logs.iter().any(|log| !log.unknown.is_empty()) {
        warning("Completeness is unknown for some hours; see below.")
    } else if !moving.is_empty() {
        warning(&format!("{}. No action needed.", moving.join(", ")))
    } else if status.check.as_ref().is_some_and(|check| !check.errors.is_empty()) {
        warning("No log needs attention, but the last check found an error; see below.")
    } else {
        working("All available logs are working.")
    }
}

fn is_nothing_permitted(logs: &[LogStatus]) -> bool {
    let is_error = |log: &LogStatus| {
        log.state == State::Failing && log.cause.code == Some(Code::DuoNothingPermitted)
    };
    logs.iter().any(is_error) || logs.iter().all(|log| log.state == State::Unavailable)
}

fn badge(state: State) -> Markup {
    html! { span class={ "badge " (state.tone()) } { (state.as_str()) } }
}

/// A table that scrolls on narrow screens; each heading has a class.
fn table<T: Render>(
    label: &str,
    headings: impl IntoIterator<Item = (T, &'static str)>,
    rows: &Markup,
) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label=(label) {
            table {
                thead { tr { @for (heading, class) in headings { th class=[(!class.is_empty()).then_some(class)] scope="col" { (heading) } } } }
                tbody { (rows) }
            }
        }
    }
}

fn overview(status: &Status) -> Markup {
    let headings = [
        ("Log", ""),
        ("State", ""),
        ("Lag", ""),
        ("Last success", ""),
        ("Events, 7 days", "number"),
        ("Verified hours, 14 days", "number"),
    ];
    let rows = html! {
        @for log in &status.logs {
            @let known = |text: String| if is_known(log) { text } else { "–".to_owned() };
            tr {
                th scope="row" { a href={ "#" (log.log_type) } { (log_name(log.log_type)) } }
                td { (badge(log.state)) }
                td { (log.lag_seconds.map_or_else(|| "–".to_owned(), |lag| known(span(lag.max(0))))) }
                td { (log.succeeded_at.map_or_else(|| html! { "–" }, moment)) }
                td.number { (known(number(log.activity.counts.events))) }
                td.number { (known(log.completeness.verified_of_reconciled())) }
            }
        }
    };
    html! {
        section.lines {
            h2 { "Logs" }
            (table("Logs", headings, &rows))
        }
    }
}

/// Whether to show counts: a zero would be misleading if nothing was collected or can be read.
fn is_known(log: &LogStatus) -> bool {
    !matches!(log.state, State::Unavailable | State::New | State::Unreadable)
}

fn problem(tone: &str, subject: Option<&str>, cause: Cause) -> Markup {
    html! {
        @if let Some(code) = cause.code {
            div class={ "problem " (tone) } {
                p {
                    strong { @if let Some(subject) = subject { (subject) ": " } (code.sentence()) }
                    @if let Some(status) = cause.http_status { " (HTTP " (status) ")" }
                }
                p { (code.hint()) }
            }
        }
    }
}

fn check(status: &Status) -> Markup {
    html! {
        section {
            h2 { "Last check" }
            @match &status.check {
                None => p { "No check is stored yet. The timer runs the checks once an hour." },
                Some(check) => {
                    p {
                        (moment(check.checked_at)) ": " (check.check_count) " checks, "
                        @match check.errors.len() {
                            0 => "no errors.",
                            1 => "1 error.",
                            errors => { (errors) " errors." },
                        }
                    }
                    @for error in &check.errors {
                        (self::problem("failing", Some(&error.subject), error.cause))
                    }
                },
            }
        }
    }
}

fn legend() -> Markup {
    html! {
        section {
            h2 { "How to read the hours" }
            dl.legend {
                @for mark in HourStatus::all() {
                    div { dt { (chart::key(mark)) (mark.name()) } dd { @if let Some(about) = mark.get_documentation() { (about) } } }
                }
            }
        }
    }
}

fn footer(status: &Status) -> Markup {
    let api = match status.ingestion_api {
        IngestionApi::DataCollector => "HTTP Data Collector API",
        IngestionApi::LogsIngestion => "Logs Ingestion API",
    };
    html! {
        footer {
            p {
                "duo-sentinel " (status.program) ", " (api) ". As stored at " (clock(status.generated_at))
                "; times are UTC. For JSON, add " code { "&format=json" } " to the address."
            }
            @if let Some(sha256) = status.sha256 { p { "SHA-256 of the program: " code { (sha256) } } }
        }
    }
}

/// `2026-11-22 10:05:07`.
fn clock(time: Millis) -> String {
    time.date_time().format("%Y-%m-%d %H:%M:%S").to_string()
}

/// A machine-readable time.
fn moment(time: Millis) -> Markup {
    html! { time datetime=(time) { (clock(time)) } }
}

const fn log_name(log_type: LogType) -> &'static str {
    match log_type {
        LogType::Authentication => "Authentication",
        LogType::Administrator => "Administrator",
        LogType::Telephony => "Telephony",
        LogType::OfflineEnrollment => "Offline enrollment",
        LogType::TrustMonitor => "Trust Monitor",
        LogType::Activity => "Activity",
    }
}
