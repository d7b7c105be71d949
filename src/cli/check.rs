use super::{Format, output};

pub(super) async fn check(format: Format) -> Result<(), u8> {
    let collector = super::collector(format.json)?;
    let findings = crate::diagnostics::check(&collector).await;
    if format.json {
        output::json(&findings);
    } else {
        let width = findings.iter().map(|finding| finding.subject.len()).max();
        let width = width.unwrap_or(0);
        let mut last = None;
        for finding in &findings {
            let (subject, message) = (&finding.subject, &finding.message);
            let state = match (finding.ok, finding.warning) {
                (false, _) => "error",
                (true, true) => "warning",
                (true, false) => "ok",
            };
            output::data(format!("{state:7}  {subject:width$}  {message}"));
            // A hint shared by several findings is shown once.
            if let Some(hint) = &finding.hint
                && last.replace(hint) != Some(hint)
            {
                output::data(format!("         {:width$}  hint: {hint}", ""));
            }
        }
    }
    super::failed_unless(findings.iter().all(|finding| finding.ok))
}
