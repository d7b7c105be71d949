//! `duo-sentinel status`.

use chrono::TimeDelta;
use duo_sentinel::model::LogType;
use serde_json::Value;
use simulator::Simulator;

use crate::common::{Settings, assert_expected, duo_sentinel, temporary_folder, tenant};
use crate::status_page::history::{every_state, now, usual, write};

#[tokio::test]
async fn status_shows_every_state_with_a_hint() {
    let simulator = Simulator::start(tenant(44, 1)).await.unwrap();
    let folder = temporary_folder();
    // In the future, so that times keep the same width while the commands run.
    write(&every_state(now() + TimeDelta::seconds(30)), folder.path());
    let settings = Settings::in_folder(&simulator, folder.path());
    let output = duo_sentinel(&settings, folder.path(), &["status"]).await;
    let json = duo_sentinel(&settings, folder.path(), &["status", "--json"]).await;
    let status: Value = serde_json::from_slice(&json.stdout).unwrap();
    let mut text = format!(
        "exit code {}\n--- stdout\n{}--- stderr\n{}",
        output.status.code().unwrap(),
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap()
    );
    text = without_events(&text);
    for log in status["logs"].as_array().unwrap() {
        for gap in log["gaps"].as_array().unwrap() {
            for end in ["from", "to"] {
                text = text.replace(gap[end].as_str().unwrap(), "TIME");
            }
        }
    }
    for seconds in 30..60 {
        text = text.replace(&format!(" 2 min {seconds} s"), " 2 min SS s");
    }
    assert_expected("status", &text);
    assert!(simulator.counts().duo.is_empty(), "a request reached Duo");
}

#[tokio::test]
async fn status_exits_with_code_0_if_no_action_is_needed() {
    let simulator = Simulator::start(tenant(45, 1)).await.unwrap();
    let folder = temporary_folder();
    write(&usual(now()), folder.path());
    let settings = Settings::in_folder(&simulator, folder.path());
    let output = duo_sentinel(&settings, folder.path(), &["status"]).await;
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}");
    for log in LogType::ALL {
        assert!(text.contains(log.as_str()), "{text}");
    }
}

/// Masks event counts, which depend on the hour of the week, in the same width.
fn without_events(text: &str) -> String {
    const NAME: &str = "events, 7 days";
    let header = text.lines().find(|line| line.contains(NAME)).unwrap();
    let begin = header.find(NAME).unwrap();
    let column = begin..begin + NAME.len();
    let mask = |line: &str| {
        let mut line = line.to_owned();
        let count = line.get(column.clone()).map(str::trim_start).unwrap_or_default();
        if count.len() > 1 && count.bytes().all(|byte| byte == b',' || byte.is_ascii_digit()) {
            line.replace_range(column.clone(), &format!("{:>14}", "EVENTS"));
        }
        line + "\n"
    };
    text.lines().map(mask).collect()
}
