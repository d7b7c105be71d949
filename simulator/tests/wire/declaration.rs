//! Data collection rules that Azure would not take.

use serde_json::{Value, json};
use simulator::{DeclarationFault, StreamDeclaration};

use crate::logs_ingestion::rule;

#[test]
fn a_declaration_that_azure_refuses_is_refused() {
    let with = |column: Value| {
        let mut rule = rule();
        let columns = &mut rule["streamDeclarations"]["Custom-CiscoDuo"]["columns"];
        columns.as_array_mut().unwrap().push(column);
        StreamDeclaration::of_rule(&rule).map_err(|fault: DeclarationFault| fault.to_string())
    };
    let name_of_46 = "surfaced_auth_access_device_location_country_s";
    let name_of_45 = &name_of_46[1..];
    assert!(with(json!({"name": name_of_45, "type": "dynamic"})).is_ok());
    for (name, column_type, told) in [
        (name_of_46, "string", "longer than 45"),
        ("txid_g", "string", "twice"),
        ("user_g", "guid", "guid"),
        ("TenantId", "string", "reserved"),
        ("_s", "string", "letter"),
        ("1st_s", "string", "letter"),
        ("user name_s", "string", "letter"),
        ("credits_d", "double", "unknown type"),
    ] {
        let fault = with(json!({"name": name, "type": column_type})).unwrap_err();
        assert!(fault.contains(told), "{fault}");
    }
    let columns = json!({"columns": [{"name": "TimeGenerated", "type": "string"}]});
    let from = |name: &str, table: &str| StreamDeclaration::from_json(name, table, &columns);
    for (name, table) in [("CiscoDuo", "CiscoDuo_CL"), ("Custom-CiscoDuo", "CiscoDuo")] {
        assert!(from(name, table).is_err());
    }
    assert!(from("Custom-CiscoDuo", "CiscoDuo_CL").is_err());
    let mut transforming = rule();
    transforming["dataFlows"][0]["transformKql"] = json!("source | extend a_s = 1");
    assert!(StreamDeclaration::of_rule(&transforming).is_err());
    // Beside the flow that passes them on, others may make something else of the same rows.
    let mut two_ways = rule();
    let other = transforming["dataFlows"][0].clone();
    two_ways["dataFlows"].as_array_mut().unwrap().push(other);
    let streams = StreamDeclaration::of_rule(&two_ways).unwrap();
    let (name, table) = (streams[0].name(), streams[0].table());
    assert_eq!((name, table), ("Custom-CiscoDuo", "CiscoDuo_CL"));
    two_ways["dataFlows"][1]["transformKql"] = json!("source");
    assert!(StreamDeclaration::of_rule(&two_ways).is_err());
    let mut leading_nowhere = rule();
    leading_nowhere["dataFlows"] = json!([]);
    assert!(StreamDeclaration::of_rule(&leading_nowhere).is_err());
}
