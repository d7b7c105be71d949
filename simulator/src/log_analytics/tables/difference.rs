//! Two tables, column by column.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use super::canonical::canonical;
use super::column::{Column, ColumnType};
use super::table::{Table, TableRow};

/// How two tables differ.
#[derive(Clone, Debug, PartialEq)]
pub enum Difference {
    /// A column has another type. A GUID and a text are one type to a query.
    Type {
        /// The column.
        column: String,
        /// Its type in the first table.
        first: ColumnType,
        /// Its type in the second table.
        second: ColumnType,
    },
    /// So many rows have no text in the key column, and cannot be compared.
    Keyless {
        /// In the first table.
        first: u64,
        /// In the second table.
        second: u64,
    },
    /// The second table has no row of this key.
    OnlyInFirst {
        /// The row's key.
        key: String,
    },
    /// The first table has no row of this key.
    OnlyInSecond {
        /// The row's key.
        key: String,
    },
    /// A column has another value.
    Value {
        /// The row's key.
        key: String,
        /// The column.
        column: String,
        /// Its value in the first table; null where it has none.
        first: Value,
        /// Its value in the second table; null where it has none.
        second: Value,
    },
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Type {
                column,
                first,
                second,
            } => write!(
                formatter,
                "{column} is {first} in one, {second} in the other"
            ),
            Self::Keyless { first, second } => {
                write!(formatter, "{first} and {second} rows have no key")
            }
            Self::OnlyInFirst { key } => write!(formatter, "{key} is in the first table alone"),
            Self::OnlyInSecond { key } => write!(formatter, "{key} is in the second table alone"),
            Self::Value {
                key,
                column,
                first,
                second,
            } => write!(
                formatter,
                "{key}: {column} is {first} in one, {second} in the other"
            ),
        }
    }
}

impl Table {
    /// Every difference between this table and `other` in `columns`, those in `except` aside, in the
    /// order of keys and then of columns; empty when there is none.
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
    ) -> Vec<Difference> {
        let names: Vec<_> = columns
            .iter()
            .map(|column| column.name.as_str())
            .filter(|name| !except.contains(name))
            .collect();
        let mut found = Vec::new();
        for name in &names {
            let types = (self.columns().get(*name), other.columns().get(*name));
            if let (Some(first), Some(second)) = types
                && alike(*first) != alike(*second)
            {
                found.push(Difference::Type {
                    column: (*name).to_owned(),
                    first: *first,
                    second: *second,
                });
            }
        }
        let (first_rows, first) = by_key(self, key);
        let (mut second_rows, second) = by_key(other, key);
        if (first, second) != (0, 0) {
            found.push(Difference::Keyless { first, second });
        }
        for (key, row) in first_rows {
            match second_rows.remove(key) {
                Some(other) => found.extend(values(key, row, other, &names)),
                None => found.push(Difference::OnlyInFirst {
                    key: key.to_owned(),
                }),
            }
        }
        let rest = second_rows.into_keys().map(str::to_owned);
        found.extend(rest.map(|key| Difference::OnlyInSecond { key }));
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

/// The first row of each key, and how many rows have none.
fn by_key<'t>(table: &'t Table, key: &str) -> (BTreeMap<&'t str, &'t TableRow>, u64) {
    let (mut rows, mut without) = (BTreeMap::new(), 0);
    for row in table.rows() {
        match row.get(key).and_then(Value::as_str) {
            Some(key) => {
                rows.entry(key).or_insert(row);
            }
            None => without += 1,
        }
    }
    (rows, without)
}

fn values(key: &str, first: &TableRow, second: &TableRow, names: &[&str]) -> Vec<Difference> {
    let value = |row: &TableRow, name: &str| row.get(name).cloned().unwrap_or_default();
    let differs = |name: &&&str| {
        let [first, second] = [first, second].map(|row| row.get(**name).and_then(canonical));
        first != second
    };
    let difference = |name: &&str| Difference::Value {
        key: key.to_owned(),
        column: (*name).to_owned(),
        first: value(first, name),
        second: value(second, name),
    };
    names.iter().filter(differs).map(difference).collect()
}
