//! Properties of the events of every log.

use std::collections::BTreeSet;

use chrono::{TimeDelta, Utc};

use super::*;

fn world(late_per_mille: u32) -> (World, Config) {
    let volumes = LogType::ALL.map(|log| (log, 2_000)).into();
    let config = Config { volumes, late_per_mille, ..Config::default() };
    (World::new(&config), config)
}

#[test]
fn every_record_is_a_json_object_and_reproducible() {
    let (world, config) = world(0);
    let again = World::new(&config);
    for log in LogType::ALL {
        let events = world.events(log);
        let mut bytes = 0;
        for index in 0..events.count() {
            let record = events.record(index);
            let value: serde_json::Value =
                serde_json::from_str(&record).unwrap_or_else(|error| panic!("{error}: {record}"));
            assert!(value.is_object());
            assert_eq!(record, again.events(log).record(index));
            assert!(events.corrupted_record(index).contains("\\ud800"), "{record}");
            assert!(!record.contains('\n'));
            bytes += record.len();
        }
        if log == LogType::Authentication {
            let average = bytes / 2_000;
            assert!((1_500..1_900).contains(&average), "{average}");
        }
    }
}

#[test]
fn order_is_by_millisecond_and_identifier_with_clusters() {
    let (world, _) = world(0);
    for log in LogType::ALL {
        let events = world.events(log);
        let keys: Vec<_> = (0..events.count() as usize)
            .map(|position| events.index_at(position))
            .map(|index| (events.millisecond(index), events.id(index)))
            .collect();
        assert!(keys.is_sorted());
        assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), keys.len());
        let crowded = keys.windows(5).filter(|five| five[0].0 == five[4].0).count();
        assert!(crowded > 0, "{log} has no cluster");
    }
}

#[test]
fn counts_agree_with_the_visibility_of_each_event() {
    let (world, _) = world(200);
    let events = world.events(LogType::Authentication);
    #[expect(clippy::disallowed_methods, reason = "visibility depends on the real clock")]
    let now = (Utc::now() - TimeDelta::minutes(1)).timestamp_millis();
    for hours in [0, 1, 5, 30] {
        let range = events.positions(now - hours * 3_600_000, now);
        let seen = range.clone().filter(|at| events.is_visible(events.index_at(*at), now)).count();
        assert_eq!(events.count_visible(&range, now), seen);
    }
}
