//! The doctor: looks at everything that collection needs, with one real call to each remote that leaves nothing behind.

mod azure_monitor;
mod duo;
mod finding;
mod hourly;
mod logs;
mod network;
mod storage;

use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::future::join_all;

use crate::collect::Collector;
use crate::model::Millis;
use crate::release;

pub use finding::Finding;
pub use hourly::Hourly;

/// Longest wait for one answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// Looks at everything; `now` dates the calls. The findings come in the order in which they are best mended.
pub async fn check(collector: &Collector, now: DateTime<Utc>) -> Vec<Finding> {
    let logs = &collector.settings().log_types;
    let (program, asked, storage, stored, azure_monitor) = futures::join!(
        program(),
        join_all(logs.iter().map(|&log| duo::ask(collector, log, now))),
        storage::check(collector),
        logs::check(collector, Millis::from(now)),
        azure_monitor::check(collector, now),
    );
    let mut findings = vec![
        program,
        Finding::ok(
            "settings",
            format!(
                "complete; {} log{}",
                logs.len(),
                if logs.len() == 1 { "" } else { "s" }
            ),
        ),
    ];
    findings.extend(network::check(collector));
    findings.extend(duo::clock(&asked));
    findings.extend(asked.into_iter().map(|asked| asked.finding));
    findings.extend(storage);
    findings.extend(azure_monitor);
    findings.extend(stored);
    findings
}

/// Says which program this is; the sum can be compared with that of the release.
async fn program() -> Finding {
    let sha256 = tokio::task::spawn_blocking(release::sha256).await;
    let sha256 = sha256.ok().flatten().unwrap_or("unknown");
    Finding::ok(
        "program",
        format!("duo-sentinel {}, SHA-256 {sha256}", release::VERSION),
    )
}
