//! Page and JSON show no secrets, no personal data and no texts of other services.

use std::collections::BTreeSet;

use serde_json::Value;
use simulator::{Fault, FaultKind, LogType, Simulator, Target};

use crate::common::{ACCOUNT_KEY, Settings, accepted_rows, temporary_folder, tenant};
use crate::status_page::app::App;

/// A marker in stored fields that a later release might add.
const PLANTED: &str = "planted-marker-4711";
/// Minimum length: shorter texts may occur on the page by chance.
const SHORTEST: usize = 6;

#[tokio::test(flavor = "multi_thread")]
async fn no_event_data_and_no_text_of_another_service_is_shown() {
    let rows = temporary_folder();
    let mut config = tenant(43, 120);
    config.rows_dir = Some(rows.path().to_owned());
    let simulator = Simulator::start(config).await.unwrap();
    let app = App::of(simulator, "privacy", &[]).await;
    for (log, kind) in [
        (LogType::Telephony, FaultKind::TooManyRequests { retry_after: Some(600) }),
        (LogType::Activity, FaultKind::Forbidden),
        (LogType::Administrator, FaultKind::Status(400)),
    ] {
        app.simulator.faults().push(Fault::always(Target::Duo(log), kind));
    }
    app.host.fire().await;
    app.simulator.report().await;
    plant(&app).await;

    let status = app.json().await;
    let state = |log: &Value| log["state"].as_str().unwrap().to_owned();
    let shown: Vec<String> = status["logs"].as_array().unwrap().iter().map(state).collect();
    assert_eq!(shown, ["working", "failing", "backing_off", "working", "working", "unavailable"]);
    let event_texts = texts(accepted_rows(rows.path(), "CiscoDuo_CL"));
    assert!(event_texts.len() > 300, "{} texts in the events", event_texts.len());
    for shown in [app.page().await.body, status.to_string()] {
        assert!(!shown.contains(PLANTED), "{shown}");
        assert_no_secret(&shown, &app.settings);
        for text in &event_texts {
            assert!(!shown.contains(text.as_str()), "\"{text}\" of an event is shown");
        }
        // Texts of the simulated Duo.
        for text in ["Access forbidden", "40301", "Too Many", "Invalid request"] {
            assert!(!shown.contains(text), "\"{text}\" is shown");
        }
    }
}

/// Texts in the events that may be personal: names, addresses, places, devices, ids.
fn texts(rows: Vec<Value>) -> BTreeSet<String> {
    fn gather(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::String(text) if text.len() >= SHORTEST => {
                found.insert(text.clone());
            }
            Value::Array(values) => values.iter().for_each(|value| gather(value, found)),
            Value::Object(fields) => fields.values().for_each(|value| gather(value, found)),
            _ => {}
        }
    }
    let mut found = BTreeSet::new();
    for row in rows {
        let Value::Object(mut row) = row else { panic!("a row is an object: {row}") };
        // Exclude fields that the connector adds, and Duo's own words for kinds of events.
        row.retain(|name, _| !["eventtype", "host", "ingest_kind"].contains(&name.as_str()));
        row.values().for_each(|value| gather(value, &mut found));
    }
    let words = |text: &String| text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    found.retain(|text| !words(text));
    found
}

/// Adds a marker to all stored state.
async fn plant(app: &App) {
    for blob in app.container.list().await {
        let is_result = blob.name.contains("/ledger/") && !blob.name.contains(".ids");
        let is_read = blob.name.ends_with("checkpoint.json")
            || blob.name.ends_with("health.json")
            || is_result;
        if !is_read {
            continue;
        }
        let stored = app.container.read(&blob.name).await.unwrap();
        let mut stored: Value = serde_json::from_slice(&stored).unwrap();
        stored["message"] = PLANTED.into();
        for field in ["current", "back_off", "destination", "lease"] {
            if stored[field].is_object() {
                stored[field]["message"] = PLANTED.into();
            }
        }
        for list in ["last_errors", "hours"] {
            let each: Vec<&mut Value> = match &mut stored[list] {
                Value::Array(values) => values.iter_mut().collect(),
                Value::Object(values) => values.values_mut().collect(),
                _ => Vec::new(),
            };
            for value in each {
                value["message"] = PLANTED.into();
            }
        }
        app.container.write(&blob.name, stored.to_string()).await;
    }
}

/// Asserts that no key and no connection string with one is shown.
#[track_caller]
pub(crate) fn assert_no_secret(shown: &str, settings: &Settings) {
    let secret =
        ["CISCO_DUO_INTEGRATION_KEY", "CISCO_DUO_SECRET_KEY", "SHARED_KEY", "AzureWebJobsStorage"];
    let values = secret.iter().filter_map(|name| settings.get(name));
    for value in values.chain([ACCOUNT_KEY, "AccountKey", "SharedAccess"]) {
        assert!(!shown.contains(value), "a secret is shown");
    }
}
