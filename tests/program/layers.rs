//! Rules for the sources: imports point one way, the core does no input or output, and every log
//! message has an event name.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use duo_sentinel::logging::LogEvent;
use strum::IntoEnumIterator as _;

use crate::common::files;

/// The modules from the lowest to the highest layer. A module may use only lower layers.
const LAYERS: [&[&str]; 14] = [
    &["model", "json", "logging", "release"],
    &["settings", "schema"],
    &["http"],
    &["duo", "identity"],
    &["ingestion", "storage"],
    &["transform"],
    &["sync"],
    &["status"],
    &["collector"],
    &["diagnostics"],
    &["functions"],
    &["cli"],
    &["main"],
    &["lib"],
];

/// The sources below a folder without their comments, by relative path.
fn sources(folder: &str) -> BTreeMap<String, String> {
    let mut sources = BTreeMap::new();
    for (path, content) in files(Path::new(folder)) {
        if Path::new(&path).extension().is_some_and(|kind| kind == "rs") {
            let text = String::from_utf8(content).unwrap();
            let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
            sources.insert(path, lines.collect::<Vec<_>>().join("\n"));
        }
    }
    sources
}

#[test]
fn imports_point_one_way() {
    let layer: BTreeMap<&str, usize> = LAYERS
        .iter()
        .enumerate()
        .flat_map(|(layer, modules)| modules.iter().map(move |module| (*module, layer)))
        .collect();
    let sources = sources("src");
    assert!(sources.len() > 40, "the sources were not found");
    let mut wrong = Vec::new();
    for (file, text) in &sources {
        // The first part of the path.
        let from = file.split('/').next().unwrap().trim_end_matches(".rs");
        let own = *layer.get(from).unwrap_or_else(|| panic!("{from} has no layer"));
        for used in text.split("crate::").skip(1) {
            let used: String =
                used.chars().take_while(|char| char.is_ascii_lowercase() || *char == '_').collect();
            if used != from && layer.get(used.as_str()).is_some_and(|other| *other >= own) {
                wrong.push(format!("{file} uses {used}"));
            }
        }
    }
    assert!(wrong.is_empty(), "imports of a higher layer:\n{}", wrong.join("\n"));
}

/// The files of one folder never import each other in a circle, except with their `mod.rs`.
#[test]
fn no_files_of_a_folder_import_each_other_in_a_circle() {
    let mut folders: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for (file, text) in sources("src") {
        // Tests below the code are not part of it.
        let text = text.split("#[cfg(test)]\nmod ").next().unwrap().to_owned();
        let (folder, name) = file.rsplit_once('/').unwrap_or(("", &file));
        let name = name.trim_end_matches(".rs").to_owned();
        folders.entry(folder.to_owned()).or_default().insert(name, text);
    }
    for (folder, texts) in folders {
        let uses = |text: &String| -> BTreeSet<String> {
            let used =
                text.split("super::").skip(1).filter_map(|used| used.split([':', ';']).next());
            used.filter(|used| texts.contains_key(*used)).map(str::to_owned).collect()
        };
        let mut left: BTreeMap<&String, BTreeSet<String>> =
            texts.iter().map(|(name, text)| (name, uses(text))).collect();
        left.retain(|name, _| *name != "mod");
        // A file that imports none of the remaining ones is not part of a circle.
        loop {
            let names: BTreeSet<String> = left.keys().map(|name| (*name).clone()).collect();
            let before = left.len();
            left.retain(|_, used| !used.is_disjoint(&names));
            if left.len() == before {
                break;
            }
        }
        assert!(left.is_empty(), "a circle in {folder}: {left:?}");
    }
}

#[test]
fn the_simulator_shares_no_code_with_the_product() {
    let manifest = fs::read_to_string("simulator/Cargo.toml").unwrap();
    assert!(!manifest.contains("duo-sentinel = ") && !manifest.contains("path = \"..\""));
}

#[test]
fn the_core_does_no_input_or_output() {
    // The test of a year reads how much memory it takes.
    let reads_memory = |file: &str| file == "tests/year/curve.rs";
    for (file, text) in sources("src/sync").into_iter().filter(|(file, _)| !reads_memory(file)) {
        for forbidden in
            ["std::fs", "std::net", "tokio", "reqwest", "Utc::now", "SystemTime", "Instant"]
        {
            assert!(!text.contains(forbidden), "{file} uses {forbidden}");
        }
    }
}

#[test]
fn every_log_message_above_debug_has_an_event_name_and_every_name_is_used() {
    let (mut messages, mut used) = (0, String::new());
    for (file, text) in sources("src").iter().filter(|(file, _)| *file != "logging/event.rs") {
        let squeezed: String = text.split_whitespace().collect();
        for level in ["info!(", "warn!(", "error!("] {
            for line in squeezed.split(level).skip(1) {
                messages += 1;
                assert!(
                    line.starts_with("event=%"),
                    "{file}: a message without an event name: {level}{}",
                    line.chars().take(80).collect::<String>()
                );
            }
        }
        used += &squeezed;
    }
    assert!(messages > 10, "the messages were not found");
    for event in LogEvent::iter() {
        let name = format!("LogEvent::{event:?}");
        assert!(used.contains(&name), "no message has the name {event}");
    }
}
