//! Whole runs of the core against a small world in memory: what decides that nothing is lost.

mod ends;
mod kills;
mod refusals;
mod sweeps;
mod traps;
mod two_instances;
mod world;
