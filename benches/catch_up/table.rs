//! The printed table.

use comfy_table::{Table, presets};

/// One figure with its bound.
#[derive(Clone, Debug)]
pub(crate) struct Figure {
    /// What was measured.
    pub(crate) name: String,
    /// The value, in the unit of the bound.
    pub(crate) value: f64,
    /// The largest allowed value.
    pub(crate) bound: f64,
    /// Unit of both.
    pub(crate) unit: &'static str,
    /// Details of the measurement.
    pub(crate) detail: String,
}

impl Figure {
    fn cells(&self) -> [String; 6] {
        let share = self.value / self.bound;
        [
            self.name.clone(),
            format!("{:.2} {}", self.value, self.unit),
            format!("{} {}", (self.bound * 100.0).round() / 100.0, self.unit),
            format!("{:.0} %", share * 100.0),
            if share <= 1.0 { "ok" } else { "OVER" }.to_owned(),
            self.detail.clone(),
        ]
    }
}

/// Prints all figures.
pub(crate) fn print(figures: &[Figure]) {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["figure", "measured", "bound", "of bound", "", "details"]);
    for figure in figures {
        table.add_row(figure.cells());
    }
    println!();
    for line in table.lines() {
        println!("{}", line.trim());
    }
}
