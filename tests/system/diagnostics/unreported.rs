//! Closed hours whose rows were not accepted for days, or whose process ended before sending them.

use std::collections::BTreeSet;

use duo_sentinel::model;
use simulator::{Fault, FaultKind, IngestionApi, LogType, Target};

use crate::common::FunctionsHost;
use crate::common::history::{Log, now};
use crate::diagnostics::health_rows::{BOTH_APIS, Scene};

#[tokio::test(flavor = "multi_thread")]
async fn results_of_the_last_days_are_sent_however_old_their_hours_are() {
    for (api, days) in [(IngestionApi::DataCollector, 2), (IngestionApi::LogsIngestion, 6)] {
        let scene = Scene::new(api, 66, "unreported").await;
        let log = Log::working(model::LogType::Activity, 100, now()).hours_reported_to(days * 24);
        scene.container.create().await;
        for (name, content) in log.files() {
            scene.container.write(&name, content).await;
        }
        // No hour is reconciled again: the results were found before.
        let forbidden = Fault::always(Target::Duo(LogType::Activity), FaultKind::Forbidden);
        scene.simulator.faults().push(forbidden);
        let settings = scene.settings.clone().with("CISCO_DUO_LOG_TYPES", "activity");
        let host = FunctionsHost::start(&settings).await;
        host.fire().await.assert_failed();
        let sent: Vec<String> = scene
            .reported("hour")
            .await
            .iter()
            .map(|row| row["hour"].as_str().unwrap().to_owned())
            .collect();
        let found = log.hours_found_since(days * 24).into_iter();
        let found: BTreeSet<String> = found.map(|hour| hour.start().to_string()).collect();
        assert!(found.len() > 40, "{found:#?}");
        assert_eq!(sent.iter().cloned().collect::<BTreeSet<_>>(), found);
        assert_eq!(sent.len(), found.len(), "an hour was sent twice");
        // They are not sent again.
        host.fire().await.assert_failed();
        assert_eq!(scene.reported("hour").await.len(), found.len());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_month_of_hours_is_sent_in_batches_and_resumes_after_a_restart() {
    for api in BOTH_APIS {
        let scene = Scene::new(api, 67, "month").await;
        let settings = scene
            .settings
            .clone()
            .with("CISCO_DUO_LOG_TYPES", "activity,telephony")
            .with("CISCO_DUO_LOOKBACK_HOURS", "720")
            .with("MAX_SYNC_WINDOW_PER_RUN_MINUTES", "43200");
        let mut hours = BTreeSet::new();
        for _ in 0..30 {
            // Each run in a new process.
            let mut host = FunctionsHost::start(&settings).await;
            host.fire().await.summary();
            host.stop().await;
            hours = scene
                .reported("hour")
                .await
                .iter()
                .map(|row| (row["eventtype"].to_string(), row["hour"].to_string()))
                .collect();
            if hours.len() >= 2 * 719 {
                break;
            }
        }
        let stored = scene.container.results().await.len();
        assert!(stored >= 2 * 719, "{stored} hours");
        assert_eq!(hours.len(), stored);
    }
}
