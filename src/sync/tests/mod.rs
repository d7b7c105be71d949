//! Whole runs of the core against a small world in memory: what decides that nothing is lost.

mod backfill;
mod borders;
mod dead_letters;
mod ends;
mod every_call;
mod hours;
mod kills;
mod random;
mod refusals;
mod sweeps;
mod tallies;
mod traps;
mod two_instances;
mod v1;
mod waiting_records;
mod waits;
mod world;
