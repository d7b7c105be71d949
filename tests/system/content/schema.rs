//! The columns of `CiscoDuo_CL`, and tables with a part of them.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::content::events;
use crate::content::flatten::{ADDITIONAL_FIELDS, IngestionApi, flatten};

pub(crate) const TABLE: &str = "CiscoDuo_CL";
pub(crate) const HEALTH_TABLE: &str = "CiscoDuoHealth_CL";
/// The function that compares stored with accepted events.
pub(crate) const COVERAGE: &str = "CiscoDuoCoverage";

/// Columns with their types.
pub(crate) type Columns = BTreeMap<String, String>;

/// The columns of the tables.
#[derive(Debug)]
pub(crate) struct Schema {
    /// Declared columns, which both ingestion APIs can fill: `sentinel/schema.json`.
    declared: Columns,
    /// The columns of `CiscoDuoHealth_CL`.
    health: Columns,
    /// Columns that only the Data Collector API creates: names too long to declare, and columns
    /// with another suffix for values of another type. `sentinel/data-collector-only.json`.
    data_collector_only: Columns,
    /// Known fields without a column, by path in `AdditionalFields`.
    additional_fields: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    tables: BTreeMap<String, Columns>,
    #[serde(default)]
    additional_fields: BTreeMap<String, Vec<String>>,
}

impl File {
    fn read(name: &str) -> Self {
        let file = format!("{}/sentinel/{name}", env!("CARGO_MANIFEST_DIR"));
        serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
    }
}

impl Schema {
    pub(crate) fn read() -> Self {
        let mut both_apis = File::read("schema.json");
        let mut data_collector_only = File::read("data-collector-only.json");
        Self {
            declared: both_apis.tables.remove(TABLE).unwrap(),
            health: both_apis.tables.remove(HEALTH_TABLE).unwrap(),
            data_collector_only: data_collector_only.tables.remove(TABLE).unwrap(),
            additional_fields: both_apis.additional_fields.remove(TABLE).unwrap(),
        }
    }

    pub(crate) fn declared(&self) -> &Columns {
        &self.declared
    }

    pub(crate) fn health(&self) -> &Columns {
        &self.health
    }

    pub(crate) fn additional_fields(&self) -> &[String] {
        &self.additional_fields
    }

    /// Every column that a table can have.
    pub(crate) fn all(&self) -> Columns {
        let mut all = self.declared.clone();
        all.extend(self.data_collector_only.clone());
        all
    }

    /// Possible tables with a description; the first has every column.
    pub(crate) fn tables(&self) -> Vec<(String, Columns)> {
        let all = self.all();
        let only = |expected: &dyn Fn(&str) -> bool| -> Columns {
            all.iter()
                .filter(|(column, _)| expected(column))
                .map(|(column, kind)| (column.clone(), kind.clone()))
                .collect()
        };
        let added = |column: &str| {
            column.starts_with("event_uid")
                || column.starts_with("event_time_")
                || column.starts_with("ingest_")
                || column == ADDITIONAL_FIELDS
        };
        let mut tables = vec![
            ("every possible column".to_owned(), all.clone()),
            ("declared for Logs Ingestion".to_owned(), self.declared().clone()),
            ("no event yet".to_owned(), only(&|column| column == "TimeGenerated")),
            ("filled by another connector".to_owned(), only(&|column| !added(column))),
        ];
        for log in events::LOGS {
            let columns = flatten(&events::whole(log), IngestionApi::DataCollector);
            let young = only(&|column| column == "TimeGenerated" || columns.contains_key(column));
            tables.push((format!("only {log} events"), young));
        }
        tables
    }
}
