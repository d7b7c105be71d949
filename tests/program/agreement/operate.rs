//! docs/operate.md lists every error code and every log event of the program.

use std::fs;

use duo_sentinel::logging::LogEvent;
use duo_sentinel::status::Code;
use strum::{EnumMessage as _, EnumProperty as _, IntoEnumIterator as _};

use super::part_must_be;

const FILE: &str = "docs/operate.md";

/// One test, because both parts are in one file.
#[test]
fn every_error_code_and_log_event_is_documented_with_what_to_do() {
    let rows = Code::all().map(|code| {
        let (name, sentence, hint) = (code.as_str(), code.sentence(), code.hint());
        format!("| `{name}` | {sentence} | {hint} |\n")
    });
    let head = "| code | error | what to do |\n|---|---|---|\n";
    part_must_be(FILE, "codes", &format!("{head}{}", rows.collect::<String>()));
    let rows = LogEvent::iter().map(|event| {
        let level = event.get_str("level").unwrap();
        let about = event.get_documentation().unwrap().trim_end();
        let (about, action) = (about.replace('\n', " "), event.get_message().unwrap());
        format!("| `{event}` | {level} | {about} | {action} |\n")
    });
    let head = "| event | level | what it says | what to do |\n|---|---|---|---|\n";
    part_must_be(FILE, "events", &format!("{head}{}", rows.collect::<String>()));
}

/// Alerts and error codes link to sections of the runbook.
#[test]
fn every_link_to_the_runbook_has_a_section() {
    let text = fs::read_to_string(FILE).unwrap();
    let headings = text.lines().filter_map(|line| line.trim_start_matches('#').strip_prefix(' '));
    let anchors: Vec<String> =
        headings.map(|heading| heading.to_lowercase().replace(' ', "-")).collect();
    let links = text.split("](#").skip(1);
    let links = links.map(|rest| rest.split(')').next().unwrap());
    let named =
        "no-heartbeat lag failing gap forbidden dead-letters throttled credentials".split(' ');
    for link in links.chain(named) {
        assert!(anchors.iter().any(|anchor| anchor == link), "no section #{link}");
    }
}

/// The rows of the table of alerts: error code, and names of alerts. Which alert fires on a code is
/// tested on the queries (`tests/system/content/states.rs`).
#[test]
fn every_error_code_is_in_the_table_of_alerts() {
    let text = fs::read_to_string(FILE).unwrap();
    let (_, table) = text.split_once("| code | state | alert |\n|---|---|---|\n").unwrap();
    let rows: Vec<Vec<&str>> = table
        .lines()
        .take_while(|line| line.starts_with('|'))
        .map(|line| line.trim_matches(['|', ' ']).split(" | ").collect())
        .collect();
    let codes: Vec<&str> = rows.iter().map(|row| row[0].trim_matches('`')).collect();
    let expected: Vec<&str> = Code::all().map(Code::as_str).collect();
    assert_eq!(codes, expected);
    let without = rows.iter().filter(|row| row[2] == "none").map(|row| row[0]);
    // The hourly check alone finds these; no run fails.
    assert_eq!(without.collect::<Vec<_>>(), ["`clock`", "`storage_unconditional`"]);
}
