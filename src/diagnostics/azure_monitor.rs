//! Azure Monitor: is there a token, and does each table take rows? No row is sent: the service answers whether it would.

use bytes::Bytes;

use super::{Finding, PATIENCE};
use crate::collector::{Clock, Collector};
use crate::ingestion::{SinkCall, Table};
use crate::model::{IngestionApi, SendError, SendErrorKind};
use crate::settings::{IdentitySettings, IngestionSettings};

/// Identity, events, and rows about the connector itself.
pub(super) async fn check(collector: &Collector, clock: Clock) -> Vec<Finding> {
    let subject = "Azure Monitor";
    let events = send(collector, Table::CiscoDuo, clock).await;
    let IngestionSettings::LogsIngestion(settings) = &collector.settings().sink.ingestion else {
        return vec![table(subject, IngestionApi::DataCollector, events)];
    };
    let identity = about(&settings.identity.0);
    if let Err(fault) = &events
        && matches!(fault.kind, SendErrorKind::NoToken { .. })
    {
        // Nothing was asked behind it.
        let problem = Finding::of_sink("identity", fault);
        let message = format!("{identity}: {}", problem.message);
        return vec![Finding { message, ..problem }];
    }
    let mut findings = vec![
        Finding::ok("identity", format!("{identity} has a token")),
        table(subject, IngestionApi::LogsIngestion, events),
    ];
    // With the other API every table is made by its first row.
    if collector.settings().health {
        let rows = send(collector, Table::CiscoDuoHealth, clock).await;
        findings.push(health(rows));
    }
    findings
}

async fn send(collector: &Collector, table: Table, clock: Clock) -> Result<(), SendError> {
    let call = SinkCall {
        table,
        body: Bytes::from_static(b"[]"),
        is_dated_by_event: false,
        now: clock.now().date_time(),
        timeout: PATIENCE,
    };
    match collector.sink().send(call).await {
        // Whoever asked may send, or the answer would be 401 or 403: only the empty list is refused.
        Err(fault) if fault.kind != SendErrorKind::BadRecord => Err(fault),
        _ => Ok(()),
    }
}

fn table(subject: &str, api: IngestionApi, answer: Result<(), SendError>) -> Finding {
    match answer {
        Ok(()) => Finding::ok(
            subject,
            match api {
                IngestionApi::DataCollector => "knows this workspace and its key",
                IngestionApi::LogsIngestion => {
                    "knows this data collection rule and its stream, and lets this identity send"
                }
            },
        ),
        Err(fault) => Finding::of_sink(subject, &fault),
    }
}

fn health(answer: Result<(), SendError>) -> Finding {
    let finding = table("health rows", IngestionApi::LogsIngestion, answer);
    if finding.http_status != Some(404) {
        return finding;
    }
    // The stream for events may be there all the same: the rule is of an earlier release.
    let hint = "the data collection rule lacks the stream Custom-CiscoDuoHealth: deploy sentinel/data-collection-rule.json \
                again, or set CISCO_DUO_HEALTH to off; events arrive all the same";
    finding.with_hint(Some(hint.to_owned()))
}

/// A description of an identity without its secret.
fn about(identity: &IdentitySettings) -> String {
    match identity {
        IdentitySettings::Managed(None) => {
            "the system-assigned identity of the function app".to_owned()
        }
        IdentitySettings::Managed(Some(client)) => format!("the user-assigned identity {client}"),
        IdentitySettings::ClientSecret(application, _) => {
            format!("the application {} with a secret", application.client)
        }
        IdentitySettings::Workload(application, _) => {
            format!(
                "the application {} with a federated token",
                application.client
            )
        }
    }
}
