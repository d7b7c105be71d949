//! Output of `check`, compared with `tests/expected/`.

use std::collections::BTreeSet;
use std::fs;

use duo_sentinel::status::Code;
use serde_json::Value;
use simulator::{Fault, FaultKind, Simulator, Target};

use crate::common::history::{worn, write};
use crate::common::{
    Settings, assert_expected, duo_sentinel, schema, shown, temporary_folder, tenant,
};

async fn small() -> Simulator {
    Simulator::start(tenant(31, 40)).await.unwrap()
}

#[tokio::test]
async fn a_good_configuration_is_ok_everywhere() {
    let (simulator, folder) = (small().await, temporary_folder());
    let settings = Settings::of(&simulator).with("CISCO_DUO_STATE_DIR", "state");
    let output = duo_sentinel(&settings, folder.path(), &["check"]).await;
    assert_expected("check-good", &shown(&output, &simulator, folder.path()));
    // Nothing was sent, and no checkpoint was created.
    assert_eq!(simulator.report().await.delivered(), 0);
    let names = |path: &str| -> Vec<String> {
        let entries = fs::read_dir(folder.path().join(path)).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    };
    assert_eq!(names("state/127.0.0.1/self"), ["check"]);
    assert_eq!(names("state/127.0.0.1/self/check"), [".lock"]);
}

#[tokio::test]
async fn a_broken_configuration_lists_each_error_with_a_hint() {
    let (simulator, folder) = (small().await, temporary_folder());
    let forbidden = |log| Fault::always(Target::Duo(log), FaultKind::Forbidden);
    simulator.faults().push(forbidden(simulator::LogType::Activity));
    simulator.faults().push(forbidden(simulator::LogType::TrustMonitor));
    let log = folder.path().join("state/127.0.0.1/self/telephony");
    fs::create_dir_all(&log).unwrap();
    fs::write(log.join("checkpoint.json"), "{\"min_reader\": 9}").unwrap();
    let settings = Settings::of(&simulator)
        .with("CISCO_DUO_STATE_DIR", "state")
        .with("SHARED_KEY", "d3Jvbmcgd3Jvbmcgd3Jvbmcgd3Jvbmcg");
    let output = duo_sentinel(&settings, folder.path(), &["check"]).await;
    let text = shown(&output, &simulator, folder.path());
    assert_every_error_has_a_hint(&text);
    assert_expected("check-broken", &text);
}

#[tokio::test]
async fn errors_in_the_state_have_hints_and_a_log_that_backs_off_is_not_requested() {
    let (simulator, folder) = (small().await, temporary_folder());
    write(&worn(), &folder.path().join("state"));
    let settings = Settings::of(&simulator).with("CISCO_DUO_STATE_DIR", "state");
    let output = duo_sentinel(&settings, folder.path(), &["check"]).await;
    let requested: Vec<_> = simulator.counts().duo.into_keys().collect();
    assert_eq!(requested.len(), 5);
    assert!(!requested.contains(&simulator::LogType::Authentication));
    let text = shown(&output, &simulator, folder.path());
    assert_every_error_has_a_hint(&text);
    assert!(!text.contains('\u{1b}'), "the output contains an escape sequence");
    assert_expected("check-worn", &text);
}

#[track_caller]
fn assert_every_error_has_a_hint(text: &str) {
    let lines: Vec<&str> = text.lines().collect();
    let errors = (0..lines.len()).filter(|&line| lines[line].starts_with("error "));
    let mut count = 0;
    for line in errors {
        assert!(lines[line + 1].contains(" hint: "), "{}", lines[line]);
        count += 1;
    }
    assert!(count > 0, "{text}");
}

#[test]
fn the_schema_lists_every_code_of_the_program() {
    let schema = schema("check");
    let listed = schema.pointer("/$defs/code/enum").unwrap().as_array();
    let listed: BTreeSet<&str> = listed.unwrap().iter().filter_map(Value::as_str).collect();
    let codes: BTreeSet<&str> = Code::all().map(Code::as_str).collect();
    assert_eq!(listed, codes);
}
