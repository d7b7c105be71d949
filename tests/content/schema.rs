//! The columns of `CiscoDuo_CL`, and the tables that have only some of them.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::events;
use crate::flatten::flatten;

pub(crate) const TABLE: &str = "CiscoDuo_CL";

/// Columns with their types.
pub(crate) type Columns = BTreeMap<String, String>;

/// `sentinel/schema.json`.
#[derive(Debug, Deserialize)]
pub(crate) struct Schema {
    /// What can be declared, so that both ingestion APIs fill it.
    tables: BTreeMap<String, Columns>,
    /// What exists only where the Data Collector API made it: names too long to be declared, and the columns beside
    /// those of another type that values of a wavering type brought about.
    data_collector_only: BTreeMap<String, Columns>,
}

impl Schema {
    pub(crate) fn read() -> Self {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/sentinel/schema.json");
        let text = std::fs::read_to_string(file).unwrap();
        serde_json::from_str(&text).unwrap()
    }

    pub(crate) fn declared(&self) -> &Columns {
        &self.tables[TABLE]
    }

    /// Every column that a table can have.
    pub(crate) fn all(&self) -> Columns {
        let mut all = self.declared().clone();
        all.extend(self.data_collector_only[TABLE].clone());
        all
    }

    /// Tables as they are met, with a name; the first has every column.
    pub(crate) fn tables(&self) -> Vec<(String, Columns)> {
        let all = self.all();
        let only = |wanted: &dyn Fn(&str) -> bool| -> Columns {
            all.iter()
                .filter(|(column, _)| wanted(column))
                .map(|(column, kind)| (column.clone(), kind.clone()))
                .collect()
        };
        let added = |column: &str| {
            column.starts_with("event_uid")
                || column.starts_with("event_time_")
                || column.starts_with("ingest_")
        };
        let mut tables = vec![
            ("every column there can be".to_owned(), all.clone()),
            (
                "declared for Logs Ingestion".to_owned(),
                self.declared().clone(),
            ),
            (
                "nothing has arrived yet".to_owned(),
                only(&|column| column == "TimeGenerated"),
            ),
            (
                "filled by another connector".to_owned(),
                only(&|column| !added(column)),
            ),
        ];
        for log in events::LOGS {
            let columns = flatten(&events::whole(log));
            let young = only(&|column| column == "TimeGenerated" || columns.contains_key(column));
            tables.push((format!("only {log} has arrived"), young));
        }
        tables
    }
}

#[test]
fn the_schema_keeps_to_the_rules_of_azure_monitor() {
    let schema = Schema::read();
    for (column, kind) in schema.declared() {
        assert!(column.len() <= 45, "{column} cannot be declared");
        assert!(
            !schema.data_collector_only[TABLE].contains_key(column),
            "{column} stands twice"
        );
        let expected = match column.rsplit('_').next().unwrap() {
            "s" | "g" => "string",
            "d" => "real",
            "b" => "boolean",
            "t" | "TimeGenerated" => "datetime",
            other => panic!("{column} has the suffix {other}"),
        };
        assert_eq!(kind, expected, "{column}");
    }
    // Azure Monitor holds 500 columns of a table.
    assert!(schema.all().len() < 450);
}
