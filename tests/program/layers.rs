//! What the sources keep to: imports point one way, from the edges to the words they share, the core does no input or output,
//! and every line of the log stream has a name.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use duo_sentinel::logging::LogEvent;
use strum::IntoEnumIterator as _;

/// The modules, from those that know nothing of the others to those that know all. A module may use what stands
/// before it; those in one row never use each other.
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

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The module of a file: the first part of its path below `src`.
fn module(file: &Path) -> String {
    let inside = file.strip_prefix("src").unwrap();
    let first = inside.iter().next().unwrap().to_str().unwrap();
    first.trim_end_matches(".rs").to_owned()
}

/// The text of a file without its comments.
fn code(file: &Path) -> String {
    let text = fs::read_to_string(file).unwrap();
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

#[test]
fn imports_point_one_way() {
    let layer: BTreeMap<&str, usize> = LAYERS
        .iter()
        .enumerate()
        .flat_map(|(layer, modules)| modules.iter().map(move |module| (*module, layer)))
        .collect();
    let mut files = Vec::new();
    sources(Path::new("src"), &mut files);
    assert!(files.len() > 40, "the sources were not found");
    let mut wrong = Vec::new();
    for file in files {
        let from = module(&file);
        let own = *layer.get(from.as_str()).unwrap_or_else(|| panic!("{from} has no layer"));
        let text = code(&file);
        for used in text.split("crate::").skip(1) {
            let used: String =
                used.chars().take_while(|char| char.is_ascii_lowercase() || *char == '_').collect();
            if used != from && layer.get(used.as_str()).is_some_and(|other| *other >= own) {
                wrong.push(format!("{} uses {used}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "against the arrows:\n{}", wrong.join("\n"));
}

#[test]
fn the_simulator_knows_nothing_of_what_it_judges() {
    let manifest = fs::read_to_string("simulator/Cargo.toml").unwrap();
    assert!(!manifest.contains("duo-sentinel = ") && !manifest.contains("path = \"..\""));
}

#[test]
fn the_core_does_no_input_or_output() {
    let mut files = Vec::new();
    sources(Path::new("src/sync"), &mut files);
    for file in files {
        let text = code(&file);
        for forbidden in
            ["std::fs", "std::net", "tokio", "reqwest", "Utc::now", "SystemTime", "Instant"]
        {
            assert!(!text.contains(forbidden), "{} uses {forbidden}", file.display());
        }
    }
}

#[test]
fn every_line_above_debug_has_a_name_and_every_name_a_line() {
    let mut files = Vec::new();
    sources(Path::new("src"), &mut files);
    let (mut lines, mut used) = (0, String::new());
    for file in files.iter().filter(|file| !file.ends_with("logging/event.rs")) {
        let text = fs::read_to_string(file).unwrap();
        let squeezed: String = text.split_whitespace().collect();
        for level in ["info!(", "warn!(", "error!("] {
            for line in squeezed.split(level).skip(1) {
                lines += 1;
                assert!(
                    line.starts_with("event=%"),
                    "{}: a line without a name: {level}{}",
                    file.display(),
                    line.chars().take(80).collect::<String>()
                );
            }
        }
        used += &squeezed;
    }
    assert!(lines > 10, "the lines were not found");
    for event in LogEvent::iter() {
        let name = format!("LogEvent::{event:?}");
        assert!(used.contains(&name), "no line has the name {event}");
    }
}
