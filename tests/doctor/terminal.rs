//! What `check` shows, compared whole with `tests/expected/`, and its JSON, held against docs/check.schema.json.

use std::collections::BTreeSet;
use std::fs;

use duo_sentinel::health::Code;
use duo_sentinel::model::LogType;
use serde_json::{Value, json};
use simulator::{Fault, FaultKind, Simulator, Target};

use crate::common::history::{Log, now, write};
use crate::common::{
    Settings, against_schema, assert_expected, duo_sentinel, schema, shown, temporary_folder,
    tenant,
};

async fn small() -> Simulator {
    Simulator::start(tenant(31, 40)).await.unwrap()
}

#[tokio::test]
async fn a_good_configuration_says_ok_everywhere() {
    let (simulator, folder) = (small().await, temporary_folder());
    let settings = Settings::of(&simulator).with("CISCO_DUO_STATE_DIR", "state");
    let output = duo_sentinel(&settings, folder.path(), &["check"]).await;
    assert_expected("check-good", &shown(&output, &simulator, folder.path()));
    // Nothing was sent, and no place was begun.
    assert_eq!(simulator.report().await.delivered(), 0);
    let names = |path: &str| -> Vec<String> {
        let entries = fs::read_dir(folder.path().join(path)).unwrap();
        entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    };
    assert_eq!(names("state/127.0.0.1/self"), ["check"]);
    assert_eq!(names("state/127.0.0.1/self/check"), [".lock"]);
}

#[tokio::test]
async fn a_broken_configuration_names_each_problem_and_its_remedy() {
    let (simulator, folder) = (small().await, temporary_folder());
    let forbidden = |log| Fault::always(Target::Duo(log), FaultKind::Forbidden);
    simulator
        .faults()
        .push(forbidden(simulator::LogType::Activity));
    simulator
        .faults()
        .push(forbidden(simulator::LogType::TrustMonitor));
    let place = folder.path().join("state/127.0.0.1/self/telephony");
    fs::create_dir_all(&place).unwrap();
    fs::write(place.join("checkpoint.json"), "{\"min_reader\": 9}").unwrap();
    let settings = Settings::of(&simulator)
        .with("CISCO_DUO_STATE_DIR", "state")
        .with("SHARED_KEY", "d3Jvbmcgd3Jvbmcgd3Jvbmcgd3Jvbmcg");
    let output = duo_sentinel(&settings, folder.path(), &["check"]).await;
    let text = shown(&output, &simulator, folder.path());
    assert_every_problem_has_a_hint(&text);
    assert_expected("check-broken", &text);
}

/// Six logs after weeks, of which each but one has something to tell.
fn worn() -> Vec<Log> {
    let now = now();
    vec![
        Log::working(LogType::Authentication, 2_400, now)
            .throttled()
            .unknown_fields(&[("access_device_moon_phase", 71), ("tide\u{1b}[31m", 2)]),
        Log::working(LogType::Administrator, 14, now).unknown(40),
        Log::working(LogType::Telephony, 120, now).silent(5),
        Log::working(LogType::OfflineEnrollment, 2, now).elsewhere(),
        Log::working(LogType::TrustMonitor, 3, now),
        Log::working(LogType::Activity, 640, now)
            .gap(75..=77)
            .gap(90..=90)
            .unknown(120)
            .unknown(121),
    ]
}

#[tokio::test]
async fn a_worn_state_is_told_with_what_to_do_and_a_log_that_waits_is_not_asked() {
    let (simulator, folder) = (small().await, temporary_folder());
    write(&worn(), &folder.path().join("state"));
    let settings = Settings::of(&simulator).with("CISCO_DUO_STATE_DIR", "state");
    let output = duo_sentinel(&settings, folder.path(), &["check"]).await;
    let asked: Vec<_> = simulator.calls().duo.into_keys().collect();
    assert_eq!(asked.len(), 5);
    assert!(!asked.contains(&simulator::LogType::Authentication));
    let text = shown(&output, &simulator, folder.path());
    assert_every_problem_has_a_hint(&text);
    assert!(!text.contains('\u{1b}'), "a name moves the terminal");
    assert_expected("check-worn", &text);
}

#[track_caller]
fn assert_every_problem_has_a_hint(text: &str) {
    let lines: Vec<&str> = text.lines().collect();
    let problems = (0..lines.len()).filter(|&line| lines[line].starts_with("problem "));
    let mut count = 0;
    for line in problems {
        assert!(lines[line + 1].contains(" hint: "), "{}", lines[line]);
        count += 1;
    }
    assert!(count > 0, "{text}");
}

#[tokio::test]
async fn the_json_is_as_the_schema_says() {
    let (simulator, folder) = (small().await, temporary_folder());
    let settings = Settings::of(&simulator).with("CISCO_DUO_STATE_DIR", "state");
    let check = async |settings: &Settings| -> Value {
        let output = duo_sentinel(settings, folder.path(), &["check", "--json"]).await;
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let good = check(&settings).await;
    simulator
        .faults()
        .push(Fault::always(Target::AnyDuo, FaultKind::Status(500)));
    write(&worn(), &folder.path().join("worn"));
    let wrong = settings
        .with("CISCO_DUO_STATE_DIR", "worn")
        .with("SHARED_KEY", "d3Jvbmcgd3Jvbmcgd3Jvbmcgd3Jvbmcg");
    let worn = check(&wrong).await;
    let found = against_schema("check", &[good, worn.clone()]).await;
    assert_eq!(found, vec![Vec::<String>::new(); 2]);
    let problems = worn.as_array().unwrap().iter();
    let problems: Vec<&Value> = problems.filter(|finding| finding["ok"] == false).collect();
    assert!(problems.len() >= 9, "{problems:#?}");

    // A schema that takes everything proves nothing.
    let problem = problems[0];
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
    let found = against_schema("check", &documents).await;
    for (document, faults) in documents.iter().zip(found) {
        assert!(!faults.is_empty(), "not noticed: {document}");
    }
}

#[test]
fn the_schema_lists_every_code_of_the_program() {
    let schema = schema("check");
    let listed = schema.pointer("/$defs/code/enum").unwrap().as_array();
    let listed: BTreeSet<&str> = listed.unwrap().iter().filter_map(Value::as_str).collect();
    let codes: BTreeSet<&str> = Code::ALL.into_iter().map(Code::as_str).collect();
    assert_eq!(listed, codes);
}
