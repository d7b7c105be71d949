//! The same events through both APIs become the same rows.

use simulator::Simulator;

use crate::common::{FunctionsHost, Settings, temporary_folder, tenant_with_rule};

#[tokio::test]
async fn both_apis_fill_declared_columns_alike_and_keep_other_fields_by_name() {
    // The simulator compares each row with its event, and its ids with those of the other API.
    let simulator = Simulator::start(tenant_with_rule(71, 400)).await.unwrap();
    for by_logs_ingestion in [false, true] {
        let folder = temporary_folder();
        let settings = Settings::in_folder(&simulator, folder.path());
        let by_rule = |settings: Settings| settings.by_logs_ingestion(&simulator);
        let settings = if by_logs_ingestion { by_rule(settings) } else { settings };
        FunctionsHost::start(&settings).await.catch_up(5).await;
    }
    let report = simulator.report().await;
    assert!(report.is_complete(), "{report:#?}");
    assert_eq!((report.delivered(), report.duplicates()), (2400, 2400), "{report:#?}");
}
