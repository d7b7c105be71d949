//! Whole runs of the core on simulated ports: no event is lost, and no hour is wrongly verified.

mod backfill;
mod borders;
mod dead_letters;
mod ends;
mod every_operation;
mod hours;
mod kills;
mod random;
mod reconciliation;
pub(super) mod record;
mod refusals;
mod statistics;
pub(super) mod time;
mod traps;
mod two_instances;
mod v1;
mod waiting_records;
mod waits;
mod world;
