//! How the whole and each log fares, in a word and a colour.

use maud::{Markup, html};

use super::super::{State, Status};

/// The whole in one word and one sentence.
pub(super) fn verdict(status: &Status) -> (&'static str, String) {
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
    if count(&[State::New]) == status.logs.len() {
        let sentence = "No run is recorded yet; the timer begins one every minute.";
        return ("waiting", sentence.to_owned());
    }
    if count(&[State::NotGiven]) == status.logs.len() {
        let sentence = "Duo gives none of these logs to this application; see what to do below.";
        return ("failing", sentence.to_owned());
    }
    let unknown: u32 = status.logs.iter().map(|log| log.completeness.unknown).sum();
    let gaps: usize = status.logs.iter().map(|log| log.gaps.len()).sum();
    let acting = count(&[State::Failing, State::Silent, State::Unreadable]);
    let moving = count(&[State::Waiting, State::CatchingUp, State::New]);
    let problems = status
        .check
        .as_ref()
        .map_or(0, |check| check.problems.len());
    match (acting, gaps, moving) {
        (0, 0, _) if unknown > 0 => (
            "waiting",
            "Of some hours it cannot be told whether they are complete; see below.".to_owned(),
        ),
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
            format!(
                "{} {} somebody; see what to do below.",
                logs(acting),
                if acting == 1 { "needs" } else { "need" }
            ),
        ),
    }
}

/// The colour of a state, as a class of the style.
pub(super) const fn tone(state: State) -> &'static str {
    match state {
        State::Working => "working",
        State::NotGiven | State::New => "idle",
        State::CatchingUp | State::Waiting => "waiting",
        State::Silent | State::Unreadable | State::Failing => "failing",
    }
}

/// A state in its colour.
pub(super) fn badge(state: State) -> Markup {
    html! { span class={ "badge " (tone(state)) } { (state.as_str()) } }
}
