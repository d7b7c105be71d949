//! The diagnostics: what the timer finds once an hour, and what is told to the workspace of how each log fares.

mod health_rows;
mod hourly;
mod refused;
mod reported;
mod schema;
mod unreported;
