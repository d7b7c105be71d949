//! The program as a command, and its output with variable parts replaced.

use std::fs;
use std::path::Path;
use std::process::{Output, Stdio};

use sha2::{Digest as _, Sha256};
use simulator::Simulator;
use tokio::process::Command;

use super::{Settings, binary};

/// Runs the program in this folder, with only these settings in its environment.
pub(crate) async fn duo_sentinel(settings: &Settings, folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(binary());
    command.args(arguments).current_dir(folder).env_clear().envs(settings.iter());
    command.stdin(Stdio::null()).kill_on_drop(true);
    command.output().await.expect("the program can be started")
}

/// Exit code, stdout and stderr, with variable parts replaced.
pub(crate) fn shown(output: &Output, simulator: &Simulator, folder: &Path) -> String {
    let mut text = format!(
        "exit code {}\n--- stdout\n{}--- stderr\n{}",
        output.status.code().expect("the program was not killed"),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    let program = fs::read(binary()).expect("the program can be read");
    for (changing, name) in [
        (simulator.duo_url(), "DUO_URL"),
        (simulator.log_analytics_url(), "LOG_ANALYTICS_URL"),
        (folder.display().to_string(), "FOLDER"),
        (concat!("duo-sentinel ", env!("CARGO_PKG_VERSION")).to_owned(), "duo-sentinel VERSION"),
        (hex::encode(Sha256::digest(program)), "SHA-256-OF-THE-PROGRAM"),
    ] {
        text = text.replace(&changing, name);
    }
    mask_times(&text)
}

/// Replaces times, and the number of days for which Duo keeps Trust Monitor events.
fn mask_times(text: &str) -> String {
    let mut masked = String::new();
    for line in text.split_inclusive('\n') {
        let mut words: Vec<String> = line
            .split(' ')
            .map(|word| {
                let is_time = word.len() >= 20 && word.starts_with("20") && word.contains('T');
                if is_time {
                    word.replace(&word[..24.min(word.trim_end().len())], "TIME")
                } else {
                    word.to_owned()
                }
            })
            .collect();
        if words.last().is_some_and(|word| word == "days\n") {
            let number = words.len() - 2;
            "N".clone_into(&mut words[number]);
        }
        masked.push_str(&words.join(" "));
    }
    masked
}
