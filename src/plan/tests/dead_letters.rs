//! Records that Azure Monitor refuses even alone, and rows that lack a part of their record.

use super::world::{Happened, NOON, World, clustered, id};
use crate::model::{HOUR, Hour, MINUTE, Millis};
use crate::plan::{Ending, Failure, Notice};

/// A world whose events stand on three large pages of one window.
fn one_window() -> World {
    let mut world = World::new(clustered());
    world.page_size = 10;
    world.limits.window = 3 * HOUR;
    world
}

/// The ids of the events in the order in which Duo shows them.
fn in_order(world: &World) -> Vec<crate::plan::RowId> {
    let mut events = world.events.clone();
    events.sort_by_key(|event| (event.time, event.id));
    events.into_iter().map(|event| event.id).collect()
}

fn happens(world: &mut World, number: u64, time: Millis) {
    world.events.push(Happened {
        id: id(number),
        time,
        shown_from: time + 2 * MINUTE,
    });
}

#[test]
fn a_record_refused_alone_is_set_aside_after_another_was_accepted_and_the_log_goes_on() {
    let mut world = one_window();
    let refused = in_order(&world)[4];
    world.letters.refused.insert(refused);
    let (ending, tally) = world.run("a");
    assert_eq!(ending, Ending::CaughtUp);
    assert_eq!((tally.dead_letters.refused, tally.dead_letters.cut), (1, 0));
    assert_eq!(tally.dead_letters.named, [refused]);
    assert_eq!(world.accepted.len(), world.events.len() - 1);
    assert_eq!(world.letters.stored.len(), 1);
    // The ledger knows it, under its hour: nobody sends it again, whoever reads it again.
    let event = world
        .events
        .iter()
        .find(|event| event.id == refused)
        .unwrap();
    assert_eq!(world.ledger[&refused], Hour::of(event.time));
    let refusals = world.letters.refusals;
    for _ in 0..30 {
        world.now = world.now + 5 * MINUTE;
        let (_, tally) = world.run("a");
        assert_eq!(tally.dead_letters.count(), 0);
    }
    assert_eq!(
        (world.letters.refusals, world.letters.stored[&refused]),
        (refusals, 1)
    );
    assert!(world.lost().is_empty());
    assert_eq!(world.duplicates(), 0);
}

#[test]
fn the_first_record_of_all_waits_for_the_first_that_is_accepted() {
    for page_size in [1, 3, 10] {
        let mut world = one_window();
        world.page_size = page_size;
        world.letters.refused.insert(in_order(&world)[0]);
        assert_eq!(world.run("a").0, Ending::CaughtUp, "pages of {page_size}");
        assert_eq!(world.letters.stored.len(), 1);
        assert!(world.lost().is_empty());
    }
}

#[test]
fn the_record_that_tells_may_stand_in_a_later_window() {
    for v1 in [false, true] {
        let times = [NOON - 150 * MINUTE, NOON - 10 * MINUTE];
        let mut world = if v1 {
            World::v1(times, 8)
        } else {
            World::new(times)
        };
        world.limits.window = 20 * MINUTE;
        world.letters.refused.insert(id(0));
        assert_eq!(world.run("a").0, Ending::CaughtUp);
        assert!(world.is_set_aside(id(0)), "v1: {v1}");
        assert!(world.lost().is_empty());
    }
}

#[test]
fn while_nothing_is_accepted_nothing_is_set_aside_and_the_place_is_kept() {
    for v1 in [false, true] {
        let lonely = [NOON - 150 * MINUTE];
        let mut world = if v1 {
            World::v1(lonely, 8)
        } else {
            World::new(lonely)
        };
        world.letters.refused.insert(id(0));
        for _ in 0..30 {
            let (ending, tally) = world.run("a");
            assert_eq!(ending, Ending::Failed(Failure::RecordsRefused), "v1: {v1}");
            assert_eq!(tally.dead_letters.count(), 0);
            // Once a run, however often it is read: the last second of a v1 log is read twice.
            let refusals = std::mem::take(&mut world.letters.refusals);
            assert_eq!(refusals, 1, "v1: {v1}");
            world.now = world.now + 5 * MINUTE;
        }
        assert!(world.letters.stored.is_empty());
        assert!(world.checkpoint().mintime <= NOON - 150 * MINUTE);
        assert_eq!(world.checkpoint().claim, None);
        // The next event tells that the fault is the record's.
        let now = world.now;
        happens(&mut world, 1, now);
        world.now = world.now + 10 * MINUTE;
        world.run_until_caught_up("a");
        assert!(world.is_set_aside(id(0)));
        assert!(world.lost().is_empty());
    }
}

