use serde::{Deserialize, Serialize};

use super::{Hour, Millis};

/// A span of event time; never empty where it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// First moment.
    pub from: Millis,
    /// First moment after it.
    pub to: Millis,
}

impl Span {
    /// The part that lies inside another span.
    pub fn within(self, other: Self) -> Option<Self> {
        let part = Self { from: self.from.max(other.from), to: self.to.min(other.to) };
        (part.from < part.to).then_some(part)
    }

    /// A whole hour.
    pub const fn of(hour: Hour) -> Self {
        Self { from: hour.start(), to: hour.end() }
    }

    /// The hours that it touches.
    pub fn hours(self) -> impl Iterator<Item = Hour> {
        let (first, end) = (Hour::of(self.from), self.to);
        (0..).map(move |number| first.after(number)).take_while(move |hour| hour.start() < end)
    }

    /// The spans in order, those that touch each other as one.
    pub(crate) fn joined(mut spans: Vec<Self>) -> Vec<Self> {
        spans.sort_unstable_by_key(|span| span.from);
        spans.dedup_by(|next, last| {
            let touches = next.from <= last.to;
            if touches {
                last.to = last.to.max(next.to);
            }
            touches
        });
        spans
    }
}
