//! The workbook: its tiles with parameters filled in, and conditions for a tile to show data.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::content::sources::{Content, Query};
use crate::content::tools::Checked;

const VISUALIZATIONS: [&str; 7] =
    ["table", "timechart", "barchart", "piechart", "tiles", "map", "areachart"];

fn items(workbook: &Value) -> &[Value] {
    workbook["items"].as_array().unwrap()
}

fn parameters(workbook: &Value) -> impl Iterator<Item = &Value> {
    items(workbook).iter().filter_map(|item| item["content"]["parameters"].as_array()).flatten()
}

/// The default value for `{name}` or `{name:form}` before a selection.
fn filled_in(workbook: &Value, placeholder: &str) -> String {
    let (name, form) = placeholder.split_once(':').unwrap_or((placeholder, ""));
    let parameter = parameters(workbook)
        .find(|parameter| parameter["name"] == name)
        .unwrap_or_else(|| panic!("the workbook has no parameter {name}"));
    match (parameter["type"].as_u64(), form) {
        (Some(4), "grain") => "1h".to_owned(),
        (Some(2), "") => {
            let settings = &parameter["typeSettings"];
            let quote = parameter["quote"].as_str().unwrap();
            format!("{quote}{}{quote}", settings["selectAllValue"].as_str().unwrap())
        }
        (Some(1), "") => String::new(),
        _ => panic!("{placeholder}: the test does not support this form"),
    }
}

fn with_parameters(workbook: &Value, query: &str) -> String {
    let mut out = String::new();
    let mut rest = query;
    while let Some((before, behind)) = rest.split_once('{') {
        let (placeholder, after) = behind.split_once('}').expect("a closing bracket");
        out.push_str(before);
        out.push_str(&filled_in(workbook, placeholder));
        rest = after;
    }
    out + rest
}

/// Every query of the workbook, in tiles and parameters.
pub(crate) fn tiles(workbook: &Value) -> Vec<Query> {
    let query = |name: &Value, text: &Value, definition: &Value| Query {
        name: format!("workbooks/CiscoDuo: {}", name.as_str().unwrap()),
        text: with_parameters(workbook, text.as_str().unwrap()),
        definition: definition.clone(),
    };
    let of_parameters = parameters(workbook)
        .filter(|parameter| parameter["query"].is_string())
        .map(|parameter| query(&parameter["name"], &parameter["query"], parameter));
    let of_items = items(workbook)
        .iter()
        .filter(|item| item["type"] == 3)
        .map(|item| query(&item["name"], &item["content"]["query"], &item["content"]));
    of_parameters.chain(of_items).collect()
}

/// The settings of a visualization that name a column.
const NAMES_OF_COLUMNS: &str =
    "columnMatch locInfoColumn sizeSettings labelSettings legendMetric nodeColorField";

/// Collects the columns that the settings of a visualization name.
fn named_columns(settings: &Value, found: &mut Vec<String>) {
    match settings {
        Value::Object(object) => {
            for (key, value) in object {
                match value.as_str() {
                    Some(column) if NAMES_OF_COLUMNS.split(' ').any(|name| name == key) => {
                        found.push(column.to_owned());
                    }
                    _ => named_columns(value, found),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| named_columns(value, found)),
        _ => {}
    }
}

/// Errors that make a tile empty or the workbook unreadable.
pub(crate) fn errors(content: &Content, results: &[Checked]) -> Vec<String> {
    let workbook = &content.workbook;
    let mut errors = Vec::new();
    if workbook["version"] != "Notebook/1.0" {
        errors.push("workbook: the version is not Notebook/1.0".to_owned());
    }
    let mut names = BTreeSet::new();
    for item in items(workbook) {
        let name = item["name"].as_str().unwrap_or_default();
        if name.is_empty() || !names.insert(name) {
            errors.push(format!("workbook: an item needs a unique name, not {name:?}"));
        }
    }
    let parameters: BTreeSet<&str> =
        parameters(workbook).filter_map(|one| one["name"].as_str()).collect();
    for tile in &content.tiles {
        let definition = &tile.definition;
        let mut error = |text: String| errors.push(format!("{}: {text}", tile.name));
        let time = definition["timeContextFromParameter"].as_str().unwrap_or_default();
        if !parameters.contains(time) {
            error(format!("takes its time range from {time:?}"));
        }
        if definition["queryType"] != 0 {
            error("is not a query of Log Analytics".to_owned());
        }
        let columns = &results.iter().find(|result| result.name == tile.name).unwrap().columns;
        // A parameter's query returns the values to choose from.
        let Some(picture) = definition["visualization"].as_str() else {
            if columns.len() != 1 {
                error(format!("returns {} columns to choose from", columns.len()));
            }
            continue;
        };
        if !VISUALIZATIONS.contains(&picture) {
            error(format!("is shown as {picture}"));
        }
        if definition["title"].as_str().is_none_or(str::is_empty) {
            error("has no title".to_owned());
        }
        let is_over_time = columns.values().any(|kind| kind == "datetime");
        if picture == "timechart" && !is_over_time {
            error("is a time chart without a time column".to_owned());
        }
        let mut shown = Vec::new();
        named_columns(definition, &mut shown);
        for column in shown.iter().filter(|column| !columns.contains_key(*column)) {
            error(format!("shows the column {column}, which the query lacks"));
        }
    }
    errors
}