#[test]
fn the_next_event_of_a_quiet_log_is_reached_within_the_calls_of_a_run() {
    let mut world = World::new([NOON - 150 * MINUTE]);
    world.limits.calls_per_minute = 10;
    world.letters.refused.insert(id(0));
    for _ in 0..4 {
        assert_eq!(world.run("a").0, Ending::Failed(Failure::RecordsRefused));
        world.now = world.now + 24 * HOUR;
    }
    let now = world.now;
    happens(&mut world, 1, now);
    world.now = world.now + 10 * MINUTE;
    world.run_until_caught_up("a");
    assert!(world.is_set_aside(id(0)));
    assert!(world.lost().is_empty());
}

#[test]
fn a_service_that_refuses_everything_gets_no_record_set_aside() {
    let mut world = one_window();
    world.letters.refused.extend(in_order(&world));
    for _ in 0..20 {
        assert_eq!(world.run("a").0, Ending::Failed(Failure::RecordsRefused));
        world.now = world.now + MINUTE;
    }
    assert!(world.letters.stored.is_empty());
    assert_eq!(world.checkpoint().mintime, world.limits.first_mintime);
    world.letters.refused.clear();
    world.run_until_caught_up("a");
    assert!(world.lost().is_empty());
    assert_eq!(world.duplicates(), 0);
}

#[test]
fn the_eleventh_refused_record_stops_the_log_with_its_place_kept() {
    for bad in [10, 11] {
        let mut world = one_window();
        world.page_size = 30;
        let order = in_order(&world);
        world.letters.refused.extend(&order[3..3 + bad]);
        let (ending, tally) = world.run("a");
        assert_eq!(tally.dead_letters.refused, 10);
        assert_eq!(world.letters.stored.len(), 10);
        if bad == 10 {
            assert_eq!(ending, Ending::CaughtUp);
            continue;
        }
        assert_eq!(ending, Ending::Failed(Failure::RecordsRefused));
        assert_eq!(world.checkpoint().mintime, world.limits.first_mintime);
        assert!(!world.is_set_aside(order[13]));
        // A later run goes on behind the ten.
        world.now = world.now + MINUTE;
        world.run_until_caught_up("a");
        assert!(world.is_set_aside(order[13]));
        assert!(world.lost().is_empty());
        assert_eq!(world.duplicates(), 0);
    }
}

#[test]
fn a_kill_between_any_two_steps_around_refused_and_cut_records_loses_nothing() {
    let seconds = || {
        clustered()
            .into_iter()
            .map(|time| Millis::from_seconds(time.seconds()))
    };
    for v1 in [false, true] {
        let make = || {
            let mut world = if v1 {
                World::v1(seconds(), 8)
            } else {
                World::new(clustered())
            };
            let order = in_order(&world);
            // The first, two neighbours in the middle, one of them cut too, and a cut one that is accepted.
            world
                .letters
                .refused
                .extend([order[0], order[10], order[11]]);
            world.letters.cut.extend([order[11], order[12], order[20]]);
            world
        };
        let steps = {
            let mut world = make();
            let mut instance = world.instance("a");
            assert_eq!(world.finish(&mut instance), Ending::CaughtUp);
            assert_eq!(world.letters.stored.len(), 5, "v1: {v1}");
            instance.steps
        };
        for killed_at in 1..=steps {
            let mut world = make();
            let mut instance = world.instance("a");
            for _ in 0..killed_at {
                world.step(&mut instance);
            }
            drop(instance);
            world.now = world.now + 2 * MINUTE;
            // Somebody signs in: what is refused on a log where nothing happens waits.
            let now = world.now;
            happens(&mut world, 900, now);
            world.now = world.now + 10 * MINUTE;
            world.run_until_caught_up("b");
            let at = format!("v1: {v1}, killed at step {killed_at}");
            assert!(world.lost().is_empty(), "{at}: {:?}", world.lost());
            assert!(world.duplicates() <= 4, "{at}: {}", world.duplicates());
            for refused in &world.letters.refused {
                assert!(world.letters.stored.contains_key(refused), "{at}");
                assert!(world.ledger.contains_key(refused), "{at}");
            }
            let refusals = world.letters.refusals;
            world.now = world.now + MINUTE;
            world.run("b");
            assert_eq!(
                world.letters.refusals, refusals,
                "{at}: sent again for ever"
            );
        }
    }
}

#[test]
fn the_original_of_a_cut_row_is_kept_once_before_the_row_goes_out() {
    let mut world = one_window();
    let order = in_order(&world);
    world.letters.cut.extend(&order[2..25]);
    // The call is tried again and halved in between.
    world.send_faults = [
        Some((crate::plan::SendFault::Unreachable, false)),
        Some((crate::plan::SendFault::TooLarge, false)),
    ]
    .into();
    let (ending, tally) = world.run("a");
    assert_eq!(ending, Ending::CaughtUp);
    assert_eq!(
        (tally.dead_letters.cut, tally.dead_letters.refused),
        (23, 0)
    );
    // Ten of them have names, the rest a number.
    assert_eq!(tally.dead_letters.named, order[2..12]);
    assert!(world.letters.stored.values().all(|times| *times == 1));
    assert!(world.lost().is_empty());
    assert_eq!(world.duplicates(), 0);
}

