use super::{Format, output};

pub(super) async fn check(format: Format) -> Result<(), u8> {
    let collector = super::collector(format.json)?;
    let findings = crate::diagnostics::check(&collector).await;
    if format.json {
        output::json(&findings);
    } else {
        let width = findings.iter().map(|finding| finding.subject.len()).max();
        let width = width.unwrap_or(0);
        let mut hints = output::Hints::default();
        for finding in &findings {
            let (subject, message) = (&finding.subject, &finding.message);
            let state = if finding.ok { "ok     " } else { "problem" };
            output::data(format!("{state}  {subject:width$}  {message}"));
            if let Some(hint) = hints.next(finding.hint.as_deref()) {
                output::data(format!("         {:width$}  hint: {hint}", ""));
            }
        }
    }
    super::failed_unless(findings.iter().all(|finding| finding.ok))
}
