//! docs/operate.md lists every code and every line of the log stream as the program has them.

use std::fs;

use duo_sentinel::logging::LogEvent;
use duo_sentinel::status::Code;
use strum::{EnumMessage as _, EnumProperty as _, IntoEnumIterator as _};

use super::part_must_be;

const FILE: &str = "docs/operate.md";

/// One test, because both parts are in one file.
#[test]
fn every_code_and_every_line_is_documented_with_its_remedy() {
    let rows = Code::all().map(|code| {
        let (name, sentence, remedy) = (code.as_str(), code.sentence(), code.hint());
        format!("| `{name}` | {sentence} | {remedy} |\n")
    });
    let head = "| code | what is wrong | what to do |\n|---|---|---|\n";
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

/// The alerts and the codes lead to sections of the runbook.
#[test]
fn every_link_into_the_runbook_has_its_section() {
    let text = fs::read_to_string(FILE).unwrap();
    let headings = text.lines().filter_map(|line| line.trim_start_matches('#').strip_prefix(' '));
    let anchors: Vec<String> =
        headings.map(|heading| heading.to_lowercase().replace(' ', "-")).collect();
    let links = text.split("](#").skip(1);
    let links = links.map(|rest| rest.split(')').next().unwrap());
    let named = "no-heartbeat lag gap forbidden dead-letters throttled credentials".split(' ');
    for link in links.chain(named) {
        assert!(anchors.iter().any(|anchor| anchor == link), "no section #{link}");
    }
}
