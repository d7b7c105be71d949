//! Columns created by the Data Collector API.

use serde_json::json;
use simulator::ColumnType;

use super::{collect, rows, start};

/// The columns that Microsoft's parser reads.
#[tokio::test]
async fn the_data_collector_names_columns_by_path_and_type() {
    let caller = start(&[]).await;
    let event = json!({
        "txid": "340a23e3-23f3-43d2-9a7a-a0e4b7ab5d1c",
        "activity_id": "340A23E323F343D29A7AA0E4B7AB5D1C",
        "isotimestamp": "2020-02-13T18:56:20.351346+00:00",
        "timestamp": 1_581_620_180,
        "surfaced_timestamp": 1_675_893_605_269_u64,
        "result": "success",
        "ood_software": null,
        "credits": 0.5,
        "from_new_user": false,
        "user": {"groups": ["Duo Users", "CorpHQ Users"], "key": "DU3KC77WJ06Y5HIV7XKQ", "name": ""},
        "access_device": {
            "is_encryption_enabled": true,
            "is_firewall_enabled": "unknown",
            "location": {"city": "Ann Arbor", "state": null},
            "security_agents": [{"security_agent": "cisco-amp", "version": "1.24.0"}],
        },
        "surfaced_auth": {"access_device": {"location": {"city": "Kraków"}}},
        "adaptive_trust_assessments": {},
    });
    let table = collect(&caller, &[event]).await;
    assert_eq!(
        rows(&table)[0],
        json!({
            "txid_g": "340a23e3-23f3-43d2-9a7a-a0e4b7ab5d1c",
            "activity_id_g": "340a23e3-23f3-43d2-9a7a-a0e4b7ab5d1c",
            "isotimestamp_t": "2020-02-13T18:56:20.3513460Z",
            "timestamp_d": 1_581_620_180.0,
            "surfaced_timestamp_d": 1_675_893_605_269.0,
            "result_s": "success",
            "credits_d": 0.5,
            "from_new_user_b": false,
            "user_groups_s": "[\"Duo Users\",\"CorpHQ Users\"]",
            "user_key_s": "DU3KC77WJ06Y5HIV7XKQ",
            "user_name_s": "",
            "access_device_is_encryption_enabled_b": true,
            "access_device_is_firewall_enabled_s": "unknown",
            "access_device_location_city_s": "Ann Arbor",
            "access_device_security_agents_s":
                "[{\"security_agent\":\"cisco-amp\",\"version\":\"1.24.0\"}]",
            "surfaced_auth_access_device_location_city_s": "Kraków",
        })
    );
    let column_type = |name: &str| table.columns()[name];
    assert_eq!(column_type("txid_g"), ColumnType::Guid);
    assert_eq!(column_type("isotimestamp_t"), ColumnType::DateTime);
    assert_eq!(column_type("timestamp_d"), ColumnType::Real);
    assert_eq!(column_type("from_new_user_b"), ColumnType::Boolean);
    assert_eq!(column_type("user_groups_s"), ColumnType::String);
    assert_eq!(table.columns().len(), 18);
}

/// The example of the Data Collector's documentation: number, boolean and string, then text for all
/// three, then numbers for all three; and, in a new table, text first.
#[tokio::test]
async fn a_second_type_is_converted_or_creates_a_second_column() {
    let caller = start(&[]).await;
    let sent = [
        json!({"number": 1, "boolean": true, "string": "a"}),
        json!({"number": "5", "boolean": "true", "string": "5"}),
        json!({"number": 5, "boolean": 5, "string": 5}),
        json!({"number": "many", "boolean": "unknown", "string": true}),
        json!({"number": "6", "boolean": "false", "string": "2026-11-22T15:04:05Z"}),
    ];
    let table = collect(&caller, &sent).await;
    let expected = [
        json!({"number_d": 1.0, "boolean_b": true, "string_s": "a"}),
        json!({"number_d": 5.0, "boolean_b": true, "string_s": "5"}),
        json!({"number_d": 5.0, "boolean_d": 5.0, "string_d": 5.0}),
        json!({"number_s": "many", "boolean_s": "unknown", "string_b": true}),
        // A text column exists by now.
        json!({"number_s": "6", "boolean_s": "false", "string_s": "2026-11-22T15:04:05Z"}),
    ];
    assert_eq!(rows(&table), expected);
    let caller = start(&[]).await;
    let table = collect(&caller, &[json!({"number": "5", "boolean": "true"})]).await;
    assert_eq!(rows(&table), [json!({"number_s": "5", "boolean_s": "true"})]);
}

#[tokio::test]
async fn limits_of_names_and_values() {
    // 51 characters: workspaces have such columns, although the documentation allows 45.
    let long = "surfaced_auth_access_device_is_encryption_enabled_s";
    let row = json!({
        "surfaced_auth": {"access_device": {"is_encryption_enabled": "true"}},
        "inner": {"a name": 1}, "empty": "", "text": "é".repeat(20_000),
    });
    let caller = start(&[]).await;
    let table = collect(&caller, std::slice::from_ref(&row)).await;
    let stored = &rows(&table)[0];
    assert_eq!((&stored[long], &stored["inner_a_name_d"]), (&json!("true"), &json!(1.0)));
    assert_eq!((&stored["empty_s"], &stored["text_s"]), (&json!(""), &json!("é".repeat(16_000))));
}

#[tokio::test]
async fn a_table_has_at_most_500_columns() {
    let caller = start(&[]).await;
    let row: serde_json::Map<_, _> =
        (0..600).map(|number| (format!("field_{number:03}"), json!(number))).collect();
    let table = collect(&caller, &[row.into(), json!({"field_001": 7, "field_599": "x"})]).await;
    // The two standard columns count; the column for the rest is the last one.
    assert_eq!(table.columns().len(), 501);
    assert_eq!(table.columns()["AdditionalFields"], ColumnType::Dynamic);
    let rows = rows(&table);
    assert_eq!((&rows[0]["field_497_d"], rows[0].get("field_498_d")), (&json!(497.0), None));
    assert_eq!(rows[0]["AdditionalFields"]["field_599"], 599.0);
    let expected = json!({"field_001_d": 7.0, "AdditionalFields": {"field_599": "x"}});
    assert_eq!(rows[1], expected);
}
