//! The demo through both APIs, and whether they fill the same table.

use simulator::{Road as ApiRoad, Simulator, Table};

use super::{Arguments, Demo, now};
use crate::cli::output;
use crate::cli::road::Road;
use crate::model::number;
use crate::schema::TABLE;

/// Columns that differ from call to call; and what has no column of its own, which the Data Collector makes columns of.
const PER_CALL: [&str; 3] = ["TimeGenerated", "ingest_batch_s", "AdditionalFields"];
/// Differences that are told of one by one.
const TOLD: usize = 10;

/// Plays the same bad week through one API and the other, each in a folder of its own; `true` when everything was
/// delivered and the tables are the same.
pub(super) async fn play(arguments: &Arguments) -> Result<bool, String> {
    // The same day, so that Duo has the same events.
    let now = now();
    let mut complete = true;
    let mut tables = Vec::new();
    let mut columns = Vec::new();
    for (road, name, title) in [
        (
            Road::DataCollector,
            "data-collector",
            "Through the HTTP Data Collector API.",
        ),
        (
            Road::LogsIngestion,
            "logs-ingestion",
            "Through the Logs Ingestion API.",
        ),
    ] {
        output::talk(format!("{title}\n"));
        let folder = arguments.folder.join(name);
        let mut demo = Demo::new(arguments, road, &folder, now).await?;
        let in_turn = demo.play().await?;
        complete &= demo.tell(&in_turn).await;
        output::data("");
        tables.push(table(&demo.simulator, road).await?);
        columns = demo.simulator.config().logs_ingestion.streams[0]
            .columns()
            .to_vec();
    }
    let [collected, ingested] = &tables[..] else {
        unreachable!("there are two roads")
    };
    let differences = collected.differences(ingested, "event_uid_s", &columns, &PER_CALL);
    let compared = columns.len() - PER_CALL.len();
    output::data(format!(
        "{TABLE} by either API: {} and {} rows, {compared} declared columns compared event by event, {} differences",
        number(rows(collected)),
        number(rows(ingested)),
        number(differences.len() as u64),
    ));
    for difference in differences.iter().take(TOLD) {
        output::data(format!("different: {difference}"));
    }
    Ok(complete && differences.is_empty())
}

async fn table(simulator: &Simulator, road: Road) -> Result<Table, String> {
    let road = match road {
        Road::DataCollector => ApiRoad::DataCollector,
        Road::LogsIngestion => ApiRoad::LogsIngestion,
    };
    let table = simulator.table(road, TABLE).await;
    table.ok_or_else(|| format!("nothing arrived in {TABLE}"))
}

fn rows(table: &Table) -> u64 {
    table.rows().len() as u64
}
