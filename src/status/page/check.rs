//! What the hourly check found, on the page.

use maud::{Markup, html};

use super::words::moment;
use crate::status::Status;

/// What the last check found.
pub(super) fn check(status: &Status) -> Markup {
    html! {
        section {
            h2 { "Last check" }
            @match &status.check {
                None => p { "None is stored yet. The timer looks at everything that collection needs once an hour." },
                Some(check) => {
                    p {
                        (moment(check.checked_at)) ": " (check.looked_at) " things looked at, "
                        @match check.problems.len() {
                            0 => "all in order.",
                            1 => "1 problem.",
                            problems => { (problems) " problems." },
                        }
                    }
                    @for problem in &check.problems {
                        div.trouble {
                            p {
                                strong { (problem.subject) ": " (problem.message) }
                                @if let Some(status) = problem.http_status { " (HTTP " (status) ")" }
                            }
                            p { (problem.remedy) }
                        }
                    }
                },
            }
        }
    }
}
