//! What a tenant has, told by another simulator of the same tenant.

use simulator::{Config, Simulator};

use super::{FunctionsHost, Settings, temporary_folder};

/// The id of a telephony event, from a twin of the simulator whose rows were all taken.
pub(crate) async fn telephony_id(simulator: &Simulator) -> String {
    let rows = temporary_folder();
    let config = Config {
        duo_port: 0,
        log_analytics_port: 0,
        rows_dir: Some(rows.path().to_owned()),
        ..simulator.config().clone()
    };
    let twin = Simulator::start(config).await.expect("a port is free");
    let state = temporary_folder();
    let settings =
        Settings::in_folder(&twin, state.path()).with("CISCO_DUO_LOG_TYPES", "telephony");
    FunctionsHost::start(&settings).await.catch_up(5).await;
    twin.report().await;
    let rows = std::fs::read_to_string(rows.path().join("CiscoDuo_CL.ndjson"));
    let rows = rows.expect("rows were taken");
    let row = rows.lines().nth(60).expect("there are more rows");
    let row: serde_json::Value = serde_json::from_str(row).expect("a row is JSON");
    let id = row["telephony_id"].as_str();
    id.expect("each has an id").to_owned()
}
