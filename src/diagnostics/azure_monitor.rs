//! Checks token and permission for each table with an empty list, which stores no row.

use bytes::Bytes;

use super::{Finding, TIME_LIMIT};
use crate::collector::{Clock, Collector};
use crate::ingestion::{BatchRequest, Table};
use crate::model::{SendError, SendErrorKind};
use crate::settings::{IdentitySettings, IngestionSettings};

/// Checks identity, events table, and health table.
pub(super) async fn check(collector: &Collector, clock: Clock) -> Vec<Finding> {
    let events = send(collector, Table::CiscoDuo, clock).await;
    let IngestionSettings::LogsIngestion(settings) = &collector.settings.sink.ingestion else {
        return vec![table("Azure Monitor", "accepts WORKSPACE_ID and SHARED_KEY", events)];
    };
    let identity = about(&settings.identity.0);
    if let Err(error @ SendError { kind: SendErrorKind::NoToken { .. }, .. }) = events {
        // Without a token, no request was sent.
        let problem = Finding::of("identity", error);
        let message = format!("{identity}: {}", problem.message);
        return vec![Finding { message, ..problem }];
    }
    let accepts = "accepts rows of this identity for the data collection rule and stream";
    let mut findings = vec![
        Finding::ok("identity", format!("token obtained for {identity}")),
        table("Azure Monitor", accepts, events),
    ];
    // With the Data Collector API, tables are created by their first row.
    if collector.settings.health {
        let rows = send(collector, Table::CiscoDuoHealth, clock).await;
        let mut finding = table("health rows", accepts, rows);
        if finding.http_status == Some(404) {
            // The rule may be of an earlier release, with the stream for events only.
            finding = finding.with_hint(Some("the data collection rule lacks the stream Custom-CiscoDuoHealth: deploy sentinel/data-collection-rule.json \
                 again, or set CISCO_DUO_HEALTH to off; events are delivered nevertheless"));
        }
        findings.push(finding);
    }
    findings
}

async fn send(collector: &Collector, table: Table, clock: Clock) -> Result<(), SendError> {
    let request = BatchRequest {
        table,
        body: Bytes::from_static(b"[]"),
        is_dated_by_event: false,
        now: clock.now().date_time(),
        timeout: TIME_LIMIT,
    };
    match collector.sink.send(request).await {
        // Only the empty list is refused: without permission the status would be 401 or 403.
        Err(error) if error.kind != SendErrorKind::BadRecord => Err(error),
        _ => Ok(()),
    }
}

fn table(subject: &str, accepts: &str, sent: Result<(), SendError>) -> Finding {
    match sent {
        Ok(()) => Finding::ok(subject, accepts),
        Err(error) => Finding::of(subject, error),
    }
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
            let client = &application.client;
            format!("the application {client} with a federated token")
        }
    }
}
