//! The hourly check, and the health rows about each log.

mod health_rows;
mod hourly;
mod refused;
mod reported;
mod schema;
mod unreported;
