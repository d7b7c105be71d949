//! `check`: is everything there that collection needs?

use super::output;

/// Arguments of `check`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Print the findings as JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn check(arguments: &Arguments) -> u8 {
    let collector = match super::collector(arguments.json) {
        Ok(collector) => collector,
        Err(code) => return code,
    };
    let findings = crate::diagnostics::check(&collector).await;
    if arguments.json {
        output::json(&findings);
    } else {
        let width = findings
            .iter()
            .map(|finding| finding.subject.len())
            .max()
            .unwrap_or(0);
        let mut last_hint = None;
        for finding in &findings {
            let state = if finding.ok { "ok     " } else { "problem" };
            output::data(format!(
                "{state}  {:width$}  {}",
                finding.subject, finding.message
            ));
            // Where all logs fail for one reason, its remedy is told once.
            if let Some(hint) = &finding.hint
                && last_hint != Some(hint)
            {
                output::data(format!("         {:width$}  hint: {hint}", ""));
                last_hint = Some(hint);
            }
        }
    }
    if findings.iter().all(|finding| finding.ok) {
        0
    } else {
        super::FAILED
    }
}
