//! Names that were replaced do not come back.

use std::fs;
use std::path::Path;

use crate::common::files;

const FOLDERS: [&str; 8] =
    ["src", "tests", "simulator", "benches", "docs", "sentinel", "tools", "package"];
const FILES: [&str; 4] =
    ["README.md", "azuredeploy.json", "createUiDefinition.json", "local.settings.json.example"];
/// Settings, template parameters, form fields, columns, log events and states.
const NAMES: &str = "CISCO_DUO_SETTLE_SECONDS CISCO_DUO_PARK_SECONDS CISCO_DUO_RUN_SECONDS \
                     CISCO_DUO_CALLS_PER_MINUTE CISCO_DUO_START CiscoDuoSettleSeconds \
                     CiscoDuoParkSeconds CiscoDuoRunSeconds CiscoDuoCallsPerMinute CiscoDuoStart \
                     settleSeconds parkSeconds runSeconds callsPerMinute row_kind error_about \
                     standing_since parked_until crowded_second duo_garbled duo_checks_refused \
                     not_given looked_at counted_d checks_d checked_at_t \
                     duplicates_dropped";
const TYPES: &str = "Shipment Question Answer Sieve Sweeps Ending Notice Told Tally Vitals \
                     Standing Trouble Claim Asides Uncounted Pace Mark Road";

#[test]
fn replaced_names_do_not_come_back() {
    let single = FILES.map(|file| (file.to_owned(), fs::read(file).unwrap()));
    let below = FOLDERS.map(|folder| files(Path::new(folder)));
    for (path, content) in below.into_iter().flatten().chain(single) {
        let Ok(text) = String::from_utf8(content) else { continue };
        if path.ends_with("agreement/names.rs") {
            continue;
        }
        assert!(!text.contains("--types"), "{path}: --types");
        let is_letter = |letter: char| letter.is_alphanumeric() || letter == '_';
        let words: Vec<&str> = text.split(|letter| !is_letter(letter)).collect();
        for pair in words.windows(2) {
            let column =
                pair[1].trim_end_matches("_s").trim_end_matches("_d").trim_end_matches("_t");
            let is_old = NAMES.split(' ').any(|name| name == column || name == pair[1]);
            let declares = ["struct", "enum", "trait"].contains(&pair[0]);
            let is_old_type = declares && TYPES.split(' ').any(|name| name == pair[1]);
            assert!(!is_old && !is_old_type, "{path}: {}", pair[1]);
        }
    }
}
