//! Writes to stdout and stderr; no other module prints.

use std::io::{self, Write as _};

use comfy_table::{Cell, CellAlignment, Table, presets};
use console::style;
use serde::Serialize;

use crate::model::LogType;

pub(super) fn data(line: impl AsRef<str>) {
    // A closed pipe is not an error.
    writeln!(io::stdout(), "{}", line.as_ref()).ok();
}

pub(super) fn talk(line: impl AsRef<str>) {
    writeln!(io::stderr(), "{}", line.as_ref()).ok();
}

pub(super) fn json(value: &impl Serialize) {
    data(serde_json::to_string_pretty(value).expect("reports have string keys"));
}

pub(super) fn error(message: &str, hint: Option<&str>) {
    talk(format!("{} {message}", style("error:").for_stderr().bold().red()));
    if let Some(hint) = hint {
        talk(format!("{} {hint}", style("hint:").for_stderr().bold().cyan()));
    }
}

pub(super) fn about<'a>(
    log_type: LogType,
    lines: impl Iterator<Item = &'a String>,
    hint: Option<&str>,
) {
    lines.for_each(|line| talk(format!("{log_type}: {line}")));
    if let Some(hint) = hint {
        talk(format!("  hint: {hint}"));
    }
}

/// A table with `text_columns` left-aligned columns, followed by numbers.
pub(super) fn table<const N: usize>(
    header: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
    text_columns: usize,
) -> String {
    let align = |(column, text): (usize, String)| {
        let side = if column < text_columns { CellAlignment::Left } else { CellAlignment::Right };
        Cell::new(text).set_alignment(side)
    };
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(header.into_iter().map(str::to_owned).enumerate().map(align));
    for row in rows {
        table.add_row(row.into_iter().enumerate().map(align));
    }
    // The style pads both sides of a column.
    let trimmed = |line: String| line.strip_prefix(' ').unwrap_or(&line).trim_end().to_owned();
    table.lines().map(trimmed).collect::<Vec<_>>().join("\n")
}
