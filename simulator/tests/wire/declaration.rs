//! Data collection rules that Azure would refuse.

use serde_json::json;
use simulator::StreamDeclaration;

#[test]
fn a_declaration_that_azure_refuses_is_refused() {
    let with = |name: &str, column_type: &str| {
        let columns = json!({"columns": [
            {"name": "txid_g", "type": "string"}, {"name": name, "type": column_type},
        ]});
        let stream = StreamDeclaration::from_json("Custom-CiscoDuo", "CiscoDuo_CL", &columns);
        stream.map_err(|error| error.to_string())
    };
    let name_of_46 = "surfaced_auth_access_device_location_country_s";
    assert!(with(&name_of_46[1..], "dynamic").is_ok());
    for (name, column_type, expected) in [
        (name_of_46, "string", "longer than 45"),
        ("txid_g", "string", "twice"),
        ("user_g", "guid", "guid"),
        ("TenantId", "string", "reserved"),
        ("_s", "string", "letter"),
        ("1st_s", "string", "letter"),
        ("user name_s", "string", "letter"),
        ("credits_d", "double", "unknown type"),
        ("TimeGenerated", "string", "datetime"),
    ] {
        let error = with(name, column_type).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
    for (name, table) in [("CiscoDuo", "CiscoDuo_CL"), ("Custom-CiscoDuo", "CiscoDuo")] {
        assert!(StreamDeclaration::new(name, table, Vec::new()).is_err(), "{name} into {table}");
    }
}
