//! The JSON of `check`, validated against docs/check.schema.json.

use serde_json::{Value, json};
use simulator::{Fault, FaultKind, Simulator, Target};

use crate::common::history::{worn, write};
use crate::common::{Settings, against_schema, duo_sentinel, temporary_folder, tenant};

#[tokio::test]
async fn the_json_matches_the_schema() {
    let (simulator, folder) = (Simulator::start(tenant(31, 40)).await.unwrap(), temporary_folder());
    let settings = Settings::of(&simulator).with("CISCO_DUO_STATE_DIR", "state");
    let check = async |settings: &Settings| -> Value {
        let output = duo_sentinel(settings, folder.path(), &["check", "--json"]).await;
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let good = check(&settings).await;
    simulator.faults().push(Fault::always(Target::AnyDuo, FaultKind::Status(500)));
    write(&worn(), &folder.path().join("worn"));
    let wrong = settings
        .with("CISCO_DUO_STATE_DIR", "worn")
        .with("SHARED_KEY", "d3Jvbmcgd3Jvbmcgd3Jvbmcgd3Jvbmcg");
    let worn = check(&wrong).await;
    let found = against_schema("check", &[good, worn.clone()]);
    assert_eq!(found, vec![Vec::<String>::new(); 2]);
    let errors = worn.as_array().unwrap().iter();
    let errors: Vec<&Value> = errors.filter(|finding| finding["ok"] == false).collect();
    assert!(errors.len() >= 9, "{errors:#?}");

    // The schema must also reject invalid documents.
    let problem = errors[0];
    let changed = |name: &str, value: Value| {
        let mut finding = problem.clone();
        match value {
            Value::Null => drop(finding.as_object_mut().unwrap().remove(name)),
            value => finding[name] = value,
        }
        json!([finding])
    };
    let documents = [
        changed("hint", Value::Null),
        changed("code", Value::Null),
        changed("code", json!("fraud")),
        changed("ok", json!(true)),
        changed("http_status", json!("500")),
        changed("message", json!(7)),
        changed("user", json!("alice")),
        problem.clone(),
        json!([]),
    ];
    let found = against_schema("check", &documents);
    for (document, errors) in documents.iter().zip(found) {
        assert!(!errors.is_empty(), "accepted: {document}");
    }
}
