//! Names that were replaced do not come back.

use std::fs;
use std::path::Path;

use crate::common::files;

const FOLDERS: [&str; 8] =
    ["src", "tests", "simulator", "benches", "docs", "sentinel", "tools", "package"];
const FILES: [&str; 4] =
    ["README.md", "azuredeploy.json", "createUiDefinition.json", "local.settings.json.example"];
/// Settings, columns, log events, states and options.
const TEXTS: &str = "CISCO_DUO_SETTLE CISCO_DUO_PARK CISCO_DUO_RUN_SECONDS CISCO_DUO_CALLS CISCO_DUO_START\" row_kind \
                     error_about standing_since counted_d parked_until crowded_second duo_garbled not_given looked_at --types";
const TYPES: &str = "Shipment Question Answer Sieve Sweeps Ending Notice Told Tally Vitals Standing Trouble Claim Asides \
                     Uncounted Pace Mark Road";

#[test]
fn replaced_names_do_not_come_back() {
    let single = FILES.map(|file| (file.to_owned(), fs::read(file).unwrap()));
    let below = FOLDERS.map(|folder| files(Path::new(folder)));
    for (path, content) in below.into_iter().flatten().chain(single) {
        let Ok(text) = String::from_utf8(content) else { continue };
        if path.ends_with("agreement/names.rs") {
            continue;
        }
        for name in TEXTS.split_whitespace() {
            assert!(!text.contains(name), "{path}: {name}");
        }
        let words: Vec<&str> = text.split(|letter: char| !letter.is_alphanumeric()).collect();
        for pair in words.windows(2).filter(|pair| ["struct", "enum", "trait"].contains(&pair[0])) {
            assert!(!TYPES.split_whitespace().any(|name| name == pair[1]), "{path}: {}", pair[1]);
        }
    }
}
