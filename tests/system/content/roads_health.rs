//! What the real connector tells of itself by either road: the alerts and the coverage say the same of both.

use std::collections::BTreeSet;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

use crate::content::coverage::asked_between;
use crate::content::roads::{rows, tables};
use crate::content::schema::{HEALTH_TABLE, Schema};
use crate::content::sources::{Content, Query};
use crate::content::tools::{self, Row, World};

/// The columns that have a value in some row.
fn filled(rows: &[Row]) -> BTreeSet<&str> {
    let with_value = rows.iter().flatten().filter(|(_, value)| !value.is_null());
    with_value.map(|(column, _)| column.as_str()).collect()
}

fn text(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

#[tokio::test]
async fn alerts_and_coverage_take_what_the_connector_tells_by_either_road() {
    let (content, schema) = (Content::read(), Schema::read());
    let stored = tables().await;
    let worlds = stored.each_ref().map(|[events, health]| {
        // The services know no other column than those that are declared.
        assert!(health.left_out().is_empty(), "{:?}", health.left_out());
        (rows(events, &schema.all()), rows(health, schema.health()), health)
    });
    let [by_key, by_rule] = &worlds;
    assert_eq!(filled(&by_key.1), filled(&by_rule.1));
    assert!(
        filled(&by_key.1).is_superset(&["state_s", "hour_t", "lag_seconds_d", "outcome_s"].into())
    );
    for (_, _, health) in &worlds {
        let names = health.columns().keys().filter(|name| !name.starts_with('_'));
        let strange: Vec<&String> =
            names.filter(|name| !schema.health().contains_key(*name)).collect();
        assert!(strange.is_empty(), "{strange:?}");
    }

    let sent = by_rule.1.iter().filter_map(|row| row["TimeGenerated"].as_str());
    let last: DateTime<Utc> = sent.max().unwrap().parse().unwrap();
    let hours: BTreeSet<&str> =
        by_key.1.iter().filter_map(|row| row.get("hour_t")?.as_str()).collect();
    let coverage =
        asked_between(&content.functions[1], hours.first().unwrap(), hours.last().unwrap());
    let mut queries: Vec<&Query> = content.alerts.iter().collect();
    queries.push(&coverage);
    let tiles: Vec<&Query> =
        content.tiles.iter().filter(|tile| tile.text.contains(HEALTH_TABLE)).collect();
    assert_eq!(tiles.len(), 2);
    queries.extend(&tiles);
    let at = |minutes: i64| text(last + TimeDelta::minutes(minutes));
    let worlds: Vec<(World, Vec<&Query>)> = worlds
        .iter()
        .flat_map(|(events, health, _)| [at(5), at(120)].map(|now| (events, health, now)))
        .map(|(events, health, now)| {
            let (events, health) = (events.clone(), health.clone());
            (World { events, health, of_health: schema.health().clone(), now }, queries.clone())
        })
        .collect();
    let answers = tools::run_in(&schema.all(), &worlds);
    for ((world, _), answers) in worlds.iter().zip(&answers) {
        for (alert, answer) in content.alerts.iter().zip(answers) {
            let is_silent = world.now == at(120) && alert.stem() == "no-heartbeat";
            assert_eq!(
                answer.rows().len(),
                usize::from(is_silent),
                "{}: {:?}",
                alert.name,
                answer.rows()
            );
        }
        let (coverage, of_tiles) = answers[content.alerts.len()..].split_first().unwrap();
        assert!(of_tiles.iter().all(|tile| !tile.rows().is_empty()), "{of_tiles:?}");
        let covered = coverage.rows();
        assert!(covered.len() > 20, "{covered:?}");
        let is_stored = |row: &Row| row["Verdict"] != "fewer stored than delivered";
        assert!(covered.iter().all(is_stored), "{covered:#?}");
        let whole: u64 = covered.iter().map(|row| row["Stored"].as_u64().unwrap()).sum();
        assert!(whole > 100, "{whole} events lie in these hours");
    }
}
