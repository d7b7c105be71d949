use std::collections::{BTreeMap, BTreeSet};

use super::{ADDITIONAL_FIELDS, Column, LONGEST_NAME, MOST_COLUMNS, Source, columns, columns_of};

/// Columns that Microsoft's content reads: the parser `CiscoDuo` of the solution, and rules,
/// hunting queries and workbook through it. One name per line, with the type; names of more than 45
/// characters cannot be declared and are guarded in the content.
const CONTRACT: &str = include_str!("contract.txt");

/// Reserved column names.
/// <https://learn.microsoft.com/azure/azure-monitor/logs/custom-logs-migrate>
const RESERVED: [&str; 7] =
    ["_ResourceId", "id", "_SubscriptionId", "TenantId", "Type", "UniqueId", "Title"];

fn names() -> BTreeSet<&'static str> {
    columns().iter().map(|column| column.name.as_str()).collect()
}

#[test]
fn column_names_are_valid_and_unique() {
    assert_eq!(names().len(), columns().len(), "a duplicate name");
    // Names are not case-sensitive.
    let lower: BTreeSet<String> = names().iter().map(|name| name.to_lowercase()).collect();
    assert_eq!(lower.len(), columns().len());
    for name in names() {
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        assert!(name.len() <= LONGEST_NAME, "{name} has {} characters", name.len());
        assert!(name.as_bytes()[0].is_ascii_alphabetic() && name.bytes().all(legal), "{name}");
        assert!(!RESERVED.iter().any(|reserved| reserved.eq_ignore_ascii_case(name)), "{name}");
    }
}

#[test]
fn suffixes_match_types() {
    for Column { name, column_type, .. } in columns() {
        if ["TimeGenerated", ADDITIONAL_FIELDS].contains(&name.as_str()) {
            continue;
        }
        assert!(!column_type.suffix().is_empty(), "{name}");
        assert!(name.ends_with(column_type.suffix()), "{name} is {column_type:?}");
    }
    let declared: BTreeMap<&str, &str> = columns()
        .iter()
        .map(|column| (column.name.as_str(), column.column_type.declared()))
        .collect();
    assert_eq!(declared["TimeGenerated"], "datetime");
    assert_eq!(declared[ADDITIONAL_FIELDS], "dynamic");
    assert_eq!(declared["txid_g"], "string");
    assert_eq!(declared["credits_d"], "real");
    assert_eq!(declared["from_new_user_b"], "boolean");
    assert_eq!(declared["event_time_t"], "datetime");
}

#[test]
fn every_column_of_microsofts_content_is_declared_unless_its_name_is_too_long() {
    let mut too_long = BTreeSet::new();
    let mut read = 0;
    for name in CONTRACT.lines().filter(|line| !line.starts_with('#')) {
        read += 1;
        if name.len() > LONGEST_NAME {
            too_long.insert(name);
        } else {
            assert!(names().contains(name), "{name} is missing");
        }
    }
    assert_eq!(read, 82, "81 columns and TimeGenerated");
    assert_eq!(
        too_long.into_iter().collect::<Vec<_>>(),
        [
            "surfaced_auth_access_device_is_encryption_enabled_s",
            "surfaced_auth_access_device_is_firewall_enabled_s",
            "surfaced_auth_access_device_location_country_s"
        ]
    );
}

#[test]
fn duos_columns_and_no_others_are_found_by_path() {
    let mut found = 0;
    for column in columns() {
        let Source::Duo { path, is_text, .. } = &column.source else {
            assert!(columns_of(column.name.trim_end_matches("_s")).is_none());
            continue;
        };
        let typed = columns_of(&path.replace('.', "_")).unwrap();
        let of_type = typed.of(column.column_type).unwrap();
        assert_eq!(of_type.begin, format!("\"{}\":", column.name));
        assert_eq!(columns()[of_type.number], *column);
        assert!(!is_text || typed.is_text);
        found += 1;
    }
    assert!(found > 100, "{found}");
    assert!(columns_of("no_such_path").is_none());
}

#[test]
fn known_fields_have_a_column_unless_its_name_is_too_long() {
    let without: Vec<String> = super::duo::FIELDS
        .iter()
        .map(|field| field.path.replace('.', "_"))
        .filter(|path| columns_of(path).unwrap().additional.is_some())
        .collect();
    assert_eq!(without.len(), 15);
    for path in without {
        assert!(path.len() + "_s".len() > LONGEST_NAME, "{path}");
    }
    assert!(columns_of("user_name").unwrap().additional.is_none());
}

#[test]
fn all_columns_fit_into_the_bit_set_of_a_row() {
    let beyond = super::duo::FIELDS.iter().filter(|field| field.types.is_empty());
    assert!(columns().len() + beyond.count() <= MOST_COLUMNS);
    // The limit of Azure Monitor.
    assert!(columns().len() <= 500);
}
