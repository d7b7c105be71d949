//! The files below `sentinel/`.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::content::{tools, workbook};

/// A query, with the file or tile that contains it.
#[derive(Debug)]
pub(crate) struct Query {
    /// Kind and file name; for a tile, the names of the workbook and the tile.
    pub(crate) name: String,
    pub(crate) text: String,
    /// The whole rule, hunting query or item of the workbook.
    pub(crate) definition: Value,
}

impl Query {
    /// What the names of all alerts about the connector begin with.
    pub(crate) const ALERT: &str = "Cisco Duo connector - ";

    /// The name of an alert, as the documents give it.
    pub(crate) fn alert(&self) -> &str {
        let name = self.definition["name"].as_str().unwrap_or_default();
        name.strip_prefix(Self::ALERT).unwrap_or(name)
    }

    /// The file name without folder and extension.
    pub(crate) fn stem(&self) -> &str {
        self.name.rsplit('/').next().expect("a name has a last part")
    }

    /// A query defined in a test.
    pub(crate) fn of_a_test(text: &str) -> Self {
        Self {
            name: "a query of the test".to_owned(),
            text: text.to_owned(),
            definition: Value::Null,
        }
    }
}

/// Everything below `sentinel/`.
#[derive(Debug)]
pub(crate) struct Content {
    /// The text of the function `CiscoDuo`.
    pub(crate) function: String,
    /// That function, and `CiscoDuoCoverage` as a query.
    pub(crate) functions: Vec<Query>,
    pub(crate) alerts: Vec<Query>,
    pub(crate) rules: Vec<Query>,
    pub(crate) hunting: Vec<Query>,
    pub(crate) workbook: Value,
    pub(crate) tiles: Vec<Query>,
}

/// The parameters of `CiscoDuoCoverage` in its cases, which make its text a query.
pub(crate) const PARAMETERS: &str =
    "let From = datetime(2026-11-20T08:00:00Z);\nlet To = datetime(2026-11-20T11:00:00Z);\n";

/// The files of a folder below `sentinel/`, sorted by name.
fn files(folder: &str) -> Vec<String> {
    let folder = format!("{}/sentinel/{folder}", env!("CARGO_MANIFEST_DIR"));
    let mut files: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path().to_str().unwrap().to_owned())
        .collect();
    files.sort();
    files
}

fn queries(folder: &str, yaml: &BTreeMap<String, Value>, key: &str) -> Vec<Query> {
    files(folder)
        .into_iter()
        .map(|file| {
            let stem = file.rsplit('/').next().unwrap().trim_end_matches(".yaml");
            let definition = yaml[&file].clone();
            let text = definition[key].as_str().unwrap_or_else(|| panic!("{file} has no {key}"));
            Query { name: format!("{folder}/{stem}"), text: text.to_owned(), definition }
        })
        .collect()
}

impl Content {
    pub(crate) fn read() -> Self {
        let all = ["functions", "rules", "hunting", "alerts"].map(files);
        let all = all.concat();
        for file in &all {
            assert_eq!(file.rsplit('.').next(), Some("yaml"), "{file} is not YAML");
        }
        let yaml = tools::read_yaml(&all);
        let mut functions = queries("functions", &yaml, "FunctionQuery");
        let [function, coverage] = functions.as_mut_slice() else {
            panic!("there are two functions");
        };
        coverage.text = format!("{PARAMETERS}{}", coverage.text);
        let text = std::fs::read_to_string(&files("workbooks")[0]).unwrap();
        let workbook: Value = serde_json::from_str(&text).unwrap();
        Self {
            function: function.text.clone(),
            tiles: workbook::tiles(&workbook),
            functions,
            rules: queries("rules", &yaml, "query"),
            hunting: queries("hunting", &yaml, "query"),
            alerts: queries("alerts", &yaml, "query"),
            workbook,
        }
    }

    /// All queries.
    pub(crate) fn queries(&self) -> Vec<&Query> {
        let every = [&self.functions, &self.rules, &self.hunting, &self.alerts, &self.tiles];
        every.into_iter().flatten().collect()
    }
}
