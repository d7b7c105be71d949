//! Whole runs of the core on simulated ports: no event is lost, and no hour is wrongly verified.

mod backfill;
mod borders;
mod catching_up;
mod dead_letters;
mod deleted_checkpoint;
mod ends;
mod every_operation;
mod hours;
mod idle;
mod kills;
mod missing_cursors;
mod random;
mod reconciliation;
pub(super) mod record;
mod refusals;
mod slow_or_large;
mod statistics;
pub(super) mod time;
mod traps;
mod two_instances;
mod updates;
mod v1;
mod waiting_records;
mod waits;
mod world;
mod year;
