//! duo-sentinel
pub mod check;
pub mod cli;
pub mod collect;
pub mod duo;
pub mod host;
pub mod logging;
pub mod model;
pub mod plan;
pub mod record;
pub mod settings;
pub mod sink;
pub mod state;
pub mod transport;
