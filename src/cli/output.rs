//! Writing to the terminal: the one place of the program that prints.

use std::io::{self, IsTerminal as _, Write as _};

use comfy_table::{Cell, CellAlignment, Table, presets};
use serde::Serialize;

/// Prints a line of data.
pub(super) fn data(line: impl AsRef<str>) {
    // A reader that went away, as `head` does, is no fault of ours.
    writeln!(io::stdout(), "{}", line.as_ref()).ok();
}

/// Prints a line of talk.
pub(super) fn talk(line: impl AsRef<str>) {
    writeln!(io::stderr(), "{}", line.as_ref()).ok();
}

/// Prints data for programs.
pub(super) fn json(value: &impl Serialize) {
    data(serde_json::to_string_pretty(value).expect("reports have string keys"));
}

/// Prints an error and what to do about it.
pub(super) fn error(message: &str, hint: Option<&str>) {
    talk(format!("{} {message}", paint("error:", "1;31")));
    if let Some(hint) = hint {
        talk(format!("{} {hint}", paint("hint:", "1;36")));
    }
}

/// Colours a text where stderr is a terminal; meaning never rests on it.
fn paint(text: &str, code: &str) -> String {
    if io::stderr().is_terminal() {
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    } else {
        text.to_owned()
    }
}

/// A table whose first column is text and whose others are numbers.
pub(super) fn table<const N: usize>(
    header: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
    text_columns: usize,
) -> String {
    let align = |(column, text): (usize, String)| {
        let side = if column < text_columns {
            CellAlignment::Left
        } else {
            CellAlignment::Right
        };
        Cell::new(text).set_alignment(side)
    };
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(header.into_iter().map(str::to_owned).enumerate().map(align));
    for row in rows {
        table.add_row(row.into_iter().enumerate().map(align));
    }
    // The style pads both sides of a column: the outermost blanks are nobody's.
    let lines: Vec<String> = table
        .lines()
        .map(|line| {
            line.strip_prefix(' ')
                .unwrap_or(&line)
                .trim_end()
                .to_owned()
        })
        .collect();
    lines.join("\n")
}

/// A number with its thousands set apart.
pub(super) fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A span of time in the two units that matter.
pub(super) fn span(seconds: i64) -> String {
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
        assert_eq!(
            [0, 999, 1000, 1_234_567].map(number),
            ["0", "999", "1,000", "1,234,567"]
        );
        assert_eq!(
            [5, 200, 7300, 200_000].map(span),
            ["5 s", "3 min 20 s", "2 h 1 min", "2 d 7 h"]
        );
    }
}
