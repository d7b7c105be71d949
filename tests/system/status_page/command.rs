//! `duo-sentinel status`.

use chrono::TimeDelta;
use duo_sentinel::model::LogType;
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
    let mut text = format!(
        "exit code {}\n--- stdout\n{}--- stderr\n{}",
        output.status.code().unwrap(),
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap()
    );
    text = without_events(&text);
    let without_time = |word: &str| {
        let is_time = word.starts_with("20") && word.trim_end().ends_with('Z');
        if is_time { word.replace(word.trim_end(), "TIME") } else { word.to_owned() }
    };
    text = text.split_inclusive(char::is_whitespace).map(without_time).collect();
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
