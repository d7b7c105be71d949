//! The JSON conforms to docs/status.schema.json, and the schema is strict.

use std::collections::BTreeSet;

use duo_sentinel::model::LogType;
use duo_sentinel::status::{Cause, CheckError, CheckStatus, Code, LastCheck};
use duo_sentinel::status::{HourStatus, State};
use duo_sentinel::storage::Document as _;
use serde_json::{Value, json};
use strum::IntoEnumIterator as _;

use crate::common::{FunctionsHost, against_schema, schema};
use crate::status_page::app::{App, json};
use crate::status_page::history::{every_state, now, usual};

#[tokio::test(flavor = "multi_thread")]
async fn the_json_of_every_page_matches_the_schema() {
    let every = App::start("schema-every", &every_state(now())).await;
    let problem = |subject: &str, code, http_status| {
        let cause = Cause { code: Some(code), http_status };
        CheckError { subject: subject.to_owned(), cause }
    };
    let check = CheckStatus {
        checked_at: now(),
        program: "0.1.0".to_owned(),
        check_count: 3,
        errors: vec![
            problem("clock", Code::Clock, None),
            problem("Duo activity", Code::DuoForbidden, Some(403)),
        ],
    };
    let check = LastCheck::new(None, check);
    let name = "127.0.0.1/self/diagnostics.json";
    every.container.write(name, check.to_json()).await;
    let usual = App::start("schema-usual", &usual(now())).await;
    let fresh = App::start("schema-fresh", &[]).await;
    let checkpoint = "127.0.0.1/self/activity/checkpoint.json";
    fresh.container.write(checkpoint, "{\"min_reader\": 9}").await;
    let wrong = every.settings.clone().without("SHARED_KEY");
    let wrong = FunctionsHost::start(&wrong).await;
    let every = every.json().await;
    let documents =
        vec![every.clone(), usual.json().await, fresh.json().await, json(&wrong.address()).await];
    assert_eq!(against_schema("status", &documents), vec![Vec::<String>::new(); 4]);

    // The schema must also reject invalid documents.
    let changed = |path: &str, value: Value| {
        let mut document = every.clone();
        *document.pointer_mut(path).unwrap() = value;
        document
    };
    let mut more = every.clone();
    more["logs"][0]["user"] = "alice".into();
    let mut less = every.clone();
    less["logs"][0].as_object_mut().unwrap().remove("state");
    let documents = vec![
        more,
        less,
        changed("/logs/0/state", json!("fine")),
        changed("/logs/0/since", json!("2026-11-22 10:00:00")),
        changed("/logs/0/days/0/hours", json!(["verified"])),
        changed("/logs/0/activity", json!({"events": -1})),
        changed("/logs/0/last_errors/0/code", json!("fraud")),
        changed("/check/errors/0/code", json!("fraud")),
        changed("/check/errors/1/http_status", json!("403")),
        changed("/check/checked_at", json!(null)),
        changed("/check/check_count", json!(-1)),
        changed("/version", json!(2)),
        json!({"version": 1, "error": "x", "logs": []}),
    ];
    for (document, errors) in documents.iter().zip(against_schema("status", &documents)) {
        assert!(!errors.is_empty(), "accepted: {document}");
    }
}

#[test]
fn the_schema_lists_every_value_of_the_program() {
    let schema = schema("status");
    let listed = |path: &str| -> BTreeSet<String> {
        let words = schema.pointer(path).unwrap().as_array().unwrap();
        words.iter().map(|word| word.as_str().unwrap().to_owned()).collect()
    };
    let strings = |values: Vec<Value>| -> BTreeSet<String> {
        values.iter().map(|word| word.as_str().unwrap().to_owned()).collect()
    };
    let codes = Code::all().chain([Code::Unknown]);
    assert_eq!(listed("/$defs/code/enum"), strings(codes.map(|code| json!(code)).collect()));
    let marks = HourStatus::iter();
    assert_eq!(
        listed("/$defs/day/properties/hours/items/enum"),
        strings(marks.map(|mark| json!(mark)).collect())
    );
    let logs = LogType::ALL.iter().map(|log| json!(log.as_str()));
    assert_eq!(listed("/$defs/log/properties/log_type/enum"), strings(logs.collect()));
    let states = listed("/$defs/log/properties/state/enum");
    assert!(states.contains(json!(State::Working).as_str().unwrap()));
    assert_eq!(states.len(), 8);
}
