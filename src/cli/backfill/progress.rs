//! Progress of a backfill: bars on a terminal, lines elsewhere.

use std::fmt::Display;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::cli::output;
use crate::collector::Backfill;
use crate::model::{Hour, Millis, number, span};
use crate::sync::RunCounts;

#[derive(Clone)]
pub(super) struct Bar {
    drawn: ProgressBar,
    name: String,
    from: Millis,
}

impl Bar {
    pub(super) fn new(progress: &MultiProgress, backfill: &Backfill) -> Self {
        let (from, to) = (backfill.span.from, backfill.span.to);
        let style = ProgressStyle::with_template("{prefix:18} {bar:24} {percent:>3} %  {msg}")
            .expect("the template is a constant");
        let length = u64::try_from((to - from).num_milliseconds()).unwrap_or(0);
        let drawn = progress.add(ProgressBar::new(length).with_style(style));
        drawn.set_prefix(backfill.log_type.to_string());
        let (first, end) = (Hour::of(from), Hour::of(to));
        let name = format!("{} {first} to {end}", backfill.log_type);
        if drawn.is_hidden() {
            output::talk(format!("{name}: begins"));
        }
        Self { drawn, name, from }
    }

    /// Shows the time reached and the counts of all runs.
    pub(super) fn advance(&self, reached: Option<Millis>, counts: &RunCounts) {
        let RunCounts { events, pages, .. } = *counts;
        if let Some(reached) = reached {
            let reached = u64::try_from((reached - self.from).num_milliseconds()).unwrap_or(0);
            let is_first = self.drawn.position() == 0 && pages == 0;
            self.drawn.set_position(reached.max(self.drawn.position()));
            if is_first {
                // The progress of an earlier command must not affect the estimate.
                self.drawn.reset_eta();
            }
        }
        let seconds = self.drawn.elapsed().as_secs().max(1);
        let left = match self.drawn.eta().as_secs() {
            0 => "-".to_owned(),
            left => span(left.try_into().unwrap_or(0)),
        };
        self.drawn.set_message(format!(
            "{} pages, {} events, {}/s, {left} left",
            number(pages),
            number(events),
            number(events / seconds)
        ));
    }

    pub(super) fn waits(&self, why: &str, pause: Duration) {
        if why.is_empty() {
            return;
        }
        let seconds = i64::try_from(pause.as_secs()).unwrap_or(0);
        let line = format!("waiting {}: {why}", span(seconds));
        if self.drawn.is_hidden() {
            output::talk(format!("{}: {line}", self.name));
        } else {
            self.drawn.set_message(line);
        }
    }

    pub(super) fn end(&self, outcome: impl Display) {
        if self.drawn.is_hidden() {
            output::talk(format!("{}: {outcome}", self.name));
        }
        self.drawn.finish();
    }
}
