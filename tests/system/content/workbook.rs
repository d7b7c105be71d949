//! The workbook: its tiles with the parameters filled in, and what must be so for a tile to show anything.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::content::sources::{Content, Query};
use crate::content::tools::Checked;

const KINDS_OF_PICTURES: [&str; 7] =
    ["table", "timechart", "barchart", "piechart", "tiles", "map", "areachart"];

fn items(workbook: &Value) -> &[Value] {
    workbook["items"].as_array().unwrap()
}

fn parameters(workbook: &Value) -> impl Iterator<Item = &Value> {
    items(workbook).iter().filter_map(|item| item["content"]["parameters"].as_array()).flatten()
}

/// What the workbook writes in place of `{name}`, or of `{name:form}`, before anything is chosen.
fn filled_in(workbook: &Value, place: &str) -> String {
    let (name, form) = place.split_once(':').unwrap_or((place, ""));
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
        _ => panic!("{place}: this form of a parameter is not known to the test"),
    }
}

fn with_parameters(workbook: &Value, query: &str) -> String {
    let mut out = String::new();
    let mut rest = query;
    while let Some((before, behind)) = rest.split_once('{') {
        let (place, after) = behind.split_once('}').expect("a bracket that closes");
        out.push_str(before);
        out.push_str(&filled_in(workbook, place));
        rest = after;
    }
    out + rest
}

/// Every query of the workbook: of its tiles, and of its parameters.
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

/// The settings of a picture that name a column.
const NAMES_OF_COLUMNS: &str =
    "columnMatch locInfoColumn sizeSettings labelSettings legendMetric nodeColorField";

/// The columns that the settings of a picture name.
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

/// What would make a tile empty or the workbook unreadable.
pub(crate) fn faults(content: &Content, answers: &[Checked]) -> Vec<String> {
    let workbook = &content.workbook;
    let mut faults = Vec::new();
    if workbook["version"] != "Notebook/1.0" {
        faults.push("workbook: the version is not Notebook/1.0".to_owned());
    }
    let mut names = BTreeSet::new();
    for item in items(workbook) {
        let name = item["name"].as_str().unwrap_or_default();
        if name.is_empty() || !names.insert(name) {
            faults.push(format!("workbook: an item needs a name of its own, not {name:?}"));
        }
    }
    let parameters: BTreeSet<&str> =
        parameters(workbook).filter_map(|one| one["name"].as_str()).collect();
    for tile in &content.tiles {
        let definition = &tile.definition;
        let mut fault = |text: String| faults.push(format!("{}: {text}", tile.name));
        let time = definition["timeContextFromParameter"].as_str().unwrap_or_default();
        if !parameters.contains(time) {
            fault(format!("takes its time range from {time:?}"));
        }
        if definition["queryType"] != 0 {
            fault("is no query of Log Analytics".to_owned());
        }
        let columns = &answers.iter().find(|answer| answer.name == tile.name).unwrap().columns;
        // A parameter's query gives the values to choose from.
        let Some(picture) = definition["visualization"].as_str() else {
            if columns.len() != 1 {
                fault(format!("gives {} columns to choose from", columns.len()));
            }
            continue;
        };
        if !KINDS_OF_PICTURES.contains(&picture) {
            fault(format!("is shown as {picture}"));
        }
        if definition["title"].as_str().is_none_or(str::is_empty) {
            fault("has no title".to_owned());
        }
        let is_over_time = columns.values().any(|kind| kind == "datetime");
        if picture == "timechart" && !is_over_time {
            fault("is drawn over time and gives no time".to_owned());
        }
        let mut shown = Vec::new();
        named_columns(definition, &mut shown);
        for column in shown.iter().filter(|column| !columns.contains_key(*column)) {
            fault(format!("shows the column {column}, which the query does not give"));
        }
    }
    faults
}
