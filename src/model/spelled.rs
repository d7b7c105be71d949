//! Numbers and durations for display.

use indicatif::HumanCount;

pub(crate) fn number(number: u64) -> String {
    HumanCount(number).to_string()
}

/// A duration in its two largest units.
pub(crate) fn span(seconds: i64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, minutes) => format!("{minutes} min {} s", seconds % 60),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}

#[cfg(test)]
mod tests {
    use super::{number, span};

    #[test]
    fn numbers_and_spans_are_easy_to_read() {
        assert_eq!([0, 999, 1000, 1_234_567].map(number), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(
            [5, 200, 7300, 200_000].map(span),
            ["5 s", "3 min 20 s", "2 h 1 min", "2 d 7 h"]
        );
    }
}
