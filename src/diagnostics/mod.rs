//! The doctor: looks at everything that collection needs, with one real call to each remote that leaves nothing behind.

mod azure_monitor;
mod duo;
mod finding;
mod hourly;
mod logs;
mod network;
mod storage;

use std::time::Duration;

use futures::future::join_all;

use crate::collector::{Clock, Collector};
use crate::release;

pub use finding::Finding;
pub use hourly::Hourly;

/// Longest wait for one answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// Looks at everything. The findings come in the order in which they are best mended.
pub async fn check(collector: &Collector) -> Vec<Finding> {
    let clock = Clock::start(collector.settings().clock_offset);
    let logs = &collector.settings().log_types;
    // First: whatever is asked for the program's sum while it is not known would wait for it with everything else.
    let program = program().await;
    let (asked, storage, stored, azure_monitor) = futures::join!(
        join_all(logs.iter().map(|&log| duo::ask(collector, log, clock))),
        storage::check(collector),
        Box::pin(logs::check(collector, clock)),
        Box::pin(azure_monitor::check(collector, clock)),
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
