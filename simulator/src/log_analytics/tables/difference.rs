//! Two tables, column by column.

use std::collections::BTreeMap;

use serde_json::Value;

use super::canonical::canonical;
use super::column::{Column, ColumnType};
use super::table::{Table, TableRow};

impl Table {
    /// Every difference between this table and `other` in `columns`, those in `except` aside: types, rows that only
    /// one of them has, and values; empty when there is none.
    ///
    /// Rows are matched by the text in the column `key` (`event_uid_s`); of several rows with one key the
    /// first counts, as it does to whoever removes duplicates. Null and an empty text are the same,
    /// numbers are equal by value, JSON arrays in texts by what they say.
    pub fn differences(
        &self,
        other: &Self,
        key: &str,
        columns: &[Column],
        except: &[&str],
    ) -> Vec<String> {
        let names = columns.iter().map(|column| column.name.as_str());
        let names: Vec<_> = names.filter(|name| !except.contains(name)).collect();
        let mut found = Vec::new();
        for name in &names {
            let types = [self, other].map(|table| table.columns().get(*name).copied().map(alike));
            if let [Some(first), Some(second)] = types
                && first != second
            {
                found.push(format!("{name} is {first} in one, {second} in the other"));
            }
        }
        let (first, mut second) = (by_key(self, key), by_key(other, key));
        for (key, row) in first {
            let Some(beside) = second.remove(&key) else {
                found.push(format!("{key:?} is in the first table alone"));
                continue;
            };
            let value = |row: &TableRow, name: &str| row.get(name).and_then(canonical);
            let differ = names.iter().filter(|name| value(row, name) != value(beside, name));
            found.extend(differ.map(|name| {
                let [one, other] = [row, beside].map(|row| row.get(*name).unwrap_or(&Value::Null));
                format!("{key:?}: {name} is {one} in one, {other} in the other")
            }));
        }
        let rest = second.into_keys();
        found.extend(rest.map(|key| format!("{key:?} is in the second table alone")));
        found
    }
}

/// A GUID column holds texts to whoever queries it.
fn alike(column_type: ColumnType) -> ColumnType {
    match column_type {
        ColumnType::Guid => ColumnType::String,
        other => other,
    }
}

/// The first row of each key.
fn by_key<'t>(table: &'t Table, key: &str) -> BTreeMap<Option<&'t str>, &'t TableRow> {
    let mut rows = BTreeMap::new();
    for row in table.rows() {
        rows.entry(row.get(key).and_then(Value::as_str)).or_insert(row);
    }
    rows
}