#[test]
fn dead_letters_that_cannot_be_stored_stop_the_log_with_its_place_kept() {
    for cut in [false, true] {
        let mut world = one_window();
        let record = in_order(&world)[4];
        let those = if cut {
            &mut world.letters.cut
        } else {
            &mut world.letters.refused
        };
        those.insert(record);
        world.letters.are_broken = true;
        for _ in 0..5 {
            let (ending, tally) = world.run("a");
            assert!(
                matches!(
                    ending,
                    Ending::Failed(Failure::State | Failure::RecordsRefused)
                ),
                "{ending:?}"
            );
            assert_eq!(tally.dead_letters.count(), 0);
            world.now = world.now + MINUTE;
        }
        assert_eq!(world.checkpoint().mintime, world.limits.first_mintime);
        assert_eq!(world.checkpoint().claim, None);
        world.letters.are_broken = false;
        world.run_until_caught_up("a");
        assert!(world.lost().is_empty());
        assert_eq!(world.duplicates(), 0);
    }
}

#[test]
fn a_ledger_that_cannot_name_a_record_set_aside_keeps_the_place() {
    let mut world = one_window();
    let refused = in_order(&world)[4];
    world.letters.refused.insert(refused);
    let mut instance = world.instance("a");
    while world.letters.stored.is_empty() {
        assert_eq!(world.step(&mut instance), None);
    }
    world.ledger_is_broken = true;
    assert_eq!(world.finish(&mut instance), Ending::Failed(Failure::State));
    assert_eq!(world.checkpoint().mintime, world.limits.first_mintime);
    world.ledger_is_broken = false;
    world.now = world.now + 10 * MINUTE;
    world.run_until_caught_up("a");
    assert!(world.lost().is_empty());
    assert!(world.ledger.contains_key(&refused));
}

#[test]
fn a_refused_record_that_is_found_late_is_set_aside_and_its_hour_agrees() {
    let mut world = World::new(clustered());
    world.run_until_caught_up("a");
    // Shown only now, far behind the place; another event comes in its turn.
    let time = NOON - 140 * MINUTE;
    world.events.push(Happened {
        id: id(800),
        time,
        shown_from: world.now,
    });
    world.letters.refused.insert(id(800));
    for number in 0..40 {
        let now = world.now;
        happens(&mut world, 900 + number, now);
        world.now = world.now + 30 * MINUTE;
        world.run_until_caught_up("a");
    }
    assert!(world.is_set_aside(id(800)));
    assert!(world.lost().is_empty(), "{:?}", world.lost());
    let hour = world.result(Hour::of(time));
    assert_eq!(hour.counted, Some(hour.delivered));
}

#[test]
fn what_waits_is_named_and_the_place_before_it_told() {
    let mut world = one_window();
    let order = in_order(&world);
    world.letters.refused.extend(order.iter().copied());
    let mut instance = world.instance("a");
    let ending = world.finish(&mut instance);
    assert_eq!(ending, Ending::Failed(Failure::RecordsRefused));
    let waiting = instance.run.refused();
    assert_eq!(waiting, order[..waiting.len()]);
    assert_eq!(waiting.len(), 11);
    let told = instance.run.checkpoint().unwrap();
    assert_eq!(told.mintime, world.limits.first_mintime);
    assert_eq!(told.mintime, world.checkpoint().mintime);
}

#[test]
fn a_cut_row_that_is_refused_counts_as_refused_alone() {
    let mut world = one_window();
    let order = in_order(&world);
    world.letters.cut.extend([order[3], order[7]]);
    world.letters.refused.insert(order[3]);
    let (_, tally) = world.run("a");
    let letters = &tally.dead_letters;
    assert_eq!((letters.cut, letters.refused, letters.count()), (1, 1, 2));
}

#[test]
fn the_place_that_is_kept_is_told_however_far_the_run_read_on() {
    let mut world = World::new([NOON - 150 * MINUTE, NOON - 140 * MINUTE]);
    world.letters.refused.extend([id(0), id(1)]);
    let mut instance = world.instance("a");
    let ending = world.finish(&mut instance);
    assert_eq!(ending, Ending::Failed(Failure::RecordsRefused));
    assert!(world.questions >= 3, "it did not read on");
    let told = instance.run.checkpoint().unwrap();
    assert_eq!(told.mintime, world.limits.first_mintime);
}

#[test]
fn a_window_that_never_agrees_is_not_waited_for_for_ever_while_records_wait() {
    let mut world = World::new([NOON - 150 * MINUTE, NOON - 140 * MINUTE]);
    world.limits.window = 3 * HOUR;
    world.letters.refused.extend([id(0), id(1)]);
    world.miscount = Some(1);
    let told = (0..15).any(|_| {
        let (_, tally) = world.run("a");
        world.now = world.now + MINUTE;
        let mut notices = tally.notices.iter();
        notices.any(|notice| matches!(notice, Notice::CountDisagrees { .. }))
    });
    assert!(told);
}
